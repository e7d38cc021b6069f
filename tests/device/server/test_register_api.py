from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from memory_desk import SUPERVISOR
from server_host import Host

from device.payment.views import Phase

YUAN = {"minor": 1230, "currency": "CNY"}


def pay(client: httpx.Client, own_id: str = "R-1", **more: object) -> httpx.Response:
    return client.post("/register/payments", json={"id": own_id, "amount": YUAN, **more})


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["reason"])


def test_a_payment_is_asked_for_paid_and_read(host: Host) -> None:
    with host.register() as client:
        begun = pay(client)
        assert begun.status_code == 201
        assert begun.json()["phase"] == "gathering"
        assert begun.json()["amount"] == {"minor": 1230, "currency": "CNY", "decimal": "12.30"}
        host.do(lambda desk: desk.pay(begun.json()["sale"]))
        paid = client.get("/register/payments/R-1").json()
        assert (paid["phase"], paid["final"], paid["scheme"], paid["attempt_ms"]) == ("paid", True, "tillwave", 84)
        assert paid["payment"]


def test_same_id_twice_gives_the_same_payment(host: Host) -> None:
    with host.register() as client:
        first, again = pay(client), pay(client)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert len(host.desk.sales) == 1


def test_same_id_with_other_content_is_refused(host: Host) -> None:
    with host.register() as client:
        pay(client)
        other = client.post("/register/payments", json={"id": "R-1", "amount": {"minor": 1231, "currency": "CNY"}})
        assert (other.status_code, reason(other)) == (409, "id-conflict")


def test_ids_belong_to_their_register(host: Host) -> None:
    with host.register("left") as left, host.register("right") as right:
        pay(left)
        assert left.get("/register/payments/R-1").status_code == 200
        assert right.get("/register/payments/R-1").status_code == 404


def test_a_second_sale_meets_a_busy_counter(host: Host) -> None:
    with host.register() as client:
        pay(client)
        busy = pay(client, "R-2")
        assert (busy.status_code, reason(busy)) == (409, "busy")


def test_a_basket_without_amount_is_made_by_scanning(host: Host) -> None:
    with host.register() as client:
        begun = client.post("/register/payments", json={"id": "R-1", "amount": None})
        assert begun.status_code == 201
        assert host.desk.requests["register-1", "R-1"].amount is None


def test_lines_of_the_register_reach_the_counter(host: Host) -> None:
    lines = [
        {"label": "龙井茶", "code": "6901234567892", "quantity": 2, "amount": {"minor": 1330, "currency": "CNY"}},
        {"label": "折扣", "amount": {"minor": -100, "currency": "CNY"}},
    ]
    with host.register() as client:
        begun = pay(client, lines=lines, guide="clerk-7").json()
        assert [line["label"] for line in begun["lines"]] == ["龙井茶", "折扣"]
        assert host.desk.requests["register-1", "R-1"].guide == "clerk-7"
        wrong = pay(client, "R-2", lines=lines[:1])
        assert wrong.status_code in (409, 422)


def test_cancel_ends_the_sale_and_is_harmless_twice(host: Host) -> None:
    with host.register() as client:
        pay(client)
        assert client.post("/register/payments/R-1/cancel").json()["phase"] == "cancelled"
        assert client.post("/register/payments/R-1/cancel", json={}).json()["phase"] == "cancelled"


def test_late_cancel_is_told_so(host: Host) -> None:
    with host.register() as client:
        sale = pay(client).json()["sale"]
        host.do(lambda desk: desk.pay(sale))
        late = client.post("/register/payments/R-1/cancel")
        assert (late.status_code, reason(late)) == (409, "too-late")


def test_ids_may_hold_any_printable_character(host: Host) -> None:
    strange = "2026/11 #7?&%41+[~]/cancel"
    with host.register() as client:
        assert pay(client, strange).status_code == 201
        address = "/register/payments/" + "".join(f"%{ord(each):02X}" for each in strange)
        assert client.get(address).json()["id"] == strange
        assert client.post(address + "/cancel").json()["phase"] == "cancelled"


@pytest.mark.parametrize("bad", ["", "x" * 65, "new\nline", "tab\t", "茶", "a\x00b", "end\n"])
def test_ids_of_other_shape_are_refused(quiet_host: Host, bad: str) -> None:
    with quiet_host.register() as client:
        answer = pay(client, bad)
        assert (answer.status_code, reason(answer)) == (422, "bad-request")


def test_long_poll_answers_at_the_change(host: Host) -> None:
    with host.register() as client:
        sale = pay(client).json()["sale"]
        began = time.monotonic()
        host.later(2.0, lambda desk: desk.change(sale, phase=Phase.AUTHORISING, challenge=""))
        changed = client.get("/register/payments/R-1?wait=8")
        assert changed.json()["phase"] == "authorising"
        assert 1.9 < time.monotonic() - began < 7.5


