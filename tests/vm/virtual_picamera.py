"""The driver of the Pi's camera, on libcamera's virtual pipeline: one camera that shows a picture for ever.

Only what that pipeline lacks is put in between: it has no raw stream, its NV12 frames need two planes, and it does not
pose as the Pi's own camera. The driver, picamera2 and libcamera are the real ones.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import libcamera
import picamera2
from picamera2.allocators import DmaAllocator

from device.drivers.picamera import PiCamera

SETTINGS = Path("/usr/share/libcamera/pipeline/virtual/virtual.yaml")
PICTURE = Path("/run/picture.jpg")
SIZES = ((1280, 720), (640, 360))


class VirtualPiCamera(PiCamera):
    """A virtual camera in place of the Pi's."""

    def _library(self) -> Any:
        return SimpleNamespace(Picamera2=VirtualPicamera2, MappedArray=picamera2.MappedArray)


class VirtualPicamera2(picamera2.Picamera2):
    """picamera2 with what the virtual pipeline lacks."""

    def __init__(self, camera_num: int = 0) -> None:
        super().__init__(camera_num, allocator=TwoPlaneAllocator())

    @property
    def camera_properties(self) -> dict[str, Any]:
        return super().camera_properties | {"ColorFilterArrangement": 0}

    def _is_rpi_camera(self) -> bool:
        return False

    def _get_raw_modes(self) -> list[dict[str, Any]]:
        view = self.camera.generate_configuration([libcamera.StreamRole.Viewfinder]).at(0)
        return [{"format": str(view.pixel_format), "size": (view.size.width, view.size.height)}]


class TwoPlaneAllocator(DmaAllocator):
    """One piece of memory a frame, described as a luma and a chroma plane."""

    def allocate(self, libcamera_config: Any, _: object) -> None:
        self.libcamera_fds = []
        self.cleanup()
        for descriptor in self.open_fds:
            os.close(descriptor)
        self.frame_buffers, self.open_fds = {}, []
        for stream in libcamera_config:
            self.frame_buffers[stream.stream] = [self._frame(stream, number) for number in range(stream.buffer_count)]

    def _frame(self, stream: Any, number: int) -> Any:
        luma = stream.stride * stream.size.height
        descriptor = self.dmaHeap.alloc(f"virtual{number}", stream.frame_size).get()
        self.open_fds.append(descriptor)
        frame = libcamera.FrameBuffer([_plane(descriptor, 0, luma), _plane(descriptor, luma, stream.frame_size - luma)])
        # libcamera keeps a duplicate of the descriptor, and picamera2 looks frames up by that one.
        kept = frame.planes[0].fd
        self.libcamera_fds.append(kept)
        self.mapped_buffers_used[kept] = False
        self.mapped_buffers[frame] = mmap.mmap(kept, stream.frame_size)
        return frame


def _plane(descriptor: int, offset: int, length: int) -> Any:
    plane = libcamera.FrameBuffer.Plane()
    plane.fd, plane.offset, plane.length = descriptor, offset, length
    return plane


def write_settings() -> None:
    """Tell libcamera of one camera that shows PICTURE."""
    lines = ['"Virtual0":', "  supported_formats:"]
    for width, height in SIZES:
        lines += [f"  - width: {width}", f"    height: {height}", "    frame_rates:", "    - 15", "    - 30"]
    lines += ["  frames:", f'    path: "{PICTURE}"', '  location: "CameraLocationFront"', '  model: "Virtual camera"']
    SETTINGS.parent.mkdir(parents=True, exist_ok=True)
    SETTINGS.write_text("\n".join(lines) + "\n")
