"""The shopper's display, under /display: open to everyone who can reach the terminal, so it shows nothing secret."""

from __future__ import annotations

import io
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from device.guide import Guide
from device.payment.views import Desk
from device.ports import Clock
from device.server.files import PageFiles
from device.server.guard import is_local
from device.server.live import Live
from device.server.pairing import Pairing
from device.server.problems import Refusal
from device.server.sections import Fitted
from device.server.shown import display_json


class DisplaySide:
    """Answers the display."""

    def __init__(
        self,
        desk: Desk,
        pairing: Pairing,
        live: Live,
        *,
        guide: Guide,
        files: PageFiles,
        clock: Clock,
        fitted: Sequence[Fitted] = (),
    ) -> None:
        self._desk = desk
        self._pairing = pairing
        self._live = live
        self._guide = guide
        self._files = files
        self._clock = clock
        self._hears = any(device.kind == "microphone" for device in fitted)
        self._drawn = ("", b"")

    def routes(self) -> list[BaseRoute]:
        """Give the addresses of the display."""
        return [
            Route("/display", self._page),
            Route("/display/events", self._events),
            Route("/display/challenge.svg", self._challenge),
        ]

    async def _page(self, _request: Request) -> Response:
        return self._files.page("display.html", self._desk.view().terminal)

    async def _events(self, request: Request) -> Response:
        """Stream the reduced view; the pairing code only to the display of this machine, not to the network."""
        is_here = is_local(request.scope)
        return self._live.stream(
            lambda view: display_json(
                view,
                self._clock.wall().ms,
                *((self._pairing.code, self._pairing.left_ms) if is_here else ("", 0)),
                hears=self._hears,
                guidance=self._guide.shown,
            )
        )

    async def _challenge(self, request: Request) -> Response:
        """Draw the dynamic QR of the running sale."""
        sale = self._desk.view().sale
        if sale is None or not sale.challenge or sale.sale != request.query_params.get("sale"):
            raise Refusal(404, "not-found", "this sale shows no code now")
        if self._drawn[0] != sale.challenge:
            self._drawn = (sale.challenge, _draw_code(sale.challenge))
        return Response(self._drawn[1], media_type="image/svg+xml")


def _draw_code(text: str) -> bytes:
    """Draw a QR code of level M with its quiet zone, as SVG."""
    import segno  # noqa: PLC0415 - only a terminal with a display draws

    picture = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        picture, kind="svg", border=4, dark="#0b1214", light="#ffffff", xmldecl=False, svgns=True, omitsize=True
    )
    return picture.getvalue()
