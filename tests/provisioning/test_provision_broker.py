"""A real mosquitto on the written configuration lets in whom it should and passes on what it should."""

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import warnings
from datetime import timedelta
from pathlib import Path

import pytest
from provisioned_mall import MALL, NOW, Peer, provision, running_broker

from keys.certificates import load_certificate
from keys.file import FileKey
from keys.requests import make_request
from protocol.topics import TerminalTopics, beat_topic
from provisioning.authority import Authority
from provisioning.broker import provision_broker
from provisioning.errors import AlreadyThere, BadName
from provisioning.issuing import to_pem
from provisioning.mall import BrokerAddress
from provisioning.roles import Role
from tillwave.testing.processes import free_port

pytestmark = pytest.mark.broker
ONE, TWO = TerminalTopics("demo", "t1"), TerminalTopics("demo", "t2")


@pytest.fixture
def peers(mall, broker):
    """Makes connected clients of the mall, and closes them."""
    made = []

    def connect(name, **options):
        peer = Peer(mall.address, mall.folder / name, **options)
        assert peer.connect() == "Success"
        made.append(peer)
        return peer

    yield connect
    for peer in made:
        peer.close()


def stranger(folder, authority, *, name="t3", life=timedelta(days=1), at=NOW):
    """A folder with a TLS certificate of any authority."""
    folder.mkdir()
    request = make_request(FileKey.create(folder / "tls.key"), common_name=name, unit="tls")
    certificate = authority.issue(request, Role.TERMINAL_TLS, name, at=at, life=life)
    (folder / "tls.crt").write_text(to_pem(certificate))
    return folder


def refused(peer, context=None):
    try:
        return peer.connect(context) != "Success"
    except OSError:
        return True
    finally:
        peer.close()


def test_a_terminal_is_let_in_by_either_name_of_loopback(mall, broker):
    for host in ("localhost", "127.0.0.1"):
        peer = Peer(mall.address, mall.folder / "t1", host=host)
        assert peer.connect() == "Success"
        peer.close()


def test_without_certificate_nobody_is_let_in(mall, broker):
    context = ssl.create_default_context(cafile=str(mall.folder / "t1" / "ca.crt"))
    assert refused(Peer(mall.address, mall.folder / "t1"), context)


def test_a_certificate_of_another_mall_is_not_let_in(mall, broker, tmp_path):
    foreign = stranger(tmp_path / "t3", Authority.create(tmp_path / "authority", MALL, at=NOW))
    shutil.copy(mall.folder / "t1" / "ca.crt", foreign)
    assert refused(Peer(mall.address, foreign))


def test_an_expired_certificate_is_not_let_in(mall, broker, tmp_path):
    authority = Authority.load(mall.authority.folder)
    old = stranger(tmp_path / "t3", authority, name="old", life=timedelta(minutes=-1))
    shutil.copy(mall.folder / "t1" / "ca.crt", old)
    assert refused(Peer(mall.address, old))


@pytest.mark.parametrize("folder", ["t1", "settlement"])
def test_a_certificate_for_signatures_opens_no_connection(mall, broker, folder):
    unit = "record" if folder == "t1" else "settlement"
    peer = Peer(mall.address, mall.folder / folder)
    assert refused(peer, peer.context(certificate=f"{unit}.crt", key=f"{unit}.key"))


def test_plain_mqtt_gets_no_answer(mall, broker):
    command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(mall.address.port), "-t", "x", "-m", "x"]
    if shutil.which(command[0]) is None:
        pytest.skip("mosquitto-clients are not installed")
    assert subprocess.run(command, check=False, capture_output=True, timeout=10).returncode != 0


def handshake(mall, context, host="localhost"):
    """Shake hands with the broker and give what it says afterwards; an alert comes only then in TLS 1.3."""
    with (
        socket.create_connection(("127.0.0.1", mall.address.port), 5) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        return secured.version()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(mall, broker, version):
    context = Peer(mall.address, mall.folder / "t1").context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        handshake(mall, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_present_tls_is_spoken(mall, broker, version):
    context = Peer(mall.address, mall.folder / "t1").context()
    context.minimum_version = context.maximum_version = version
    assert handshake(mall, context) == version.name.replace("_", ".")


def test_a_broker_by_another_name_is_not_believed(mall, broker):
    context = Peer(mall.address, mall.folder / "t1").context()
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(mall, context, "mqtt.example")


def test_the_broker_of_another_mall_is_not_believed(mall, broker, tmp_path):
    Authority.create(tmp_path / "authority", MALL, at=NOW)
    context = ssl.create_default_context(cafile=str(tmp_path / "authority" / "ca.crt"))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(mall, context)


def test_a_terminal_cannot_play_broker(mall):
    certificate, key = mall.folder / "t1" / "tls.crt", mall.folder / "t1" / "tls.key"
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cafile=str(mall.folder / "t2" / "ca.crt"))
    client.check_hostname = False  # even so, the purpose of the certificate must not fit
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)]
    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        for _ in range(4):
            for end in ends:
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue


