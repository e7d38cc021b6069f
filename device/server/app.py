"""Joins the sides of the local server into one application."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from device.guide import Guide
from device.payment.errors import CounterProblem
from device.payment.views import Desk
from device.ports import Clock, SystemClock
from device.server.cashier import CashierSide
from device.server.desk_calls import DeskCalls
from device.server.display import DisplaySide
from device.server.door import PageDoor
from device.server.files import PageFiles
from device.server.guard import Guard
from device.server.limiter import Limiter
from device.server.live import Live
from device.server.local import LocalSide
from device.server.pairing import Pairing, PairingClosed, WrongCode
from device.server.problems import Refusal, answer_http, answer_refusal
from device.server.register import NexoIntroduction, RegisterSide
from device.server.sections import Fitted, Section
from device.server.settings import ServerSettings
from device.server.technician import TechnicianSide

_WRONG_BADGES_A_MINUTE = 5
_STREAMS = frozenset({"/cashier/events", "/display/events", "/technician/events"})
_ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - these name no machine


def make_app(
    desk: Desk,
    pairing: Pairing,
    settings: ServerSettings,
    clock: Clock | None = None,
    *,
    fitted: Sequence[Fitted] = (),
    sections: Sequence[Section] = (),
    guide: Guide | None = None,
    introduce_nexo: NexoIntroduction | None = None,
) -> Starlette:
    """Make the application of one terminal; `app.state.live.close()` ends everything that waits.

    `fitted` are the devices of the settings, `sections` what the technician's page shows of them, `guide` is what the
    cameras say to the shopper, `introduce_nexo` what a register gets at pairing if it wants to speak nexo.
    """
    clock = clock or SystemClock()
    guide = guide or Guide()
    live = Live(desk, pairing, guide)
    files = PageFiles(settings)
    calls = DeskCalls(desk, Limiter(clock, _WRONG_BADGES_A_MINUTE))
    app = Starlette(
        routes=[
            Route("/", _go_to_cashier),
            *RegisterSide(desk, calls, pairing, live, introduce_nexo).routes(),
            *CashierSide(
                desk, calls, PageDoor("cashier", desk, pairing), live, guide=guide, files=files, clock=clock
            ).routes(),
            *DisplaySide(desk, pairing, live, guide=guide, files=files, clock=clock, fitted=fitted).routes(),
            *TechnicianSide(
                desk,
                PageDoor("technician", desk, pairing),
                live,
                files=files,
                clock=clock,
                fitted=fitted,
                sections=sections,
            ).routes(),
            *LocalSide(desk, pairing, clock).routes(),
            *files.routes(),
        ],
        middleware=[Middleware(Guard, names=_names(settings), streams=_STREAMS)],
        exception_handlers={
            Refusal: answer_refusal,
            CounterProblem: answer_refusal,
            PairingClosed: answer_refusal,
            WrongCode: answer_refusal,
            HTTPException: answer_http,
        },
    )
    app.router.redirect_slashes = False
    app.state.live = live
    return app


async def _go_to_cashier(_request: Request) -> RedirectResponse:
    return RedirectResponse("/cashier")


def _names(settings: ServerSettings) -> tuple[str, ...]:
    return settings.names if settings.host in _ANY_ADDRESS else (settings.host, *settings.names)
