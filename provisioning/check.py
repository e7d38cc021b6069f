"""Can this terminal do its work? Looks at keys and certificates, the broker, and whether settlement is heard."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from keys.certificates import load_certificate, public_key_of
from keys.tls import client_context
from protocol import topics
from protocol.answers import Beat, open_answer
from protocol.errors import ProtocolProblem
from provisioning.errors import BadSettings, NotThere
from provisioning.findings import Finding, Trouble, faulty, fine
from provisioning.identity import Identity, check_identity, load_identity
from provisioning.mall import BrokerAddress
from provisioning.visit import Visit, VisitFailed

BEAT_PATIENCE_S = 10.0
CLOCK_TOLERANCE_S = 60
_CONNECT_PATIENCE_S = 5.0
_SERVER_PATIENCE_S = 1.0


def check(settings: Path, *, clock: Callable[[], datetime], beat_patience_s: float = BEAT_PATIENCE_S) -> list[Finding]:
    """Look at everything that a terminal needs; what cannot be looked at after a fault is left out.

    A terminal that runs is not disturbed: the broker lets a certificate have one connection, and it has it.
    """
    try:
        identity = load_identity(settings)
    except NotThere as error:
        return [faulty("settings", str(error), Trouble.MISSING)]
    except BadSettings as error:
        return [faulty("settings", str(error), Trouble.SETTINGS)]
    findings = [fine("settings", f"{identity.name} of the mall {identity.mall}"), *check_identity(identity, clock())]
    if all(finding.good for finding in findings):
        findings += _check_network(identity, clock, beat_patience_s)
    return findings


def _check_network(identity: Identity, clock: Callable[[], datetime], beat_patience_s: float) -> Iterator[Finding]:
    if _is_running(identity):
        yield fine("terminal", "it is running and holds the connection, which was not tried; ask it: tillwave status")
        return
    context = client_context(identity.authority, identity.tls_certificate, identity.tls_key)
    reached = _reach(identity.broker, context)
    yield reached
    if reached.good:
        yield from _visit(identity, context, clock, beat_patience_s)


def _is_running(identity: Identity) -> bool:
    try:
        with socket.create_connection((identity.server_host, identity.server_port), _SERVER_PATIENCE_S):
            return True
    except OSError:
        return False


def _reach(broker: BrokerAddress, context: ssl.SSLContext) -> Finding:
    place = f"{broker.host}:{broker.port}"
    try:
        with (
            socket.create_connection((broker.host, broker.port), _CONNECT_PATIENCE_S) as plain,
            context.wrap_socket(plain, server_hostname=broker.host) as secured,
        ):
            return fine("broker", f"{place} answers with {secured.version()} and the certificate of this mall")
    except socket.gaierror:
        text = f"the name {broker.host} is not known; correct broker.host or the network's name service"
    except ssl.SSLCertVerificationError as error:
        text = f"{place} is not the broker of this mall: {error.verify_message}"
    except ssl.SSLError as error:
        text = f"{place} does not speak TLS as it should ({error.reason}); is it the broker's TLS port?"
    except TimeoutError:
        text = f"{place} does not answer; look at the network and at firewalls"
    except OSError as error:
        text = f"{place} cannot be reached ({error.strerror}); is the broker running?"
    return faulty("broker", text, Trouble.NETWORK)


def _visit(
    identity: Identity, context: ssl.SSLContext, clock: Callable[[], datetime], beat_patience_s: float
) -> Iterator[Finding]:
    own = topics.TerminalTopics(identity.mall, identity.name)
    try:
        with Visit(identity.broker, identity.name, context) as visit:
            yield fine("admission", f"the broker lets {identity.name} in")
            yield _publish(visit, own)
            yield from _hear(visit, identity, clock, beat_patience_s)
    except (VisitFailed, OSError) as error:
        advice = "was the certificate issued by the authority that the broker trusts?"
        yield faulty("admission", f"the broker does not let {identity.name} in: {error}; {advice}", Trouble.NETWORK)


def _publish(visit: Visit, own: topics.TerminalTopics) -> Finding:
    try:
        visit.publish(own.check)
    except VisitFailed as error:
        text = f"the broker refuses what the terminal says: {error}; look at the broker's access list and mall name"
        return faulty("publishing", text, Trouble.NETWORK)
    return fine("publishing", "the broker takes what the terminal says")


def _hear(visit: Visit, identity: Identity, clock: Callable[[], datetime], patience_s: float) -> Iterator[Finding]:
    public_key = public_key_of(load_certificate(identity.settlement_certificate))
    strangers: list[str] = []
    beats: list[Beat] = []

    def accept(payload: bytes) -> bool:
        try:
            beats.append(_beat(payload, identity.mall, public_key))
        except ProtocolProblem as error:
            strangers.append(str(error))
        return bool(beats)

    try:
        visit.hear(topics.beat_topic(identity.mall), accept, patience_s)
    except VisitFailed as error:
        reason = f"what came is not signed by it ({strangers[0]})" if strangers else "is it running?"
        yield faulty("settlement", f"no heartbeat of settlement: {error}; {reason}", Trouble.NETWORK)
        return
    yield fine("settlement", "its signed heartbeat was heard")
    yield _clock(beats[0], clock())


def _beat(payload: bytes, mall: str, public_key: ec.EllipticCurvePublicKey) -> Beat:
    beat = open_answer(Beat, payload, public_key)
    if beat.mall != mall:
        raise ProtocolProblem("it is the heartbeat of another mall")
    return beat


def _clock(beat: Beat, at: datetime) -> Finding:
    ahead = round(at.timestamp() - beat.at_ms / 1000)
    if abs(ahead) > CLOCK_TOLERANCE_S:
        side = "ahead of" if ahead > 0 else "behind"
        text = f"the clock is {abs(ahead)} s {side} settlement's; set it right, for example by systemd-timesyncd"
        return faulty("clock", text, Trouble.MISSING)
    return fine("clock", f"it agrees with settlement's within {CLOCK_TOLERANCE_S} s")
