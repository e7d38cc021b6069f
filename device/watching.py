"""The camera section of the technician's page: what each camera sees now, and why a code is not read.

Nothing is made while nobody looks. No payload is among it, and places that look like codes are too coarse to be read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from device.decode.camera_process import CameraProcess
from device.sight import LiveView, Mark

_WIDTH: Final = 640
_LOOK_EVERY_S: Final = 1.0
_OLD_MS: Final = 3000
"""A picture older than this is not shown any more: the camera hangs, or is gone."""


class CameraSection:
    """Pictures, marks and figures of all cameras, only while a page looks. Called on the event loop."""

    name = "camera"

    def __init__(self, cameras: Sequence[CameraProcess]) -> None:
        self._cameras = {camera.name: camera for camera in cameras}
        self._views: dict[str, LiveView] = {}
        self._keeping = threading.Lock()
        self._pages = 0
        self._looked_s = 0.0

    def watched(self) -> AbstractContextManager[None]:
        """Let the cameras show pictures while one page looks."""
        return self._looking()

    def figures(self) -> dict[str, Any]:
        """Show how each camera stands, and what the decoder made of its last picture."""
        now = time.monotonic()
        if now - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now
            for camera in self._cameras.values():
                camera.look(_WIDTH)
        return {"cameras": [self._camera(camera) for camera in self._cameras.values()]}

    def routes(self) -> Sequence[Route]:
        """Give the address of a camera's picture."""
        return (Route("/{camera}.jpg", self._picture),)

    @contextmanager
    def _looking(self) -> Iterator[None]:
        self._pages += 1
        if self._pages == 1:
            for camera in self._cameras.values():
                camera.show_to(self._take)
        try:
            yield
        finally:
            self._pages -= 1
            if not self._pages:
                self._end()

    def _end(self) -> None:
        for camera in self._cameras.values():
            camera.show_to(None)
        self._looked_s = 0.0
        with self._keeping:
            self._views.clear()

    def _take(self, view: LiveView) -> None:
        """Keep the newest picture of a camera; called from the camera's thread."""
        with self._keeping:
            if self._pages:
                self._views[view.device] = view

    def _view(self, name: str) -> LiveView | None:
        view = self._views.get(name)
        return view if view is not None and time.monotonic_ns() // 1_000_000 - view.at_ms <= _OLD_MS else None

    def _camera(self, camera: CameraProcess) -> dict[str, Any]:
        view = self._view(camera.name)
        return {"name": camera.name, "state": camera.health.state.value, "view": _view_json(view) if view else None}

    async def _picture(self, request: Request) -> Response:
        view = self._view(request.path_params["camera"])
        if view is None:
            return Response(status_code=404)
        return Response(view.jpeg, media_type="image/jpeg")


def _view_json(view: LiveView) -> dict[str, Any]:
    figures = view.figures
    return {
        "picture": view.at_ms,
        "width": view.width,
        "height": view.height,
        "marks": [_mark_json(mark) for mark in view.marks],
        "brightness": figures.brightness,
        "burnt_out": figures.burnt_out,
        "dark": figures.dark,
        "frames_per_second": figures.frames_per_second,
        "picture_ms": figures.picture_ms,
    }


def _mark_json(mark: Mark) -> dict[str, Any]:
    place = mark.place
    return {
        "place": [place.left, place.top, place.right, place.bottom],
        "symbology": mark.symbology,
        "length": mark.length,
        "hint": mark.hint.value if mark.hint else "",
        "looks": mark.looks,
        "spent_ms": round(mark.spent_ms),
    }
