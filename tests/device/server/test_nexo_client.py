"""The published client of registers, `@adyen/api-library`, drives the terminal; `scripts/test-nexo` brings it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from memory_desk import SUPERVISOR
from nexo_terminal import NexoTerminal

LIBRARY = os.environ.get("TILLWAVE_NEXO_CLIENT", "")
PROGRAM = Path(__file__).with_name("nexo_client.js")
pytestmark = pytest.mark.skipif(not LIBRARY, reason="scripts/test-nexo brings the published client")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[NexoTerminal]:
    terminal = NexoTerminal(tmp_path, port=8443)
    yield terminal
    terminal.stop()
    terminal.pool.shutdown()


@pytest.fixture
def client(terminal: NexoTerminal, tmp_path: Path) -> Client:
    return Client(terminal, tmp_path)


class Client:
    def __init__(self, terminal: NexoTerminal, folder: Path) -> None:
        self.terminal = terminal
        self.told = terminal.pair().introduction
        self.certificate = folder / "given.crt"
        self.certificate.write_text(self.told["certificate"])

    def begin(self, story: str) -> Future[subprocess.CompletedProcess[str]]:
        told = self.told
        words = [told["key_identifier"], str(told["key_version"]), told["passphrase"], told["sale_id"], told["poi_id"]]
        command = ["node", str(PROGRAM), LIBRARY, str(self.certificate), *words, story]
        environment = {**os.environ, "BADGE": SUPERVISOR}
        return self.terminal.later(
            subprocess.run, command, capture_output=True, text=True, timeout=60, check=False, env=environment
        )

    def tell(self, running: Future[subprocess.CompletedProcess[str]]) -> Any:
        done = running.result(60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["SaleToPOIResponse"]


def test_it_pays_and_asks_for_the_status(terminal: NexoTerminal, client: Client) -> None:
    paying = client.begin("pay")
    sale = terminal.running()
    terminal.do(lambda: terminal.desk.pay(sale))
    told = client.tell(paying)["PaymentResponse"]
    assert told["Response"]["Result"] == "Success"
    assert told["PaymentResult"]["AmountsResp"]["AuthorizedAmount"] == 12.34
    repeated = client.tell(client.begin("status"))["TransactionStatusResponse"]["RepeatedMessageResponse"]
    assert repeated["RepeatedResponseMessageBody"]["PaymentResponse"]["Response"]["Result"] == "Success"


def test_it_aborts_a_payment_in_flight(client: Client) -> None:
    told = client.tell(client.begin("abort"))["PaymentResponse"]
    assert told["Response"]["ErrorCondition"] == "Aborted"


def test_it_gives_a_payment_back(terminal: NexoTerminal, client: Client) -> None:
    running = client.begin("refund")
    sale = terminal.running()
    terminal.do(lambda: terminal.desk.pay(sale))
    terminal.decide("approved")
    assert client.tell(running)["ReversalResponse"]["Response"]["Result"] == "Success"


def test_it_is_refused_with_a_wrong_passphrase(terminal: NexoTerminal, client: Client) -> None:
    done = client.begin("forged").result(60)
    assert done.returncode == 1
    assert "401" in done.stderr
    assert terminal.desk.sales == {}
