"""The check of a terminal tells what is wrong and what to do."""

import contextlib
import shutil
import socket
import threading
from datetime import timedelta

import pytest
from provisioned_mall import NOW, Peer, provision, running_broker

from keys.file import FileKey
from protocol.answers import Beat, seal_answer
from protocol.topics import TerminalTopics, beat_topic
from provisioning.check import check
from provisioning.findings import exit_code
from tillwave.testing.processes import free_port

BRIEF_S = 0.8
"""For heartbeats that never come; those of `beating` come every 0.2 s."""
ONE = TerminalTopics("demo", "t1")


@pytest.fixture
def terminal(mall, tmp_path):
    """A copy of t1 that a test may spoil; its own server port is free."""
    folder = tmp_path / "t1"
    shutil.copytree(mall.folder / "t1", folder)
    set_port(folder, "server", free_port())
    return folder


def set_port(terminal, table, port):
    settings = terminal / "terminal.toml"
    lines = settings.read_text().splitlines()
    place = lines.index(f"[{table}]") + 2
    assert lines[place].startswith("port = ")
    lines[place] = f"port = {port}"
    settings.write_text("\n".join(lines))


def call(terminal, port):
    """Let the terminal find its broker elsewhere."""
    set_port(terminal, "broker", port)


@contextlib.contextmanager
def beating(mall, *, key="settlement", mall_name="demo", at=NOW):
    """Publish a heartbeat now and then, as settlement does."""
    signer = FileKey.load(mall.folder / key / ("settlement.key" if key == "settlement" else "record.key"))
    peer, ended = Peer(mall.address, mall.folder / "settlement"), threading.Event()
    assert peer.connect() == "Success"

    def beat():
        number = 0
        while not ended.wait(0.2):
            number += 1
            at_ms = int(at.timestamp() * 1000)
            message = seal_answer(Beat(mall=mall_name, session=b"s", number=number, at_ms=at_ms), signer)
            peer.publish(beat_topic("demo"), message)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        peer.close()


def look(terminal, *, at=NOW, patience_s=10.0):
    return check(terminal / "terminal.toml", clock=lambda: at, beat_patience_s=patience_s)


def fault(findings):
    """Give the only fault, its part and its sentence."""
    (bad,) = [finding for finding in findings if not finding.good]
    return bad.part, bad.text, exit_code(findings)


@pytest.mark.broker
def test_all_is_well(mall, broker, terminal):
    with beating(mall):
        findings = look(terminal)
    assert [finding.part for finding in findings if not finding.good] == []
    assert exit_code(findings) == 0
    assert [finding.part for finding in findings][-5:] == ["broker", "admission", "publishing", "settlement", "clock"]


@pytest.mark.broker
def test_settlement_is_silent(mall, broker, terminal):
    part, text, code = fault(look(terminal, patience_s=BRIEF_S))
    assert (part, code) == ("settlement", 5)
    assert "is it running" in text


@pytest.mark.broker
def test_a_heartbeat_of_another_key_is_not_believed(mall, broker, terminal):
    with beating(mall, key="t2"):
        part, text, _ = fault(look(terminal, patience_s=BRIEF_S))
    assert part == "settlement"
    assert "not signed" in text


@pytest.mark.broker
def test_a_heartbeat_of_another_mall_is_not_believed(mall, broker, terminal):
    with beating(mall, mall_name="other"):
        part, text, _ = fault(look(terminal, patience_s=BRIEF_S))
    assert part == "settlement"
    assert "another mall" in text


@pytest.mark.broker
def test_a_clock_that_differs_is_noticed(mall, broker, terminal):
    with beating(mall, at=NOW - timedelta(minutes=3)):
        part, text, code = fault(look(terminal))
    assert (part, code) == ("clock", 4)
    assert "180 s ahead" in text


@pytest.mark.broker
def test_a_wrong_mall_name_is_refused_by_the_broker(mall, broker, terminal):
    settings = terminal / "terminal.toml"
    settings.write_text(settings.read_text().replace('mall = "demo"', 'mall = "other"'))
    bad = [finding for finding in look(terminal, patience_s=BRIEF_S) if not finding.good]
    assert [finding.part for finding in bad] == ["publishing", "settlement"]
    assert "access list" in bad[0].text


