"""The technician's page, under /technician: every device, and what each section shows live.

A pairing of its own opens it, for as long as a visit lasts, on the terminal's own machine too: the shopper's display is
there, and a section may show more than a shopper should see.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from device.payment.views import CounterView, Desk
from device.ports import Clock
from device.server.door import PageDoor
from device.server.files import PageFiles
from device.server.live import Live
from device.server.sections import Fitted, Section
from device.server.shown import Json, service_json


class TechnicianSide:
    """Answers the technician's page, which changes nothing."""

    def __init__(
        self,
        desk: Desk,
        door: PageDoor,
        live: Live,
        *,
        files: PageFiles,
        clock: Clock,
        fitted: Sequence[Fitted] = (),
        sections: Sequence[Section] = (),
    ) -> None:
        self._desk = desk
        self._door = door
        self._live = live
        self._files = files
        self._clock = clock
        self._fitted = {device.name: device for device in fitted}
        self._sections = tuple(sections)
        self._began_ms = clock.monotonic_ms()

    def routes(self) -> list[BaseRoute]:
        """Give the addresses of the page."""
        return [
            Route("/technician", self._page),
            Route("/technician/pair", self._door.pair, methods=["POST"]),
            Route("/technician/state", self._state),
            Route("/technician/events", self._events),
            *(self._guarded(section.name, route) for section in self._sections for route in section.routes()),
        ]

    async def _page(self, request: Request) -> Response:
        if self._door.is_open(request):
            return self._files.page("technician.html", self._desk.view().terminal)
        return self._files.page("pair.html", self._desk.view().terminal, side="technician")

    async def _state(self, request: Request) -> JSONResponse:
        self._door.refuse_strangers(request)
        return JSONResponse(self._shown(self._desk.view()))

    async def _events(self, request: Request) -> Response:
        self._door.refuse_strangers(request)
        return self._live.stream(self._shown, self._sections)

    def _guarded(self, name: str, route: Route) -> Route:
        async def answer(request: Request) -> Response:
            self._door.refuse_strangers(request)
            response: Response = await route.endpoint(request)
            return response

        return Route(f"/technician/{name}{route.path}", answer)

    def _shown(self, view: CounterView) -> Json:
        wall = self._clock.wall()
        return {
            **service_json(view),
            "devices": self._devices(view),
            "sections": [section.name for section in self._sections],
            "version": version("tillwave"),
            "began_ms": wall.ms - (self._clock.monotonic_ms() - self._began_ms),
            "now_ms": wall.ms,
            "time_quality": wall.quality.name.lower().replace("_", "-"),
        }

    def _devices(self, view: CounterView) -> list[Json]:
        """Show the devices of the settings in their order, also those that have not said anything yet."""
        healths = dict(view.devices)
        names = [*self._fitted, *(name for name in healths if name not in self._fitted)]
        return [
            {
                "name": name,
                "kind": self._fitted[name].kind if name in self._fitted else "",
                "driver": self._fitted[name].driver if name in self._fitted else "",
                "state": healths[name].state.value if name in healths else "starting",
                "detail": healths[name].detail if name in healths else "",
            }
            for name in names
        ]
