"""A register that speaks nexo sells through a whole terminal: real process, real journal, real settlement."""

from __future__ import annotations

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from nexo_register import NexoRegister

from tillwave.testing.mall import BoxedMall
from tillwave.testing.processes import free_port
from tillwave.testing.terminal import BoxedTerminal

pytestmark = pytest.mark.broker


def pair(terminal: BoxedTerminal, name: str) -> dict[str, Any]:
    body = json.dumps({"code": terminal.open_pairing(), "name": name, "nexo": True}).encode()
    request = urllib.request.Request(
        f"{terminal.url}/register/pair", body, headers={"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        told: dict[str, Any] = json.load(answer)
    return told["nexo"]  # type: ignore[no-any-return]


def test_a_register_pairs_pays_and_asks_again(tillwave_mall: BoxedMall) -> None:
    terminal = tillwave_mall.add_terminal("speaks-nexo")
    terminal.stop()
    with terminal.settings.open("a") as settings:
        settings.write(f"\n[nexo]\nenabled = true\nport = {free_port()}\n")
    terminal.start()
    shopper = tillwave_mall.add_shopper("Nexo Li", 10_000)
    register = NexoRegister(pair(terminal, "ECR-7"))
    try:
        with ThreadPoolExecutor(1) as pool:
            paying = pool.submit(register.send, "Payment", register.payment(12.34), "1")
            terminal.program.wait_for(lambda: is_asked(register), 20)
            terminal.bench.type_barcode(shopper.phone.payment_text())
            told = paying.result(30)
        assert told["Response"]["Result"] == "Success"
        assert told["PaymentResult"]["AmountsResp"]["AuthorizedAmount"] == Decimal("12.34")
        again = register.send("Payment", register.payment(12.34), "1")
        assert again == told
        status = register.send("Diagnosis", {})
        assert status["POIStatus"]["GlobalStatus"] == "OK"
        assert status["HostStatus"][0]["IsReachableFlag"] is True
    finally:
        register.http.close()
        terminal.close()


def is_asked(register: NexoRegister) -> bool:
    """Tell whether the payment has begun: what never came is not found."""
    told = register.send("TransactionStatus", {"MessageReference": {"ServiceID": "1"}})
    return bool(told["Response"]["ErrorCondition"] == "InProgress")
