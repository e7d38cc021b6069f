"""The Pi's camera against a stand-in for picamera2 that is as treacherous as the real one."""

import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from fake_picamera2 import MappedArray, Picamera2, World

from device.drivers.errors import DeviceFailed, DeviceMissing, DriverUnsupported
from device.drivers.registry import make_driver
from device.ports import HealthState

SMALL = {"width": 96, "height": 64}


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=Picamera2, MappedArray=MappedArray))
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


@pytest.mark.parametrize("pixel_format", ["NV12", "YUYV", "RGB888"])
def test_gray_is_found_in_what_the_camera_has_made_of_the_format(camera, world, pixel_format):
    world.pixel_format = pixel_format
    camera.start()
    frame = camera.read(1.0)
    assert frame.shape == (64, 96)
    assert 0 < frame.min() == frame.max() < 100


def test_format_that_nobody_can_read_is_named(camera, world):
    world.pixel_format = "MJPEG"
    camera.start()
    with pytest.raises(DeviceMissing, match=r"MJPEG.*driver webcam"):
        camera.read(0.01)


def test_buffers_go_back_to_the_camera(camera):
    camera.start()
    frames = [camera.read(1.0) for _ in range(20)]
    assert all(frame is not None and frame.max() > 0 for frame in frames)


def test_frame_of_the_last_moment_is_used_and_its_buffer_goes_back(camera, world):
    camera.start()
    world.frozen = world.late = True
    for _ in range(10):
        assert camera.read(0.01).max() == 77
    world.frozen = False
    assert camera.read(1.0) is not None


def test_nobody_pays_for_pictures_that_are_not_read(camera, world):
    camera.start()
    assert world.configured[0]["raw"] is None
    assert world.configured[0]["sensor"] is None


def test_mode_of_the_sensor_can_be_named(world):
    camera = make_driver("camera", "picamera2", "front", {**SMALL, "sensor": [2304, 1296]})
    camera.start()
    camera.stop()
    assert world.configured[0]["sensor"] == {"output_size": (2304, 1296)}


def controls_with(world, **options):
    camera = make_driver("camera", "picamera2", "front", {**SMALL, **options})
    camera.start()
    camera.stop()
    return world.configured[-1]["controls"]


def test_lens_is_held_still_as_near_as_it_goes(world):
    found = controls_with(world)
    assert (found["AfMode"], found["LensPosition"]) == (0, 8.0)
    assert controls_with(world, lens_dioptres=20.0)["LensPosition"] == 15.0


def test_camera_that_focuses_by_itself_searches_near_and_fast(world):
    found = controls_with(world, focus="continuous")
    assert (found["AfMode"], found["AfRange"], found["AfSpeed"]) == (2, 1, 1)
    assert "LensPosition" not in found


def test_module_without_a_lens_drive_is_asked_for_no_focus_and_works(world):
    world.has_lens = False
    for focus in ("fixed", "continuous"):
        assert not {"AfMode", "AfRange", "AfSpeed", "LensPosition"} & set(controls_with(world, focus=focus))


def test_camera_spares_the_highlights_of_a_display_unless_told_otherwise(world):
    found = controls_with(world)
    assert (found["AeConstraintMode"], found["AeExposureMode"], found["AeMeteringMode"]) == (1, 1, 0)
    found = controls_with(world, spare_highlights=False, metering="spot")
    assert found["AeMeteringMode"] == 1
    assert not {"AeConstraintMode", "AeExposureMode"} & set(found)


@pytest.mark.parametrize(("wanted_us", "set_us"), [(4000, 4167), (1000, 4167), (9000, 8334), (66_000, 66_672)])
def test_fixed_exposure_is_whole_periods_of_the_light(world, wanted_us, set_us):
    found = controls_with(world, exposure_us=wanted_us, flicker_us=4167)
    assert (found["ExposureTimeMode"], found["ExposureTime"]) == (1, set_us)
    assert (found["AeFlickerMode"], found["AeFlickerPeriod"]) == (1, 4167)


def test_exposure_is_as_it_was_set_without_a_period(world):
    found = controls_with(world, exposure_us=4000)
    assert found["ExposureTime"] == 4000
    assert "AeFlickerMode" not in found


def test_setting_that_the_camera_lacks_is_said(world):
    world.has_lens = False
    camera = make_driver("camera", "picamera2", "front", {**SMALL, "gain": 2.0, "focus": "continuous"})
    camera.start()
    assert camera.health.detail == "imx708, 96 x 64, without gain, focus"
    camera.stop()


def test_frozen_camera_gives_none_in_time_and_frames_again_later(camera, world):
    camera.start()
    world.frozen = True
    begun = time.monotonic()
    assert camera.read(0.1) is None
    assert 0.05 < time.monotonic() - begun < 10.0
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
