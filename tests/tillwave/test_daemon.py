"""The terminal's daemon as systemd and a technician meet it: a real process, a real broker, a real settlement."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.payment.journal import read_entries
from protocol.envelope import ContentType, take_apart
from protocol.records import Outcome, Verdict, parse_record
from provisioning.layout import Device
from tillwave.testing.mall import TILLWAVE, BoxedMall, TerminalPlan
from tillwave.testing.processes import Program, accepts
from tillwave.testing.register import RegisterRefused
from tillwave.testing.terminal import BoxedTerminal

pytestmark = pytest.mark.broker


@pytest.fixture
def terminal(tillwave_mall: BoxedMall, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BoxedTerminal]:
    name = f"d-{abs(hash(request.node.name)) % 10**8}"
    bench = str(tillwave_mall.folder / name / "bench")
    devices = [Device("scanner", "hand", "simulated", {"bench": bench})]
    terminal = tillwave_mall.add_terminal(name, TerminalPlan(devices=devices))
    yield terminal
    terminal.close()


@pytest.fixture(scope="module")
def shopper(tillwave_mall: BoxedMall):
    return tillwave_mall.add_shopper("Daemon Tester", 100_000)


def outcomes(terminal: BoxedTerminal) -> list[Outcome]:
    entries = read_entries(terminal.settings.parent / "state" / "journal.db")
    bodies = [parse_record(take_apart(entry.message, ContentType.RECORD).payload).body for entry in entries]
    return [body for body in bodies if isinstance(body, Outcome)]


def test_sigterm_ends_an_idle_terminal_with_zero(terminal: BoxedTerminal) -> None:
    assert terminal.stop() == 0


def test_a_sale_under_way_at_sigterm_is_recorded_as_unknown_and_resolved_after_the_start(
    tillwave_mall: BoxedMall, terminal: BoxedTerminal, shopper
) -> None:
    register = terminal.pair_register()
    payment = register.pay(700)
    os.kill(tillwave_mall.settlement.pid, signal.SIGSTOP)
    try:
        terminal.bench.type_barcode(shopper.phone.payment_text())
        register.wait(payment["id"], phases=frozenset({"authorising"}))
        assert terminal.stop() == 0
        assert [outcome.verdict for outcome in outcomes(terminal)] == [Verdict.UNKNOWN]
    finally:
        os.kill(tillwave_mall.settlement.pid, signal.SIGCONT)
    terminal.start()
    assert register.wait(payment["id"])["phase"] == "paid", "settlement had the intent in its queue"
    assert [outcome.verdict for outcome in outcomes(terminal)] == [Verdict.UNKNOWN, Verdict.APPROVED]


def test_a_killed_terminal_answers_the_same_request_with_the_same_sale(terminal: BoxedTerminal, shopper) -> None:
    register = terminal.pair_register()
    payment = register.pay(300)
    terminal.bench.type_barcode(shopper.phone.payment_text())
    paid = register.wait(payment["id"])
    terminal.program.kill()
    terminal.start()
    again = register.pay(300, id=payment["id"])
    assert (again["sale"], again["phase"], again["payment"]) == (paid["sale"], "paid", paid["payment"])
    with pytest.raises(RegisterRefused) as refused:
        register.pay(301, id=payment["id"])
    assert refused.value.reason == "id-conflict"


def test_no_decision_in_time_is_unknown_and_the_next_sale_may_begin(
    tillwave_mall: BoxedMall, terminal: BoxedTerminal, shopper
) -> None:
    register = terminal.pair_register()
    payment = register.pay(800)
    os.kill(tillwave_mall.settlement.pid, signal.SIGSTOP)
    try:
        terminal.bench.type_barcode(shopper.phone.payment_text())
        unknown = register.wait(payment["id"], phases=frozenset({"unknown"}))
        assert unknown["reason"] == "no-decision"
        following = register.pay(900)
        assert following["phase"] == "gathering"
        register.cancel(following["id"])
    finally:
        os.kill(tillwave_mall.settlement.pid, signal.SIGCONT)
    assert register.wait(payment["id"])["phase"] == "paid"


def test_systemd_hears_ready_watchdog_and_stopping(tillwave_mall: BoxedMall, terminal: BoxedTerminal) -> None:
    terminal.stop()
    address = tillwave_mall.folder / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(10)
        environment = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "200000"}
        command = (*TILLWAVE, "run", "--config", str(terminal.settings))
        program = Program("notified", command, tillwave_mall.folder / "notified.log", environment)
        program.start(lambda: accepts(int(terminal.url.rsplit(":", 1)[1])))
        heard = {manager.recv(100) for _ in range(4)}
        assert {b"READY=1", b"WATCHDOG=1"} <= heard
        assert program.stop() == 0
        while b"STOPPING=1" not in heard:
            heard.add(manager.recv(100))


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        (lambda text: text + "\n[surprise]\n", 3, "surprise"),
        (lambda text: text.replace('name = "', "name = 7 # ", 1), 3, "name"),
        (lambda text: text.replace("record.key", "lost.key"), 4, "lost.key"),
    ],
    ids=["unknown key", "wrong type", "missing key file"],
)
def test_wrong_settings_are_said_in_one_sentence(terminal: BoxedTerminal, change, code: int, sentence: str) -> None:
    terminal.stop()
    broken = terminal.settings.with_name("broken.toml")
    broken.write_text(change(terminal.settings.read_text()))
    done = subprocess.run(
        [*TILLWAVE, "run", "--config", str(broken)], check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_settings_file_is_said(tmp_path: Path) -> None:
    command = [*TILLWAVE, "run", "--config", str(tmp_path / "none.toml")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert (done.returncode, "none.toml" in done.stderr) == (4, True)


def test_no_token_reaches_the_log(tillwave_mall: BoxedMall, terminal: BoxedTerminal, shopper) -> None:
    register = terminal.pair_register()
    payment = register.pay(400)
    text = shopper.phone.payment_text()
    terminal.bench.type_barcode(text)
    register.wait(payment["id"])
    terminal.stop()
    time.sleep(0.1)
    logs = terminal.program.log.read_text() + tillwave_mall.settlement.log.read_text()
    assert "sale" in logs or "ready at" in logs, "the log is there"
    for secret in (text, text[4:], text[4:].lower()):
        assert secret not in logs


def test_a_disk_that_takes_nothing_is_said_in_a_sentence(terminal: BoxedTerminal) -> None:
    terminal.stop()
    control_key = terminal.settings.parent / "state" / "control.key"
    control_key.unlink(missing_ok=True)
    control_key.mkdir()
    try:
        done = subprocess.run(
            [*TILLWAVE, "run", "--config", str(terminal.settings)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    finally:
        control_key.rmdir()
    assert done.returncode == 4
    assert "control.key" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_second_terminal_with_the_same_settings_leaves_the_first_alone(terminal: BoxedTerminal) -> None:
    records = terminal.settings.parent / "state" / "journal.db"
    before = len(list(read_entries(records)))
    done = subprocess.run(
        [*TILLWAVE, "run", "--config", str(terminal.settings)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "another terminal works with the journal" in done.stderr
    assert len(list(read_entries(records))) == before
    assert terminal.status()["in_service"]
