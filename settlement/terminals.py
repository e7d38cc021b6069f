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
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, Row, select

from keys.certificates import (
    RECORD_UNIT,
    CertificateProblem,
    check_certificate,
    check_dates,
    parse_certificate,
    public_key_of,
)
from keys.port import key_id_of
from protocol.chain import BEGINNING, Head
from protocol.transport import Birth, read_birth, verify_birth
from settlement import alarms, archive
from settlement.clock import Clock
from settlement.errors import Refused, Suspicious
from settlement.tables import chains


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
        public_key = public_key_of(certificate)
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
        certificate = parse_certificate(row.certificate)
        self._check_revoked(certificate)
        try:
            check_dates(certificate, self._now)
        except CertificateProblem as problem:
            raise Refused("bad-certificate", str(problem)) from problem
        return Chain(row.chain, terminal, public_key_of(certificate), Head(row.number, row.hash))

    def _check(self, birth: Birth, terminal: str) -> x509.Certificate:
        if birth.terminal != terminal:
            raise Refused("foreign", f"an introduction of another terminal came on the topic of {terminal}")
        try:
            certificate = parse_certificate(birth.certificate)
            check_certificate(certificate, self._authority, common_name=terminal, unit=RECORD_UNIT, at=self._now)
        except CertificateProblem as problem:
            raise Refused("bad-certificate", str(problem)) from problem
        self._check_revoked(certificate)
        return certificate

    def _check_revoked(self, certificate: x509.Certificate) -> None:
        if certificate.serial_number in self._revoked:
            raise Refused("bad-certificate", "the certificate is revoked")

    @property
    def _now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self._clock.now_ms() / 1000, dt.UTC)

    def _check_replacement(self, row: Row[Any], certificate: x509.Certificate) -> None:
        old = parse_certificate(row.certificate)
        is_newer = certificate.not_valid_before_utc >= old.not_valid_before_utc
        if old.serial_number not in self._revoked or not is_newer:
            advice = f"if the terminal was replaced, list {old.serial_number:x} under terminals.revoked in the settings"
            raise Suspicious("second-key", f"another key claims the name; {advice}")

    def _open(self, connection: Connection, birth: Birth, certificate: x509.Certificate) -> Chain:
        now = self._clock.now_ms()
        connection.execute(
            chains.insert().values(
                terminal=birth.terminal,
                key_id=key_id_of(public_key_of(certificate)),
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
        old = parse_certificate(row.certificate)
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
        kept = archive.hash_of(connection, row.chain, birth.number)
        if kept is not None and kept != birth.hash:
            detail = f"the journal differs from what is kept at record {birth.number}: it was copied or rolled back"
            alarms.sound(connection, birth.terminal, "forked", detail, at_ms=self._clock.now_ms())


def move_head(connection: Connection, chain: int, head: Head) -> None:
    """Note how far a chain is kept."""
    connection.execute(chains.update().where(chains.c.chain == chain).values(number=head.number, hash=head.hash))


def _newest(connection: Connection, terminal: str) -> Row[Any] | None:
    query = select(chains).where(chains.c.terminal == terminal).order_by(chains.c.chain.desc()).limit(1)
    return connection.execute(query).first()
