from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from server_host import Host

from device.payment.views import Phase

PAYMENT = {"id": "R-1", "amount": {"minor": 1230, "currency": "CNY"}}


@contextlib.contextmanager
def views(client: httpx.Client, path: str) -> Iterator[Iterator[dict[str, Any]]]:
    def read(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
        event = ""
        for line in lines:
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "view":
                yield json.loads(value)

    with client.stream("GET", path) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield read(answer.iter_lines())


def test_cashier_sees_every_step_of_a_sale(host: Host) -> None:
    with host.page() as page, host.client(cookies=page.cookies) as other, views(page, "/cashier/events") as seen:
        assert next(seen)["sale"] is None
        sale = other.post("/cashier/sales", json=PAYMENT).json()["sale"]
        assert next(seen)["sale"]["phase"] == "gathering"
        host.do(lambda desk: desk.discount(sale, "满十减一", 100))
        discounted = next(seen)["sale"]
        assert (discounted["goods"]["decimal"], discounted["amount"]["decimal"]) == ("12.30", "11.30")
        host.do(lambda desk: desk.pay(sale))
        paid = next(seen)
        assert (paid["sale"]["phase"], paid["sale"]["payer"], paid["last"][0]["sale"]) == (
            "paid",
            "Tillwave ..4f2",
            sale,
        )


def test_display_sees_less(host: Host) -> None:
    with host.register() as register, host.client() as client, views(client, "/display/events") as seen:
        next(seen)
        sale = register.post("/register/payments", json=PAYMENT).json()["sale"]
        asked = next(seen)
        assert asked["sale"]["amount"]["decimal"] == "12.30"
        assert asked["sale"]["challenge"]
        host.do(lambda desk: desk.pay(sale))
        text = json.dumps(next(seen))
        assert "paid" in text
        for hidden in ("Tillwave ..4f2", "R-1", "register-1", host.desk.sales[sale].payment):
            assert hidden not in text


def test_display_shows_the_code_while_pairing_is_open(host: Host) -> None:
    with host.client() as client, views(client, "/display/events") as seen:
        assert next(seen)["code"] == ""
        code = host.open_pairing()
        opened = next(seen)
        assert opened["code"] == code
        assert 290_000 < opened["code_left_ms"] <= 300_000
        with host.client() as other:
            other.post("/register/pair", json={"code": code, "name": "register-1"})
        assert next(seen)["code"] == ""


def test_challenge_is_drawn_for_the_running_sale_only(host: Host) -> None:
    with host.register() as register, host.client() as client:
        sale = register.post("/register/payments", json=PAYMENT).json()["sale"]
        drawn = client.get("/display/challenge.svg", params={"sale": sale})
        assert drawn.status_code == 200
        assert drawn.headers["content-type"] == "image/svg+xml"
        assert drawn.text.startswith("<svg")
        assert client.get("/display/challenge.svg?sale=other").status_code == 404
        assert client.get("/display/challenge.svg").status_code == 404
        host.do(lambda desk: desk.change(sale, phase=Phase.AUTHORISING, challenge=""))
        assert client.get("/display/challenge.svg", params={"sale": sale}).status_code == 404


def test_a_quiet_stream_beats(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.server.live.HEARTBEAT_S", 0.1)
    with host.client() as client, client.stream("GET", "/display/events") as answer:
        lines = answer.iter_lines()
        seen = [next(lines) for _ in range(9)]
    assert ": beat" in seen
    assert "event: beat" in seen


def test_too_many_streams_are_refused(host: Host) -> None:
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(views(stack.enter_context(host.client()), "/display/events")) for _ in range(16)]
        assert all(next(stream) for stream in streams)
        with host.client() as one_more:
            assert one_more.get("/display/events").status_code == 503


def test_streams_that_end_leave_nothing_behind(host: Host) -> None:
    for _ in range(20):
        with host.client() as client, views(client, "/display/events") as seen:
            next(seen)
    with host.client() as client, views(client, "/display/events") as seen:
        next(seen)
        assert host.do(lambda desk: desk.listeners) <= 3
