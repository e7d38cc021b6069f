from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from server_host import Host
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from device.ports import Health, HealthState
from device.server.sections import Fitted


class Counting:
    """A section that counts how often it was asked, and who looks."""

    name = "counting"

    def __init__(self) -> None:
        self.looking = 0
        self.asked = 0
        self.nobody_looks = threading.Event()

    def watched(self) -> AbstractContextManager[None]:
        return self._looked_at()

    @contextmanager
    def _looked_at(self) -> Iterator[None]:
        self.looking += 1
        try:
            yield
        finally:
            self.looking -= 1
            self.nobody_looks.set()

    def figures(self) -> dict[str, Any]:
        assert self.looking
        self.asked += 1
        return {"asked": self.asked}

    def routes(self) -> Sequence[Route]:
        async def picture(request: Request) -> Response:
            return Response(request.path_params["which"], media_type="image/jpeg")

        return [Route("/pictures/{which}", picture)]


@pytest.fixture
def section() -> Counting:
    return Counting()


@pytest.fixture
def host(tmp_path: Path, section: Counting) -> Iterator[Host]:
    fitted = (Fitted("camera", "camera", "picamera2"), Fitted("mouth", "speaker", "sounddevice"))
    with Host(tmp_path, fitted=fitted, sections=(section,)) as running:
        yield running


def read(client: httpx.Client, enough: Callable[[str, Any], bool]) -> Any:
    """Read events until one is enough, and give its data."""
    event = ""
    with client.stream("GET", "/technician/events") as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "data" and enough(event, json.loads(value)):
                return json.loads(value)
    raise AssertionError("the stream has ended")


def test_a_stranger_sees_the_form_for_the_code_and_nothing_else(host: Host) -> None:
    with host.client() as stranger, host.page() as cashier, host.register() as register:
        for client in (stranger, cashier, register):
            assert "pair.js" in client.get("/technician").text
            assert 'data-side="technician"' in client.get("/technician").text
            for path in ("/technician/state", "/technician/events", "/technician/counting/pictures/x"):
                assert client.get(path).status_code == 401


def test_the_cookie_of_a_cashier_or_a_register_is_no_technicians(host: Host) -> None:
    with host.page() as cashier, host.register() as register, host.client() as client:
        keys = (*cashier.cookies.values(), register.headers["authorization"].removeprefix("Bearer "))
        for key in keys:
            for name in ("tillwave-till-1", "tillwave-technician-till-1"):
                assert client.get("/technician/state", headers={"cookie": f"{name}={key}"}).status_code == 401


def test_the_cookie_of_a_technician_opens_nothing_at_the_counter(host: Host) -> None:
    with host.technician() as technician, host.client() as client:
        (key,) = technician.cookies.values()
        assert client.get("/cashier/state", headers={"cookie": f"tillwave-till-1={key}"}).status_code == 401
        assert client.get("/register/status", headers={"authorization": f"Bearer {key}"}).status_code == 401


def test_technicians_cookie_is_kept_from_scripts_and_from_other_paths(host: Host) -> None:
    with host.client() as client:
        cookie = client.post("/technician/pair", json={"code": host.open_pairing()}).headers["set-cookie"]
    assert {"HttpOnly", "Path=/technician", "SameSite=strict", "Max-Age=28800"} <= set(cookie.split("; "))


def test_technician_sees_every_device_of_the_settings(host: Host) -> None:
    with host.technician() as technician:
        state = technician.get("/technician/state").json()
        assert state["devices"] == [
            {"name": "camera", "kind": "camera", "driver": "picamera2", "state": "working", "detail": ""},
            {"name": "mouth", "kind": "speaker", "driver": "sounddevice", "state": "starting", "detail": ""},
            {"name": "printer", "kind": "", "driver": "", "state": "missing", "detail": "no paper path"},
        ]
        assert (state["in_service"], state["queue"], state["sections"]) == (True, 0, ["counting"])
        assert 0 <= state["now_ms"] - state["began_ms"] < 3_600_000
        assert "technician.js" in technician.get("/technician").text


def test_technician_sees_a_device_go(host: Host) -> None:
    def goes(event: str, data: Any) -> bool:
        if event == "view" and data["devices"][0]["state"] == "working":
            host.do(lambda desk: desk.change_counter(devices=(("camera", Health(HealthState.MISSING, "unplugged")),)))
        return event == "view" and data["devices"][0]["state"] == "missing"

    with host.technician() as technician:
        assert read(technician, goes)["devices"][0]["detail"] == "unplugged"


def test_a_section_works_only_while_a_page_looks(host: Host, section: Counting) -> None:
    assert (section.looking, section.asked) == (0, 0)
    with host.technician() as technician:
        figures = read(technician, lambda event, data: event == "figures" and data["counting"]["asked"] >= 3)
        assert figures["counting"]["asked"] >= 3
    assert section.nobody_looks.wait(10)
    assert section.looking == 0


def test_a_section_brings_its_pictures(host: Host) -> None:
    with host.technician() as technician:
        answer = technician.get("/technician/counting/pictures/front")
        assert (answer.status_code, answer.text, answer.headers["cache-control"]) == (200, "front", "no-store")


def test_page_of_another_origin_may_not_look(host: Host) -> None:
    with host.technician() as technician:
        for path in ("/technician/state", "/technician/counting/pictures/x"):
            assert technician.get(path, headers={"sec-fetch-site": "cross-site"}).status_code == 403