@pytest.mark.broker
def test_a_check_takes_nothing_from_a_terminal_that_is_away(mall, broker, terminal):
    """Its session at the broker waits with a decision in it, and still does after the check."""
    session = session_properties()
    first = Peer(mall.address, terminal, client_id="t1")
    assert first.connect(clean_start=False, properties=session) == "Success"
    first.subscribe(ONE.all_down)
    first.close()
    settlement = Peer(mall.address, mall.folder / "settlement")
    assert settlement.connect() == "Success"
    settlement.publish(ONE.decisions, b"while away")
    settlement.close()
    with beating(mall):
        assert exit_code(look(terminal)) == 0
    again = Peer(mall.address, terminal, client_id="t1")
    assert again.connect(clean_start=False, properties=session) == "Success"
    assert again.wait_until_heard(1)[0] == (ONE.decisions, b"while away")
    again.close()
    last = Peer(mall.address, terminal, client_id="t1")
    assert last.connect(clean_start=True) == "Success"
    last.close()


@pytest.mark.broker
def test_a_running_terminal_is_not_disturbed(mall, broker, terminal):
    """Something listens on the port of its own server: it runs, and its connection stays."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        set_port(terminal, "server", server.getsockname()[1])
        findings = look(terminal)
    assert exit_code(findings) == 0
    assert "tillwave status" in findings[-1].text


def test_the_broker_is_not_there(terminal):
    call(terminal, free_port())
    part, text, code = fault(look(terminal))
    assert (part, code) == ("broker", 5)
    assert "is the broker running" in text


@pytest.mark.broker
def test_the_broker_of_another_mall(terminal, tmp_path):
    other = provision(tmp_path / "other")
    call(terminal, other.address.port)
    with running_broker(other.broker_configuration, other.address.port):
        part, text, code = fault(look(terminal))
    assert (part, code) == ("broker", 5)
    assert "not the broker of this mall" in text


@pytest.mark.broker
def test_a_broker_that_trusts_another_authority(mall, terminal, tmp_path):
    other, port = provision(tmp_path / "other"), free_port()
    lines = mall.broker_configuration.read_text().splitlines()
    changes = {"cafile": f"cafile {other.folder}/broker/ca.crt", "listener": f"listener {port} 127.0.0.1"}
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text("\n".join(changes.get(line.partition(" ")[0], line) for line in lines))
    call(terminal, port)
    with running_broker(configuration, port):
        part, text, code = fault(look(terminal))
    assert (part, code) == ("admission", 5)
    assert "authority that the broker trusts" in text


def test_something_else_on_the_port_of_the_broker(terminal):
    with socket.create_server(("127.0.0.1", 0)) as server:
        call(terminal, server.getsockname()[1])
        thread = threading.Thread(target=_greet, args=[server])
        thread.start()
        part, text, _ = fault(look(terminal))
        thread.join()
    assert part == "broker"
    assert "TLS" in text


def _greet(server):
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(1000)


@pytest.mark.parametrize("file", ["record.key", "tls.key", "ca.crt", "record.crt", "tls.crt", "settlement.crt"])
def test_a_missing_file_is_named(terminal, file):
    (terminal / file).unlink()
    findings = look(terminal)
    assert exit_code(findings) == 4
    assert any(file in finding.text for finding in findings if not finding.good)


def test_a_key_that_others_may_read_is_named(terminal):
    (terminal / "tls.key").chmod(0o644)
    part, text, code = fault(look(terminal))
    assert (part, code) == ("tls key", 4)
    assert "chmod 600" in text


def test_a_certificate_for_another_key_is_noticed(mall, terminal):
    (terminal / "record.key").unlink()
    FileKey.create(terminal / "record.key")
    part, text, code = fault(look(terminal))
    assert (part, code) == ("record certificate", 4)
    assert "another key" in text


def test_a_certificate_of_another_terminal_is_noticed(mall, terminal):
    shutil.copy(mall.folder / "t2" / "record.crt", terminal)
    part, text, _ = fault(look(terminal))
    assert part == "record certificate"
    assert "not for t1" in text


def test_a_clock_years_off_is_noticed_without_a_network(terminal):
    findings = look(terminal, at=NOW - timedelta(days=400))
    bad = [finding for finding in findings if not finding.good]
    assert {finding.part for finding in bad} >= {"authority", "record certificate", "settlement certificate"}
    assert all("clock" in finding.text for finding in bad)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml",
        "[terminal]\nname = 1\n",
        "[terminal]\nname = 'T 1'\nmall = 'demo'\n[broker]\nhost = 'localhost'\n",
    ],
)
def test_settings_that_cannot_be_read(terminal, text):
    (terminal / "terminal.toml").write_text(text)
    part, sentence, code = fault(look(terminal))
    assert (part, code) == ("settings", 3)
    assert "terminal.toml" in sentence


def test_no_settings(tmp_path):
    part, sentence, code = fault(look(tmp_path))
    assert (part, code) == ("settings", 4)
    assert "tillwave provision terminal" in sentence


def session_properties():
    from paho.mqtt.packettypes import PacketTypes  # noqa: PLC0415
    from paho.mqtt.properties import Properties  # noqa: PLC0415

    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    return properties