def test_what_a_terminal_says_reaches_settlement(peers):
    settlement, terminal = peers("settlement"), peers("t1")
    settlement.subscribe("tillwave/1/demo/+/up/#")
    assert terminal.publish(ONE.records, b"records") == "Success"
    assert settlement.wait_until_heard(1) == [(ONE.records, b"records")]


@pytest.mark.parametrize(
    "topic",
    [
        TWO.records,
        TWO.presence,
        ONE.decisions,
        TWO.decisions,
        beat_topic("demo"),
        "tillwave/1/other/t1/up/records",
        "x",
    ],
)
def test_what_a_terminal_may_not_say_is_refused_and_heard_by_nobody(mall, peers, topic):
    settlement, other, terminal = peers("settlement"), peers("t2"), peers("t1")
    settlement.subscribe("tillwave/1/demo/+/up/#")
    other.subscribe(TWO.all_down)
    other.subscribe(beat_topic("demo"))
    assert terminal.publish(topic, b"forged") == "Not authorized"
    assert terminal.publish(ONE.records, b"genuine") == "Success"
    assert settlement.wait_until_heard(1) == [(ONE.records, b"genuine")]
    assert other.heard == []


def test_a_terminal_hears_only_what_is_meant_for_it(peers):
    settlement, one, two = peers("settlement"), peers("t1"), peers("t2")
    for terminal in (one, two):
        terminal.subscribe("#")
        terminal.subscribe("tillwave/1/demo/+/down/#")
        terminal.subscribe("tillwave/1/demo/+/up/#")
    settlement.publish(TWO.decisions, b"for two")
    two.publish(TWO.records, b"of two")
    settlement.publish(ONE.decisions, b"for one")
    settlement.publish(beat_topic("demo"), b"beat")
    for terminal, own in ((one, ONE), (two, TWO)):
        terminal.wait_until(lambda heard: (beat_topic("demo"), b"beat") in heard)
        assert {topic for topic, _ in terminal.heard} == {own.decisions, beat_topic("demo")}


def test_settlement_says_only_what_is_its_own(peers):
    settlement = peers("settlement")
    assert settlement.publish(ONE.records, b"forged") == "Not authorized"


def test_a_terminal_cannot_take_over_the_session_of_another(mall, broker, peers):
    first = peers("t1", client_id="t1")
    first.subscribe(ONE.all_down)
    impostor = peers("t2", client_id="t1")
    settlement = peers("settlement")
    settlement.publish(ONE.decisions, b"for one")
    assert first.wait_until_heard(1) == [(ONE.decisions, b"for one")]
    assert impostor.heard == []


def test_presence_is_kept_for_settlement(peers):
    peers("t1").publish(ONE.presence, b"online", retain=True)
    settlement = peers("settlement")
    settlement.subscribe("tillwave/1/demo/+/up/presence")
    assert settlement.wait_until_heard(1) == [(ONE.presence, b"online")]


def test_a_message_beyond_all_measure_ends_the_connection(peers):
    terminal = peers("t1")
    assert terminal.publish(ONE.records, bytes(2_000_000)).startswith("gone")


def test_the_log_holds_no_key(mall, broker):
    canaries = [
        line
        for path in mall.folder.rglob("*.key")
        for line in path.read_text().splitlines()
        if not line.startswith("--")
    ]
    assert canaries
    assert not any(canary in broker.read_text() for canary in canaries)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_mosquitto_reads_its_key_as_the_user_that_it_becomes():
    """As Debian starts it: by root, on files of the user mosquitto, in a folder that everybody may enter."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        authority = Authority.create(folder / "authority", MALL, at=NOW)
        address = BrokerAddress("localhost", port)
        configuration = provision_broker(folder / "broker", authority, address, user="mosquitto", at=NOW)
        assert (folder / "broker" / "broker.key").owner() == "mosquitto"
        assert (folder / "broker" / "broker.key").stat().st_mode & 0o777 == 0o600
        (configuration.with_suffix(".log")).touch()
        with running_broker(configuration, port) as log:
            assert "running" in log.read_text()


def test_a_broker_is_not_overwritten(mall):
    with pytest.raises(AlreadyThere):
        provision_broker(mall.folder / "broker", mall.authority, mall.address, at=NOW)


@pytest.mark.parametrize("options", [{"listen": "localhost"}, {"user": "nobody-knows-him"}, {"names": ["a b"]}])
def test_what_mosquitto_could_not_use_is_refused(mall, tmp_path, options):
    with pytest.raises(BadName):
        provision_broker(tmp_path / "broker", mall.authority, mall.address, at=NOW, **options)


def test_settlement_knows_the_broker_by_all_its_names(tmp_path):
    made = provision(tmp_path / "mall")
    certificate = load_certificate(made.folder / "broker" / "broker.crt")
    assert certificate.subject.rfc4514_string() == "OU=tls,CN=broker"
