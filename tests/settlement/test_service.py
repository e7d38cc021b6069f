"""The whole service with a real broker: what comes up is answered, what is forged is not, and nothing is done twice."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from mosquitto import Mosquitto, Wire
from sqlalchemy import select
from town import PhoneInHand, Till, Town, challenge, intent

from protocol import service_manager
from protocol.answers import Beat, Decision, Receipt, open_answer
from protocol.records import Action, Tampered, Verdict
from protocol.transport import pack_run
from settlement.service import Service
from settlement.tables import records
from tillwave.testing.processes import find_program

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(find_program("mosquitto") is None, reason="mosquitto is not installed"),
]


@pytest.fixture
def mosquitto(town: Town) -> Iterator[Mosquitto]:
    broker = Mosquitto(town)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def service(town: Town, mosquitto: Mosquitto) -> Iterator[Service]:
    town.settings = msgspec.structs.replace(town.settings, beat_s=0.5)
    town.reopen()
    town.service.start()
    assert town.service.broker.wait_up(10)
    yield town.service
    town.service.stop()
    town.service.store.start()


@pytest.fixture
def wire(town: Town, mosquitto: Mosquitto) -> Iterator[Wire]:
    line = Wire(town, "till-1", mosquitto.port)
    yield line
    line.close()


def decision_of(town: Town, wire: Wire) -> Decision:
    return open_answer(Decision, wire.wait("/decisions"), town.signer.public_key)


def receipt_of(town: Town, wire: Wire) -> Receipt:
    return open_answer(Receipt, wire.wait("/receipts"), town.signer.public_key)


def test_token_goes_up_and_a_decision_comes_down(
    town: Town, service: Service, wire: Wire, till: Till, li: PhoneInHand
) -> None:
    wire.send("birth", till.birth())
    assert receipt_of(town, wire).number == 0
    message = till.write(intent(li.short()))
    wire.send("records", pack_run([message]))
    assert decision_of(town, wire).verdict is Verdict.APPROVED
    assert receipt_of(town, wire).number == 1


def test_beats_are_signed_and_rise(town: Town, service: Service, wire: Wire) -> None:
    first, second = (open_answer(Beat, wire.wait("/beat"), town.signer.public_key) for _ in range(2))
    assert (first.mall, first.session) == ("riverside", second.session)
    assert first.number < second.number
    service.stop()
    town.clock.pass_s(1)
    service.start()
    third = open_answer(Beat, wire.wait("/beat"), town.signer.public_key)
    while third.session == first.session:
        third = open_answer(Beat, wire.wait("/beat"), town.signer.public_key)
    assert third.at_ms > second.at_ms


def test_order_of_a_phone_reaches_the_terminal(
    town: Town, service: Service, wire: Wire, till: Till, li: PhoneInHand
) -> None:
    opened = challenge()
    wire.send("records", pack_run([till.write(opened)]))
    receipt_of(town, wire)
    body = li.seal(li.order("till-1", opened))

    trust = ssl.create_default_context(cafile=str(town.settings.authority))
    url = f"https://localhost:{service.listener.port}/phone/order"
    answer = httpx.post(url, content=body, headers={"Content-Type": "application/cose"}, verify=trust, trust_env=False)
    assert answer.json()["verdict"] == "approved"
    assert decision_of(town, wire).action is Action.ORDER


def test_rubbish_is_refused_and_the_next_message_served(
    town: Town, service: Service, wire: Wire, till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    wire.send("records", b"rubbish")
    wire.send("records", b"\x9f\xff")
    wire.send("questions", b"")
    wire.send("birth", till.birth()[:-1])
    wire.send("nonsense", b"?")
    wire.send("presence", b"not json")
    wire.send("records", pack_run([till.write(Tampered(open=0))]))
    assert receipt_of(town, wire).number == 1
    refused = [record.message for record in caplog.records if record.message.startswith("refused")]
    assert len(refused) == 4


def test_terminal_cannot_speak_for_another(
    town: Town, service: Service, wire: Wire, till: Till, li: PhoneInHand
) -> None:
    wire.client.publish("tillwave/1/riverside/till-2/up/records", pack_run([till.write(Tampered(open=1))]), qos=1)
    wire.send("records", pack_run(till.messages))
    assert receipt_of(town, wire).number == 1
    with town.service.store.reading() as connection:
        assert len(connection.execute(select(records)).all()) == 1


def test_line_comes_back_after_the_broker_died(
    town: Town, service: Service, mosquitto: Mosquitto, wire: Wire, till: Till
) -> None:
    mosquitto.stop()
    deadline = time.monotonic() + 10
    while service.broker.is_up and time.monotonic() < deadline:
        time.sleep(0.05)
    mosquitto.start()
    assert service.broker.wait_up(30)
    deadline, again = time.monotonic() + 20, None
    message = pack_run([till.write(Tampered(open=0))])
    while again is None and time.monotonic() < deadline:
        wire.send("records", message)
        with contextlib.suppress(queue.Empty):
            again = open_answer(Receipt, wire.wait("/receipts", 1), town.signer.public_key)
    assert again is not None
    assert again.number == 1


SETTINGS = """
mall = "riverside"
currency = "CNY"
merchant = "Riverside Tea"
authority = "ca.crt"
key = "settlement.key"
certificate = "settlement.crt"
beat_s = 0.5
[broker]
host = "localhost"
port = {broker}
certificate = "tls.crt"
key = "tls.key"
[http]
port = {http}
certificate = "tls.crt"
key = "tls.key"
[splits]
version = "1"
merchant = 10000
"""
WORK = """
import sys
from pathlib import Path
from tillwave.commands.settle import settle
settle(Path(sys.argv[1]))
"""


@contextlib.contextmanager
def running(town: Town, listening: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run the service as a process of its own, and leave none behind."""
    config = town.folder / "settlement.toml"
    settings = town.settings
    config.write_text(SETTINGS.format(broker=settings.broker.port, http=settings.http.port))
    environment = {**os.environ, "NOTIFY_SOCKET": str(listening)} if listening else dict(os.environ)
    command = [sys.executable, "-c", WORK, str(config)]
    log = (town.folder / "log").open("w")
    process = subprocess.Popen(command, stderr=log, env=environment, text=True)
    log.close()
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_killed_service_goes_on_where_it_was(
    town: Town, mosquitto: Mosquitto, wire: Wire, till: Till, li: PhoneInHand
) -> None:
    for number in range(1, 4):
        with running(town):
            wire.wait("/beat", 30)
            town.clock.now = time.time_ns() // 1_000_000
            paid = intent(li.signed(bytes([number] * 16)), 1_000, nonce=bytes([number] * 16))
            wire.send("records", pack_run([till.write(paid)]))
            decision = decision_of(town, wire)
            while decision.subject != paid.attempt:  # the broker gives again what the killed one had not acknowledged
                decision = decision_of(town, wire)
            assert decision.verdict is Verdict.APPROVED, decision.reason
        while not wire.heard.empty():
            wire.heard.get()
    with running(town):
        wire.wait("/beat", 30)
        wire.send("records", pack_run(till.messages))
        while receipt_of(town, wire).number != 3:
            pass
    assert li.balance == 97_000


def test_service_tells_systemd_and_stops_cleanly(town: Town, mosquitto: Mosquitto, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        with running(town, tmp_path / "notify") as process:
            assert manager.recv(100) == b"READY=1"
            process.send_signal(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"
            assert process.wait(timeout=20) == 0
    assert "has stopped" in (town.folder / "log").read_text()


def test_watchdog_is_fed_at_half_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert service_manager.notify("READY=1") is False
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert service_manager.watchdog_interval_s() == 15
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert service_manager.watchdog_interval_s() is None
