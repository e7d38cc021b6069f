"""Who a terminal is: its introduction, its certificate, and the chain that its key writes.

The first key with a good certificate gets the name. The same key may come with a renewed certificate. Another key for
the name is refused with an alarm, unless the certificate of the old one is listed as revoked in the settings and the
new one was issued later; then it begins a new chain. A revoked certificate is refused everywhere.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import Connection, Row, select

from keys.port import key_id_of
from protocol.chain import BEGINNING, Head
from protocol.transport import Birth, read_birth, verify_birth
from settlement import alarms
from settlement.clock import Clock
from settlement.errors import Refused, Suspicious
from settlement.tables import chains, records

_ROLE = "record"


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain of a terminal's present key, as far as it is kept."""

    chain: int
    terminal: str
    public_key: ec.EllipticCurvePublicKey
    head: Head


class Terminals:
    """Admits terminals by the mall's authority."""

    def __init__(self, authority: x509.Certificate, revoked: frozenset[int], clock: Clock) -> None:
        self._authority = authority
        self._revoked = revoked
        self._clock = clock

    def admit(self, connection: Connection, terminal: str, message: bytes) -> Chain:
        """Take an introduction; Refused or Suspicious, or a ProtocolProblem, when it proves nothing."""
        birth, envelope = read_birth(message)
        certificate = self._check(birth, terminal)
        public_key = _p256(certificate)
        verify_birth(envelope, public_key)
        row = _newest(connection, terminal)
        if row is not None and row.key_id != key_id_of(public_key):
            self._check_replacement(row, certificate)
            row = None
        if row is None:
            return self._open(connection, birth, certificate)
        self._greet_again(connection, row, birth, certificate)
        return self.find(connection, terminal)

    def find(self, connection: Connection, terminal: str) -> Chain:
        """Give the chain of a terminal that has introduced itself; Refused when it has not or may not any more."""
        row = _newest(connection, terminal)
        if row is None:
            raise Refused("unknown-terminal", f"terminal {terminal} has not introduced itself")
        certificate = x509.load_der_x509_certificate(row.certificate)
        self._check_validity(certificate)
        return Chain(row.chain, terminal, _p256(certificate), Head(row.number, row.hash))

    def _check(self, birth: Birth, terminal: str) -> x509.Certificate:
        if birth.terminal != terminal:
            raise Refused("foreign", f"an introduction of another terminal came on the topic of {terminal}")
        try:
            certificate = x509.load_der_x509_certificate(birth.certificate)
            certificate.verify_directly_issued_by(self._authority)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise Refused(
                "bad-certificate", f"the certificate of {terminal} is not of this mall's authority"
            ) from error
        self._check_validity(certificate)
        if _names(certificate, NameOID.COMMON_NAME) != [terminal]:
            raise Refused("bad-certificate", f"the certificate shown by {terminal} is of another terminal")
        if _names(certificate, NameOID.ORGANIZATIONAL_UNIT_NAME) != [_ROLE]:
            raise Refused("bad-certificate", f"the certificate of {terminal} is not for records")
        return certificate

    def _check_validity(self, certificate: x509.Certificate) -> None:
        now = dt.datetime.fromtimestamp(self._clock.now_ms() / 1000, dt.UTC)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise Refused("bad-certificate", "the certificate is not valid at this time; renew it")
        if certificate.serial_number in self._revoked:
            raise Refused("bad-certificate", "the certificate is revoked")

    def _check_replacement(self, row: Row[Any], certificate: x509.Certificate) -> None:
        old = x509.load_der_x509_certificate(row.certificate)
        is_newer = certificate.not_valid_before_utc >= old.not_valid_before_utc
        if old.serial_number not in self._revoked or not is_newer:
            advice = f"if the terminal was replaced, list {old.serial_number:x} under terminals.revoked in the settings"
            raise Suspicious("second-key", f"another key claims the name; {advice}")

    def _open(self, connection: Connection, birth: Birth, certificate: x509.Certificate) -> Chain:
        now = self._clock.now_ms()
        connection.execute(
            chains.insert().values(
                terminal=birth.terminal,
                key_id=key_id_of(_p256(certificate)),
                certificate=birth.certificate,
                opened_ms=now,
                born_ms=now,
                software=birth.software,
                number=0,
                hash=BEGINNING,
            )
        )
        return self.find(connection, birth.terminal)

    def _greet_again(self, connection: Connection, row: Row[Any], birth: Birth, certificate: x509.Certificate) -> None:
        old = x509.load_der_x509_certificate(row.certificate)
        is_newer = certificate.not_valid_before_utc >= old.not_valid_before_utc
        connection.execute(
            chains.update()
            .where(chains.c.chain == row.chain)
            .values(
                certificate=birth.certificate if is_newer else row.certificate,
                born_ms=self._clock.now_ms(),
                software=birth.software,
            )
        )
        kept = hash_of(connection, row.chain, birth.number)
        if kept is not None and kept != birth.hash:
            detail = f"the journal differs from what is kept at record {birth.number}: it was copied or rolled back"
            alarms.sound(connection, birth.terminal, "forked", detail, at_ms=self._clock.now_ms())


def hash_of(connection: Connection, chain: int, number: int) -> bytes | None:
    """Give the hash of a kept record."""
    return connection.scalar(select(records.c.hash).where(records.c.chain == chain, records.c.number == number))


def move_head(connection: Connection, chain: int, head: Head) -> None:
    """Note how far a chain is kept."""
    connection.execute(chains.update().where(chains.c.chain == chain).values(number=head.number, hash=head.hash))


def _newest(connection: Connection, terminal: str) -> Row[Any] | None:
    query = select(chains).where(chains.c.terminal == terminal).order_by(chains.c.chain.desc()).limit(1)
    return connection.execute(query).first()


def _names(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str | bytes]:
    return [attribute.value for attribute in certificate.subject.get_attributes_for_oid(oid)]


def _p256(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    public_key = certificate.public_key()
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or public_key.curve.name != "secp256r1":
        raise Refused("bad-certificate", "the certified key is not of P-256")
    return public_key
