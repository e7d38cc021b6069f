"""A register pairs and speaks nexo over TLS with the terminal: payments, cut lines, aborts, refunds, forgeries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from memory_desk import SUPERVISOR
from nexo_register import NexoRegister
from nexo_terminal import NexoTerminal

from device.payment.views import Phase


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[NexoTerminal]:
    terminal = NexoTerminal(tmp_path)
    yield terminal
    terminal.stop()
    terminal.pool.shutdown()


def pay(terminal: NexoTerminal, register: NexoRegister, service: str = "", amount: float = 12.34) -> Any:
    answer = terminal.later(register.send, "Payment", register.payment(amount), service)
    sale = terminal.running()
    terminal.do(lambda: terminal.desk.pay(sale))
    return answer.result(20)


def test_a_payment_is_asked_for_and_paid(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    told = pay(terminal, register)
    assert told["Response"] == {"Result": "Success"}
    assert told["PaymentResult"]["AmountsResp"] == {"Currency": "CNY", "AuthorizedAmount": Decimal("12.34")}
    assert told["PaymentResult"]["OnlineFlag"] is True
    assert told["SaleData"]["SaleTransactionID"]["TransactionID"] == "R-1"
    assert told["POIData"]["POITransactionID"]["TransactionID"]


def test_an_amount_is_never_a_float(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    for amount in (0.1, 0.29, 1.1, 4.35, 1_000_000_000.07):
        told = pay(terminal, register, amount=amount)
        assert told["PaymentResult"]["AmountsResp"]["AuthorizedAmount"] == Decimal(str(amount)).quantize(
            Decimal("0.01")
        )


@pytest.mark.parametrize("amount", [0, -1, 1.234, 1e400, 10**15, "NaN", None, [], "12345678901234567890"])
def test_senseless_amounts_are_refused(terminal: NexoTerminal, amount: Any) -> None:
    register = terminal.pair()
    if amount == 1e400:  # JSON has no such number, but a register may write one
        body = register.payment(0)
        header = register.header("Payment", "1")
        text = f'{{"SaleToPOIRequest":{{"MessageHeader":{_json(header)},"PaymentRequest":{_json(body)}}}}}'
        answer = register.post(register.protect(text.replace(": 0}", ": 1e400}").encode(), header))
        told = register.open(answer.json()["SaleToPOIResponse"])["SaleToPOIResponse"]["PaymentResponse"]
    else:
        told = register.send("Payment", register.payment(amount))
    assert told["Response"]["ErrorCondition"] == "MessageFormat"
    assert terminal.desk.sales == {}


def test_the_same_service_id_gives_the_same_answer_and_one_payment(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    first = pay(terminal, register, "0000000007")
    assert register.send("Payment", register.payment(12.34), "0000000007") == first
    assert len(terminal.desk.sales) == 1
    other = register.send("Payment", register.payment(12.35), "0000000007")
    assert other["Response"]["ErrorCondition"] == "NotAllowed"
    assert len(terminal.desk.sales) == 1


def test_status_after_a_cut_line_tells_the_outcome(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    register.http.timeout = httpx.Timeout(0.3)
    with pytest.raises(httpx.TimeoutException):
        register.send("Payment", register.payment(12.34), "1")
    register.http.timeout = httpx.Timeout(20)
    reference = {"MessageReference": {"ServiceID": "1", "MessageCategory": "Payment"}}
    assert register.send("TransactionStatus", reference)["Response"]["ErrorCondition"] == "InProgress"
    sale = terminal.running()
    terminal.do(lambda: terminal.desk.pay(sale))
    told = register.send("TransactionStatus", reference)
    assert told["Response"]["Result"] == "Success"
    repeated = told["RepeatedMessageResponse"]
    assert repeated["MessageHeader"]["ServiceID"] == "1"
    assert repeated["RepeatedResponseMessageBody"]["PaymentResponse"]["Response"]["Result"] == "Success"


def test_status_after_a_restart_tells_the_outcome(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    answer = terminal.later(register.send, "Payment", register.payment(12.34), "1")
    sale = terminal.running()
    terminal.loop.call_soon_threadsafe(terminal.cancel)
    with pytest.raises(httpx.HTTPError):
        answer.result(20)
    terminal.stop()
    terminal.desk.pay(sale)
    terminal.start()
    again = terminal.pair()
    told = again.send("TransactionStatus", {"MessageReference": {"ServiceID": "1"}})
    body = told["RepeatedMessageResponse"]["RepeatedResponseMessageBody"]
    assert body["PaymentResponse"]["Response"]["Result"] == "Success"


def test_status_of_what_never_came_is_not_found(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    told = register.send("TransactionStatus", {"MessageReference": {"ServiceID": "77"}})
    assert told["Response"]["ErrorCondition"] == "NotFound"


def test_an_abort_in_flight_ends_the_payment(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    answer = terminal.later(register.send, "Payment", register.payment(12.34), "1")
    terminal.running()
    reference = {"MessageReference": {"ServiceID": "1", "MessageCategory": "Payment"}, "AbortReason": "MerchantAbort"}
    assert register.send("Abort", reference) is None
    assert answer.result(20)["Response"]["ErrorCondition"] == "Aborted"


def test_a_busy_counter_says_busy(terminal: NexoTerminal) -> None:
    register, other = terminal.pair(), terminal.pair("ECR-8")
    answer = terminal.later(register.send, "Payment", register.payment(12.34), "1")
    sale = terminal.running()
    assert other.send("Payment", other.payment(5))["Response"]["ErrorCondition"] == "Busy"
    assert other.send("Diagnosis", {})["POIStatus"]["GlobalStatus"] == "Busy"
    terminal.do(lambda: terminal.desk.pay(sale))
    assert answer.result(20)["Response"]["Result"] == "Success"


@pytest.mark.parametrize(
    ("phase", "reason", "condition"),
    [
        (Phase.UNPAID, "insufficient-funds", "Refusal"),
        (Phase.UNPAID, "deadline", "Cancel"),
        (Phase.CANCELLED, "cancelled", "Aborted"),
    ],
)
def test_what_is_not_paid_says_why(terminal: NexoTerminal, phase: Phase, reason: str, condition: str) -> None:
    register = terminal.pair()
    answer = terminal.later(register.send, "Payment", register.payment(12.34))
    sale = terminal.running()
    terminal.do(lambda: terminal.desk.change(sale, phase=phase, reason=reason))
    assert answer.result(20)["Response"]["ErrorCondition"] == condition


def test_a_payment_is_given_back_with_a_supervisors_badge(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    paid = pay(terminal, register)["POIData"]["POITransactionID"]
    body = {"OriginalPOITransaction": {"POITransactionID": paid}, "ReversalReason": "MerchantCancel"}
    assert register.send("Reversal", body)["Response"]["ErrorCondition"] == "NotAllowed"
    sale_data = {**register.payment(1)["SaleData"], "SaleToPOIData": f"badge={SUPERVISOR}"}
    answer = terminal.later(register.send, "Reversal", {**body, "SaleData": sale_data}, "99")
    terminal.decide("approved")
    told = answer.result(20)
    assert told["Response"]["Result"] == "Success"
    assert told["ReversedAmount"] == Decimal("12.34")


def test_a_reversal_of_nothing_gives_nothing_back(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    paid = pay(terminal, register)["POIData"]["POITransactionID"]
    sale_data = {**register.payment(1)["SaleData"], "SaleToPOIData": f"badge={SUPERVISOR}"}
    body = {"OriginalPOITransaction": {"POITransactionID": paid}, "SaleData": sale_data, "ReversedAmount": 0}
    assert register.send("Reversal", body)["Response"]["ErrorCondition"] == "MessageFormat"
    assert terminal.desk.refunds == {}


def test_a_part_is_refunded_and_a_decline_is_told(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    paid = pay(terminal, register)["POIData"]["POITransactionID"]
    body = register.payment(2.5, OriginalPOITransaction={"POITransactionID": paid})
    body |= {"PaymentData": {"PaymentType": "Refund"}}
    body["SaleData"]["SaleToPOIData"] = f"badge={SUPERVISOR}"
    answer = terminal.later(register.send, "Payment", body, "50")
    terminal.decide("declined")
    assert answer.result(20)["Response"]["ErrorCondition"] == "Refusal"


def test_a_day_is_closed(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    pay(terminal, register)
    told = register.send("Reconciliation", {"ReconciliationType": "SaleReconciliation"})
    totals = told["TransactionTotals"][0]["PaymentTotals"]
    assert totals[0] == {"TransactionType": "Debit", "TransactionCount": 1, "TransactionAmount": Decimal("12.34")}


def test_what_this_terminal_has_not_says_so(terminal: NexoTerminal) -> None:
    told = terminal.pair().send("StoredValue", {})
    assert told["Response"]["ErrorCondition"] == "UnavailableService"


def test_bad_padding_bad_mac_and_unknown_keys_are_answered_alike(terminal: NexoTerminal) -> None:
    register = terminal.pair()
    header = register.header("Diagnosis", "1")
    message = _json({"SaleToPOIRequest": {"MessageHeader": header, "DiagnosisRequest": {}}}).encode()
    other = register.header("Diagnosis", "1", SaleID="ECR-8")
    forged = [
        register.protect(message, header, Hmac="A" * 43 + "="),
        register.protect(message, header).replace(b'"NexoBlob": "', b'"NexoBlob": "AAAAAAAAAAAAAAAAAAAAAA'),
        register.protect(message, header, Nonce="AAAAAAAAAAAAAAAAAAAAAA=="),
        register.protect(message, header, KeyVersion=9),
        register.protect(message, header, KeyIdentifier="till-1-nobody"),
        register.protect(message, other),
        register.protect(message.replace(b"ECR-7", b"ECR-8"), other),
    ]
    answers = {(answer.status_code, answer.content) for answer in map(register.post, forged)}
    assert len(answers) == 1
    assert answers.pop()[0] == 401


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff", b'{"SaleToPOIRequest": 1}', b"[" * 100_000, b"x" * 300_000]
)
def test_noise_is_refused_and_the_next_message_is_served(terminal: NexoTerminal, content: bytes) -> None:
    register = terminal.pair()
    assert register.post(content).status_code in (400, 413)
    assert register.send("Diagnosis", {})["Response"]["Result"] == "Success"


def test_a_passphrase_changes_over_without_a_gap(terminal: NexoTerminal) -> None:
    first, second, third = (terminal.pair() for _ in range(3))
    assert [each.introduction["key_version"] for each in (first, second, third)] == sorted(
        each.introduction["key_version"] for each in (first, second, third)
    )
    assert second.send("Diagnosis", {})["Response"]["Result"] == "Success"
    assert third.send("Diagnosis", {})["Response"]["Result"] == "Success"
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        first.send("Diagnosis", {})


def _json(value: object) -> str:
    return json.dumps(value)
