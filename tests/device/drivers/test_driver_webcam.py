"""Webcams and picture files, as far as a machine without a camera can show them."""

import ctypes
import errno
import io
import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.drivers import v4l2_controls, v4l2_structures
from device.drivers.errors import DeviceMissing
from device.drivers.registry import make_driver
from device.drivers.v4l2 import Picture
from device.drivers.v4l2_controls import Control, QueryControl, Settings, StreamParameters, apply
from device.drivers.webcam import WebcamOptions, luma
from device.ports import HealthState

HEIGHT, WIDTH = 12, 16
GRAY = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH)


def padded(rows: np.ndarray, stride: int) -> bytes:
    whole = np.full((HEIGHT, stride), 77, np.uint8)
    whole[:, : rows.shape[1]] = rows
    return whole.tobytes()


def yuyv() -> np.ndarray:
    rows = np.full((HEIGHT, 2 * WIDTH), 128, np.uint8)
    rows[:, ::2] = GRAY
    return rows


@pytest.mark.parametrize(
    ("pixel_format", "stride", "data"),
    [
        ("GREY", WIDTH, GRAY.tobytes()),
        ("GREY", 32, padded(GRAY, 32)),
        ("GREY", 0, GRAY.tobytes()),
        ("YUYV", 2 * WIDTH, yuyv().tobytes()),
        ("YUYV", 64, padded(yuyv(), 64)),
        ("NV12", WIDTH, GRAY.tobytes() + bytes(HEIGHT * WIDTH // 2)),
        ("YU12", 32, padded(GRAY, 32) + bytes(HEIGHT * 16)),
    ],
)
def test_luma_is_cut_out_of_every_format(pixel_format, stride, data):
    frame = luma(data, Picture(WIDTH, HEIGHT, pixel_format, stride))
    assert np.array_equal(frame, GRAY)
    assert frame.flags.c_contiguous


def test_motion_jpeg_is_decoded():
    file = io.BytesIO()
    Image.new("L", (WIDTH, HEIGHT), 90).save(file, "JPEG")
    frame = luma(file.getvalue(), Picture(WIDTH, HEIGHT, "MJPG", 0))
    assert frame.shape == (HEIGHT, WIDTH)
    assert abs(int(frame.mean()) - 90) < 3


@pytest.mark.parametrize("pixel_format", ["GREY", "YUYV", "MJPG"])
def test_frame_that_is_not_whole_is_left_out(pixel_format):
    assert luma(b"\xff\xd8 torn", Picture(WIDTH, HEIGHT, pixel_format, 0)) is None


def test_frame_whose_torn_head_claims_a_giant_picture_is_left_out():
    file = io.BytesIO()
    Image.new("L", (WIDTH, HEIGHT), 90).save(file, "JPEG")
    giant = bytearray(file.getvalue())
    size = giant.find(b"\xff\xc0") + 5
    giant[size : size + 4] = b"\xff\xdc\xff\xdc"
    assert luma(bytes(giant), Picture(WIDTH, HEIGHT, "MJPG", 0)) is None


def test_structures_and_requests_are_those_of_the_kernel(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None or not Path("/usr/include/linux/videodev2.h").exists():
        pytest.skip("there is no C compiler with the kernel's headers")
    streaming = ["QUERYCAP", "S_FMT", "TRY_FMT", "REQBUFS", "QUERYBUF", "QBUF", "DQBUF", "STREAMON", "STREAMOFF"]
    setting = ["QUERYCTRL", "S_CTRL", "G_PARM", "S_PARM"]
    controls = ["EXPOSURE_AUTO", "EXPOSURE_ABSOLUTE", "EXPOSURE_AUTO_PRIORITY", "AUTOGAIN", "GAIN"]
    controls += ["POWER_LINE_FREQUENCY", "FOCUS_ABSOLUTE", "FOCUS_AUTO"]
    lines = "".join(f'printf("%lu\\n", (unsigned long)VIDIOC_{name});' for name in streaming + setting)
    lines += "".join(f'printf("%lu\\n", (unsigned long)V4L2_CID_{name});' for name in controls)
    fields = {name: getattr(v4l2_structures.Buffer, name).offset for name in ("timestamp", "m", "length")}
    offsets = "".join(f'printf("%zu\\n", offsetof(struct v4l2_buffer, {name}));' for name in fields)
    source = tmp_path / "sizes.c"
    source.write_text(
        "#include <linux/videodev2.h>\n#include <stddef.h>\n#include <stdio.h>\n"
        f'int main(void) {{ {lines} {offsets} printf("%zu\\n", offsetof(struct v4l2_format, fmt)); return 0; }}\n'
    )
    subprocess.run([compiler, "-o", tmp_path / "sizes", source], check=True)
    printed = subprocess.run([tmp_path / "sizes"], capture_output=True, text=True, check=True).stdout.split()
    ours = [getattr(v4l2_structures, name) for name in streaming]
    ours += [getattr(v4l2_controls, name) for name in setting + controls]
    ours += [*fields.values(), v4l2_structures.Format.fmt.offset]
    assert [int(value) for value in printed] == ours
    assert ctypes.sizeof(v4l2_structures.Capability) == 104


class Kernel:
    """A camera's driver in the kernel: some controls with their bounds, and what was set."""

    def __init__(
        self, bounds: dict[int, tuple[int, int]], *, paces: bool = True, refused: int = 0, by: int = 0
    ) -> None:
        self.bounds = bounds
        self.paces = paces
        self.refused = refused
        self.refusal = by
        self.done: list[tuple[int, int]] = []
        self.pace: float | None = None

    def __call__(self, request: int, argument: ctypes.Structure) -> None:
        match argument:
            case QueryControl():
                if argument.id not in self.bounds:
                    raise OSError(errno.EINVAL, "Invalid argument")
                argument.minimum, argument.maximum = self.bounds[argument.id]
            case Control():
                if argument.id == self.refused:
                    raise OSError(self.refusal, os.strerror(self.refusal))
                self.done.append((argument.id, argument.value))
            case StreamParameters() if request == v4l2_controls.G_PARM:
                argument.parm.capture.capability = 0x1000 if self.paces else 0
            case StreamParameters():
                self.pace = argument.parm.capture.denominator / argument.parm.capture.numerator


ALL_CONTROLS = {
    v4l2_controls.EXPOSURE_AUTO: (0, 3),
    v4l2_controls.EXPOSURE_ABSOLUTE: (3, 2047),
    v4l2_controls.EXPOSURE_AUTO_PRIORITY: (0, 1),
    v4l2_controls.GAIN: (0, 255),
    v4l2_controls.FOCUS_ABSOLUTE: (0, 250),
    v4l2_controls.FOCUS_AUTO: (0, 1),
    v4l2_controls.POWER_LINE_FREQUENCY: (0, 2),
}


def test_fixed_exposure_and_focus_switch_the_automatic_ones_off_before():
    kernel = Kernel(ALL_CONTROLS)
    assert apply(Settings(15.0, 4200, 300, 100, 50), kernel) == []
    assert kernel.pace == 15.0
    assert kernel.done == [
        (v4l2_controls.EXPOSURE_AUTO, 1),
        (v4l2_controls.EXPOSURE_AUTO_PRIORITY, 0),
        (v4l2_controls.EXPOSURE_ABSOLUTE, 42),
        (v4l2_controls.GAIN, 255),
        (v4l2_controls.FOCUS_AUTO, 0),
        (v4l2_controls.FOCUS_ABSOLUTE, 100),
        (v4l2_controls.POWER_LINE_FREQUENCY, 1),
    ]


def test_camera_without_controls_is_left_as_it_is_and_what_it_lacks_is_named():
    kernel = Kernel({}, paces=False)
    assert apply(Settings(), kernel) == []
    assert apply(Settings(15.0, 4200, 1, 1, 60), kernel) == [
        "frames_per_second",
        "exposure_us",
        "gain",
        "focus_position",
        "mains_hz",
    ]
    assert kernel.done == []


@pytest.mark.parametrize("by", [errno.EIO, errno.EACCES, errno.ERANGE])
def test_control_that_is_offered_and_refused_is_named(by):
    kernel = Kernel(ALL_CONTROLS, refused=v4l2_controls.EXPOSURE_ABSOLUTE, by=by)
    assert apply(Settings(exposure_us=4200, gain=7), kernel) == ["exposure_us"]
    assert (v4l2_controls.GAIN, 7) in kernel.done


def test_camera_that_goes_while_it_is_set_is_an_error():
    with pytest.raises(OSError, match="No such device"):
        apply(Settings(gain=7), Kernel(ALL_CONTROLS, refused=v4l2_controls.GAIN, by=errno.ENODEV))


def test_exposure_of_a_webcam_is_whole_periods_of_the_light():
    assert WebcamOptions(exposure_us=4000, flicker_us=4167).settings().exposure_us == 4167
    assert WebcamOptions(exposure_us=4000).settings().exposure_us == 4000


def test_webcam_that_is_not_there_is_missing(tmp_path):
    camera = make_driver("camera", "webcam", "front", {"path": str(tmp_path / "video0")})
    camera.start()
    assert camera.health.state is HealthState.MISSING
    begun = time.monotonic()
    with pytest.raises(DeviceMissing, match="No such file"):
        camera.read(0.1)
    assert time.monotonic() - begun >= 0.1
    camera.stop()


def test_what_is_no_camera_is_told(tmp_path):
    camera = make_driver("camera", "webcam", "front", {"path": "/dev/null"})
    camera.start()
    assert camera.health.state is HealthState.FAILED
    assert "/dev/null does not work as a camera" in camera.health.detail
    camera.stop()


def pictures(folder: Path, *shades: int) -> None:
    for shade in shades:
        Image.new("L", (32, 24), shade).save(folder / f"{shade:03}.png")


def test_files_are_shown_in_order_and_again(tmp_path):
    pictures(tmp_path, 30, 10, 20)
    camera = make_driver("camera", "files", "front", {"folder": str(tmp_path), "frames_per_second": 100.0})
    camera.start()
    assert [int(camera.read(1.0)[0, 0]) for _ in range(5)] == [10, 20, 30, 10, 20]
    camera.stop()


def test_files_are_shown_once_and_new_ones_too(tmp_path):
    pictures(tmp_path, 10, 20)
    options = {"folder": str(tmp_path), "frames_per_second": 100.0, "repeat": False}
    camera = make_driver("camera", "files", "front", options)
    camera.start()
    assert [int(camera.read(1.0)[0, 0]) for _ in range(2)] == [10, 20]
    assert camera.read(0.05) is None
    pictures(tmp_path, 30)
    assert int(camera.read(1.0)[0, 0]) == 30
    camera.stop()


def test_file_that_is_no_picture_is_told_and_left_out(tmp_path):
    (tmp_path / "000.png").write_bytes(b"no picture")
    pictures(tmp_path, 90)
    camera = make_driver("camera", "files", "front", {"folder": str(tmp_path), "frames_per_second": 100.0})
    camera.start()
    assert camera.read(1.0) is None
    assert "000.png is no picture" in camera.health.detail
    assert int(camera.read(1.0)[0, 0]) == 90
    camera.stop()