def test_long_poll_does_not_miss_a_change_between_two_polls(host: Host) -> None:
    with host.register() as client:
        begun = pay(client).json()
        host.do(lambda desk: desk.change(begun["sale"], phase=Phase.AUTHORISING))
        began = time.monotonic()
        changed = client.get("/register/payments/R-1", params={"wait": 8, "seen": begun["version"]})
        assert changed.json()["phase"] == "authorising"
        assert time.monotonic() - began < 7.5


def test_long_poll_of_a_final_payment_answers_at_once(host: Host) -> None:
    with host.register() as client:
        pay(client)
        client.post("/register/payments/R-1/cancel")
        began = time.monotonic()
        assert client.get("/register/payments/R-1?wait=8").json()["final"]
        assert time.monotonic() - began < 7.5


def test_long_poll_gives_the_old_state_when_the_time_is_over(host: Host) -> None:
    with host.register() as client:
        begun = pay(client).json()
        assert client.get("/register/payments/R-1?wait=1").json() == begun
    assert host.do(lambda desk: desk.listeners) == 0


@pytest.mark.parametrize("bad", ["-1", "1.5", "soon", "9999", "٣"])
def test_a_wait_that_is_no_number_is_refused(host: Host, bad: str) -> None:
    with host.register() as client:
        pay(client)
        assert client.get("/register/payments/R-1", params={"wait": bad}).status_code == 422


def paid_payment(host: Host, client: httpx.Client) -> str:
    sale = pay(client).json()["sale"]
    host.do(lambda desk: desk.pay(sale))
    return str(client.get("/register/payments/R-1").json()["payment"])


def test_a_refund_is_asked_for_and_followed(host: Host) -> None:
    with host.register() as client:
        body = {"id": "F-1", "payment": paid_payment(host, client), "amount": YUAN, "badge": SUPERVISOR}
        begun = client.post("/register/refunds", json=body)
        assert (begun.status_code, begun.json()["state"]) == (201, "unknown")
        for _ in range(5):
            client.post("/register/refunds", json={**body, "id": "F-2", "badge": "TWB:NOBODY"})
        assert client.post("/register/refunds", json=body).status_code == 200
        host.later(0.2, lambda desk: desk.decide_refund("register-1", "F-1", "approved"))
        assert client.get("/register/refunds/F-1?wait=8").json()["state"] == "approved"
        assert client.get("/register/payments/R-1").json()["refunded"]["minor"] == 1230


def test_a_refund_needs_a_supervisor_and_guessing_ends(host: Host) -> None:
    with host.register() as client:
        body = {"id": "F-1", "payment": paid_payment(host, client), "amount": YUAN, "badge": "TWB:NOBODY"}
        for _ in range(5):
            refused = client.post("/register/refunds", json=body)
            assert (refused.status_code, reason(refused)) == (403, "not-allowed")
        refused = client.post("/register/refunds", json={**body, "badge": SUPERVISOR})
        assert (refused.status_code, reason(refused)) == (429, "too-many-badges")
        assert host.desk.refunds == {}


def test_a_refund_offline_is_refused(host: Host) -> None:
    with host.register() as client:
        body = {"id": "F-1", "payment": paid_payment(host, client), "amount": YUAN, "badge": SUPERVISOR}
        host.do(lambda desk: desk.change_counter(online=False))
        refused = client.post("/register/refunds", json=body)
        assert (refused.status_code, reason(refused)) == (503, "offline")


def test_a_terminal_out_of_service_says_so(host: Host) -> None:
    host.do(lambda desk: desk.change_counter(in_service=False, trouble="case-open"))
    with host.register() as client:
        refused = pay(client)
        assert (refused.status_code, reason(refused)) == (503, "out-of-service")
        status = client.get("/register/status").json()
        assert (status["in_service"], status["trouble"]) == (False, "case-open")


def test_status_shows_only_the_own_payment(host: Host) -> None:
    with host.register("left") as left, host.register("right") as right:
        pay(left)
        assert left.get("/register/status").json()["payment"]["id"] == "R-1"
        other = right.get("/register/status").json()
        assert (other["busy"], other["payment"]) == (True, None)


def test_the_day_is_closed_and_both_sides_are_shown(host: Host) -> None:
    with host.register() as client:
        paid_payment(host, client)
        day = client.post("/register/close-day").json()
        assert day["agrees"]
        assert day["terminal"] == day["settlement"]
        assert (day["terminal"]["paid_count"], day["terminal"]["paid"]["decimal"]) == (1, "12.30")


def test_streams_and_polls_end_at_once_when_the_terminal_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.server.serve.STOP_TIMEOUT_S", 600)
    with Host(tmp_path) as host, host.register() as client, host.client() as display:
        begun = pay(client).json()
        with display.stream("GET", "/display/events") as events:
            lines = events.iter_lines()
            assert next(lines) == "retry: 1000"
            host.stop()
            list(lines)
    assert begun["phase"] == "gathering"
    assert host.desk.listeners == 0
