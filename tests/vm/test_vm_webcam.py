"""Webcams of the kernel's vivid driver: one shows a test pattern, one what is written to an output."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from camera_stand import Terminal
from pictures import TOKEN, code_picture

from device.decode.camera_process import Patience
from device.drivers.errors import DeviceMissing
from device.drivers.registry import make_driver
from device.ports import HealthState

WEBCAM = "/dev/video0"
HDMI_INPUT = "/dev/video1"
HDMI_OUTPUT = "/dev/video2"
BUS = Path("/sys/bus/platform/drivers/vivid")
PATIENT = Patience(open_s=240, beat_s=30, frame_s=60, stop_s=30, first_pause_s=0.1)


def control(device: str, *arguments: str) -> str:
    return subprocess.run(["v4l2-ctl", "-d", device, *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def camera(request):
    started = []

    def start(**options: object):
        started.append(make_driver("camera", "webcam", "front", {"path": WEBCAM, **options}))
        started[-1].start()
        return started[-1]

    yield start
    for camera in started:
        camera.stop()


def read_frame(camera) -> np.ndarray:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (frame := camera.read(1.0)) is not None:
            return frame
    raise AssertionError("no frame")


def wait_for_health(camera, state: HealthState) -> str:
    deadline = time.monotonic() + 60
    while camera.health.state is not state:
        assert time.monotonic() < deadline, camera.health
        with suppress(DeviceMissing):
            camera.read(0.2)
    return camera.health.detail


def test_every_format_gives_the_same_gray(camera):
    control(WEBCAM, "-c", "osd_text_mode=2,test_pattern=0")  # colour bars, and no clock in them
    frames = {}
    for name in ("GREY", "NV12", "YU12", "YUYV"):
        opened = camera(width=640, height=360, formats=[name])
        assert opened.health.detail.startswith(f"vivid, 640 x 360 {name}")
        frames[name] = read_frame(opened).astype(int)
        opened.stop()
    for name, frame in frames.items():
        assert frame.shape == (360, 640)
        assert (np.diff(frame[180, 40::80]) < 0).all(), f"{name}: the bars fall from white to black"
        # GREY goes from 0 to 255 and weighs colours in its own way; the others are planes of the same picture.
        assert name == "GREY" or np.abs(frame - frames["YUYV"]).max() <= 4, name


@pytest.mark.parametrize(("width", "height"), [(320, 180), (1280, 720)])
def test_size_is_the_one_that_was_asked_for(camera, width, height):
    assert read_frame(camera(width=width, height=height)).shape == (height, width)


def test_settings_reach_the_camera_and_what_it_lacks_is_said(camera):
    lacking = {"exposure_us": 4200, "focus_position": 3, "mains_hz": 50}
    opened = camera(width=640, height=360, gain=77, frames_per_second=5.0, **lacking)
    assert opened.health.detail.endswith(", without exposure_us, focus_position, mains_hz")
    assert control(WEBCAM, "-C", "gain,gain_automatic").split() == ["gain:", "77", "gain_automatic:", "0"]
    assert "5.000" in control(WEBCAM, "-P")
    opened.stop()
    control(WEBCAM, "-c", "gain_automatic=1")


def test_camera_of_another_program_is_missing_until_it_is_free(camera):
    other = subprocess.Popen(["v4l2-ctl", "-d", WEBCAM, "--stream-mmap"], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while "(deleted)" not in _maps(other.pid) and "/dev/video0" not in _maps(other.pid):
            assert time.monotonic() < deadline, "the other program does not stream"
            time.sleep(0.2)
        opened = camera(width=640, height=360)
        assert "busy" in wait_for_health(opened, HealthState.MISSING)
    finally:
        other.kill()
        other.wait()
    wait_for_health(opened, HealthState.WORKING)
    assert read_frame(opened).shape == (360, 640)


def _maps(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def test_camera_that_is_pulled_out_is_missing_and_works_when_it_is_back(camera):
    opened = camera(width=640, height=360)
    read_frame(opened)
    (BUS / "unbind").write_text("vivid.0")
    try:
        assert wait_for_health(opened, HealthState.MISSING)
    finally:
        (BUS / "bind").write_text("vivid.0")
        subprocess.run(["udevadm", "settle"], check=True)
    wait_for_health(opened, HealthState.WORKING)
    assert read_frame(opened).shape == (360, 640)


def cable() -> str:
    """Give the setting that joins the input and the output: the last choice of the menu "is connected to"."""
    listing = control(HDMI_INPUT, "-L")
    found = re.search(r"(\w+_is_connected_to) .*\n((?:\s+\d+: .*\n)+)", listing)
    assert found, listing
    name, menu = found.groups()
    return f"{name}={re.findall(r'[0-9]+(?=: .*HDMI)', menu)[-1]}"


@pytest.fixture
def shown_code(tmp_path):
    """Show a code on the HDMI output, and join input and output."""
    gray = code_picture(640, 480)
    picture = np.full((480, 1280), 128, np.uint8)
    picture[:, ::2] = gray
    (tmp_path / "frame.yuv").write_bytes(picture.tobytes())
    for device in (HDMI_INPUT, HDMI_OUTPUT):
        control(device, "--set-dv-bt-timings", "index=0")  # 640 x 480
    control(HDMI_OUTPUT, "--set-fmt-video-out", "width=640,height=480,pixelformat=YUYV")
    control(HDMI_INPUT, "-c", f"osd_text_mode=2,{cable()}")
    show = ["v4l2-ctl", "-d", HDMI_OUTPUT, "--stream-out-mmap", "--stream-from", str(tmp_path / "frame.yuv")]
    player = subprocess.Popen([*show, "--stream-loop"], stderr=subprocess.DEVNULL)
    yield
    player.kill()
    player.wait()


@pytest.mark.usefixtures("shown_code")
def test_code_before_the_webcam_is_read_and_read_again_after_the_process_was_killed():
    options = {"path": HDMI_INPUT, "width": 640, "height": 480, "formats": ["YUYV"]}
    terminal = Terminal("webcam", options, PATIENT)
    terminal.camera.start()
    try:
        assert terminal.reading(300).text == TOKEN
        os.kill(terminal.pid(), signal.SIGKILL)
        assert "ended by SIGKILL" in terminal.health(HealthState.FAILED, 300)
        assert terminal.reading(300).text == TOKEN
    finally:
        terminal.camera.stop()
    assert terminal.processes() == []
