"""The real picamera2 on libcamera's virtual camera, read by our driver, in our camera's process."""

from __future__ import annotations

import importlib
import os
import signal
import time

import numpy as np
import pytest
from camera_stand import Terminal, is_alive
from pictures import TOKEN, code_picture, write_jpeg

from device.decode.camera_process import Patience
from device.drivers.registry import make_driver
from device.ports import HealthState

pytestmark = pytest.mark.filterwarnings(r"ignore:setDaemon\(\) is deprecated:DeprecationWarning")  # of picamera2

OPTIONS = {"width": 640, "height": 360}
# An emulated processor takes long to load the libraries, and the virtual pipeline calls most of its frames bad.
PATIENT = Patience(open_s=240, beat_s=30, frame_s=60, stop_s=30, first_pause_s=0.1)


@pytest.fixture(scope="module", autouse=True)
def picture():
    virtual = importlib.import_module("virtual_picamera")
    virtual.write_settings()
    picture = code_picture(1280, 720)
    write_jpeg(picture, virtual.PICTURE)
    return picture


@pytest.fixture
def terminal():
    terminal = Terminal("virtual", OPTIONS, PATIENT)
    terminal.camera.start()
    yield terminal
    terminal.camera.stop()
    assert terminal.processes() == []


def read_frame(camera) -> np.ndarray:
    deadline = time.monotonic() + 120
    while (frame := camera.read(1.0)) is None:
        assert time.monotonic() < deadline, "no frame"
    return frame


def test_frames_are_the_gray_of_the_lores_stream(picture):
    camera = make_driver("camera", "virtual", "front", OPTIONS)
    camera.start()
    assert camera.health.state is HealthState.WORKING, camera.health
    assert camera.health.detail.endswith("640 x 360")
    frames = [read_frame(camera) for _ in range(12)]
    camera.stop()
    for frame in frames:
        assert (frame.shape, frame.dtype, frame.flags.c_contiguous) == ((360, 640), np.uint8, True)
        seen = frame.astype(int) - picture[::2, ::2]
        assert np.abs(seen).mean() < 20, "other pixels than those of the picture"
    assert sum(np.array_equal(frame, frames[0]) for frame in frames) == len(frames), "a picture torn by the next one"


def test_setting_without_a_control_is_said_and_does_no_harm():
    camera = make_driver("camera", "virtual", "front", {**OPTIONS, "exposure_us": 4167, "focus": "continuous"})
    camera.start()
    assert camera.health.detail.endswith("640 x 360, without exposure_us, focus")
    assert read_frame(camera).shape == (360, 640)
    camera.stop()


def test_code_before_the_camera_is_read_and_read_again_after_the_process_was_killed(terminal):
    assert terminal.reading(300).text == TOKEN
    killed = terminal.pid()
    os.kill(killed, signal.SIGKILL)
    assert terminal.health(HealthState.FAILED, 300) == "its process was ended by SIGKILL; it is started again"
    assert terminal.reading(300).text == TOKEN
    assert not is_alive(killed)


def test_process_that_stands_still_is_replaced(terminal):
    terminal.health(HealthState.WORKING, 300)
    stuck = terminal.pid()
    os.kill(stuck, signal.SIGSTOP)
    assert "started again" in terminal.health(HealthState.FAILED, 300)
    terminal.health(HealthState.WORKING, 300)
    assert not is_alive(stuck)
