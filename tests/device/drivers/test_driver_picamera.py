"""The Pi's camera against a stand-in for picamera2 that is as treacherous as the real one."""

import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from fake_picamera2 import Picamera2, World

from device.drivers.errors import DeviceFailed, DeviceMissing, DriverUnsupported
from device.drivers.registry import make_driver
from device.ports import HealthState

SMALL = {"width": 96, "height": 64}


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=Picamera2))
    monkeypatch.setattr(Picamera2, "world", World())
    return Picamera2.world


@pytest.fixture
def camera(world):
    camera = make_driver("camera", "picamera2", "front", SMALL)
    yield camera
    world.frozen = False
    camera.stop()


def test_frame_is_luma_without_the_padding(camera):
    camera.start()
    frame = camera.read(1.0)
    assert frame.shape == (64, 96)
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    assert frame.max() < 100


def test_lores_stream_is_read_in_yuv(camera, world):
    camera.start()
    assert world.configured[0]["lores"]["format"] == "YUV420"
    assert camera.read(1.0) is not None


def test_usb_camera_without_lores_is_read_from_main(camera, world):
    world.is_own = False
    camera.start()
    assert world.configured[0]["lores"] is None
    frame = camera.read(1.0)
    assert frame.shape == (64, 96)
    assert frame.max() < 100


def test_fixed_focus_is_asked_only_of_cameras_with_a_lens_drive(camera, world):
    camera.start()
    assert world.configured[0]["controls"]["LensPosition"] == 8.0
    camera.stop()
    world.has_lens = False
    camera.start()
    assert "LensPosition" not in world.configured[1]["controls"]
    assert "AfMode" not in world.configured[1]["controls"]


def test_frozen_camera_gives_none_in_time_and_frames_again_later(camera, world):
    camera.start()
    world.frozen = True
    begun = time.monotonic()
    assert camera.read(0.1) is None
    assert 0.05 < time.monotonic() - begun < 0.5
    world.frozen = False
    assert camera.read(1.0) is not None


def test_time_out_of_zero_does_not_become_a_job(camera, world):
    camera.start()
    world.frozen = True
    assert camera.read(0.0) is None


def test_no_camera_is_missing_and_is_found_later(camera, world):
    world.present = False
    camera.start()
    assert camera.health.state is HealthState.MISSING
    assert "cable" in camera.health.detail
    with pytest.raises(DeviceMissing, match="no camera"):
        camera.read(0.01)
    world.present = True
    camera.stop()
    camera.start()
    assert camera.read(1.0) is not None


def test_camera_that_is_plugged_in_later_is_found_by_reading(camera, world):
    world.present = False
    camera.start()
    world.present = True
    assert camera.read(1.0) is not None
    assert camera.health.state is HealthState.WORKING


def test_missing_camera_is_not_asked_in_a_busy_loop(camera, world):
    world.busy = True
    camera.start()
    begun = time.monotonic()
    for _ in range(3):
        with pytest.raises(DeviceMissing, match="in use"):
            camera.read(0.05)
    assert time.monotonic() - begun >= 0.15


def test_camera_out_of_memory_does_not_start(camera, world):
    world.out_of_memory = True
    with pytest.raises(DeviceFailed, match="process must be replaced"):
        camera.start()
    assert camera.health.state is HealthState.FAILED
    world.out_of_memory = False
    with pytest.raises(DeviceFailed, match="process must be replaced"):
        camera.start()
    assert world.opened == 1


def test_camera_that_broke_is_not_opened_again_in_this_process(camera, world):
    camera.start()
    world.broken = True
    with pytest.raises(DeviceMissing):
        camera.read(0.01)
    world.broken = False
    with pytest.raises(DeviceMissing):
        camera.read(0.01)
    assert camera.health.state is HealthState.MISSING
    camera.stop()
    with pytest.raises(DeviceFailed, match="process must be replaced"):
        camera.start()
    assert world.opened == 1
    assert world.closed == 0


def test_camera_is_configured_once(camera, world):
    camera.start()
    for _ in range(5):
        camera.read(1.0)
    assert len(world.configured) == 1


def test_machine_without_picamera2_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", None)
    camera = make_driver("camera", "picamera2", "front", {})
    with pytest.raises(DriverUnsupported, match="apt install python3-picamera2"):
        camera.start()
    assert camera.health.state is HealthState.FAILED
