"""What the bench holds before a simulated camera can be read by a real decoder."""

import threading
import time

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from simulated_rigs import SimulatedCameraRig

from device.drivers.errors import DeviceFailed, DeviceMissing
from device.drivers.registry import make_driver
from device.drivers.simulated.bench import Bench
from device.drivers.simulated.control import Refused
from device.ports import HealthState

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
on = pytest.mark.parametrize


@pytest.fixture
def rig(request, tmp_path):
    rig = request.param(tmp_path)
    rig.subject.start()
    yield rig
    rig.close()


@pytest.fixture
def camera(tmp_path):
    options = {"bench": str(tmp_path), "frames_per_second": 50.0}
    camera = make_driver("camera", "simulated", "front", options)
    camera.start()
    yield camera
    camera.stop()


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path, patience_s=0.5)


def read_codes(camera, frames=1) -> list[bytes]:
    codes = []
    for _ in range(frames):
        codes += [code.bytes for code in zxingcpp.read_barcodes(camera.read(1.0))]
    return codes


@on(
    "how",
    [{}, {"tilt_degrees": 40, "nod_degrees": -20, "turn_degrees": 130, "noise": 15.0, "blur": 1.0}, {"size": 0.3}],
)
def test_qr_code_before_the_camera_can_be_read(camera, bench, how):
    assert read_codes(camera) == []
    bench.show_qr(TOKEN, **how)
    assert read_codes(camera, 3) == [TOKEN.encode()] * 3


def test_qr_code_of_bytes_keeps_its_bytes(camera, bench):
    raw = bytes([0x00, 0xFF, 0x80, 0x1D, *range(20)])
    bench.show_qr(raw)
    assert read_codes(camera) == [raw]


def test_every_frame_has_other_noise(camera, bench):
    bench.show_qr(TOKEN)
    assert not np.array_equal(camera.read(1.0), camera.read(1.0))


def test_code_is_shown_for_so_many_frames(camera, bench):
    bench.show_qr(TOKEN, frames=2)
    assert read_codes(camera, 4) == [TOKEN.encode()] * 2


def test_code_is_shown_for_so_long(camera, bench):
    bench.show_qr(TOKEN, seconds=0.1)
    assert read_codes(camera) == [TOKEN.encode()]
    time.sleep(0.1)
    assert read_codes(camera) == []


def test_view_is_cleared(camera, bench):
    bench.show_qr(TOKEN)
    bench.clear_view()
    assert read_codes(camera) == []


def test_picture_of_a_file_and_of_an_array(camera, bench, tmp_path):
    code = zxingcpp.create_barcode("6901234567892", zxingcpp.BarcodeFormat.EAN13)
    gray = np.array(zxingcpp.write_barcode_to_image(code, scale=4, add_quiet_zones=True))
    Image.fromarray(gray).save(tmp_path / "goods.png")
    bench.show_picture(tmp_path / "goods.png", size=0.5)
    assert read_codes(camera) == [b"6901234567892"]
    bench.clear_view()
    bench.show_picture(gray, size=0.5, tilt_degrees=20)
    assert read_codes(camera) == [b"6901234567892"]


def test_camera_keeps_its_pace(camera):
    camera.read(1.0)
    begun = time.monotonic()
    for _ in range(10):
        assert camera.read(1.0) is not None
    assert 0.15 < time.monotonic() - begun < 30.0


def test_frame_that_is_not_due_is_not_waited_for(tmp_path):
    slow = make_driver("camera", "simulated", "slow", {"bench": str(tmp_path), "frames_per_second": 0.1})
    slow.start()
    assert slow.read(1.0) is not None
    assert slow.read(0.001) is None
    slow.stop()


def test_frozen_camera_gives_neither_frame_nor_error_until_a_new_start(camera, bench):
    bench.break_device("camera", "front", "freeze")
    assert camera.read(0.1) is None
    assert camera.health.state is HealthState.WORKING
    camera.stop()
    camera.start()
    assert camera.read(1.0) is not None


def test_hanging_camera_keeps_its_reader_until_it_is_stopped(camera, bench):
    bench.break_device("camera", "front", "hang")
    reader = threading.Thread(target=camera.read, args=(0.05,))
    reader.start()
    reader.join(0.3)
    assert reader.is_alive()
    camera.stop()
    reader.join(1.0)
    assert not reader.is_alive()


def test_busy_camera_is_missing_until_it_is_free(camera, bench):
    bench.break_device("camera", "front", "busy")
    with pytest.raises(DeviceMissing, match="another process"):
        camera.read(0.05)
    assert camera.health.state is HealthState.MISSING
    bench.mend_device("camera", "front")
    assert camera.read(1.0) is not None


def test_camera_without_memory_does_not_start(camera, bench):
    camera.stop()
    bench.break_device("camera", "front", "no-memory")
    with pytest.raises(DeviceFailed, match="no contiguous memory"):
        camera.start()
    assert camera.health.state is HealthState.FAILED
    bench.mend_device("camera", "front")
    camera.start()
    assert camera.read(1.0) is not None


@on("rig", [SimulatedCameraRig], indirect=True)
@on(
    ("content", "how", "text"),
    [
        ("x" * 5000, {}, "no QR code holds that"),
        (TOKEN, {"tilt_degrees": 89}, "tilt_degrees"),
        (TOKEN, {"size": 0}, "size"),
        (TOKEN, {"frames": -1}, "frames"),
    ],
)
def test_view_that_cannot_be_shown_is_refused(rig, content, how, text):
    with pytest.raises(Refused, match=text):
        rig.bench.show_qr(content, camera="rig", **how)
    assert rig.deliver()


@on("rig", [SimulatedCameraRig], indirect=True)
def test_file_that_is_no_picture_is_refused(rig, tmp_path):
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(Refused, match="not a picture"):
        rig.bench.show_picture(tmp_path / "no.png", camera="rig")
