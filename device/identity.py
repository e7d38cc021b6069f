"""Who the terminal is: its keys and certificates, checked against the mall's authority before anything starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from device.config import Settings
from device.ports import Clock
from keys.certificates import (
    RECORD_UNIT,
    SETTLEMENT_UNIT,
    CertificateProblem,
    CertificateUnusable,
    check_certificate,
    load_certificate,
)
from keys.file import FileKey
from keys.port import Signer
from protocol.topics import SETTLEMENT_USER


@dataclass(frozen=True, slots=True)
class TerminalKeys:
    """What signs for the terminal, and whom it believes."""

    signer: Signer
    certificate: bytes
    """The record certificate, DER."""
    settlement_key: ec.EllipticCurvePublicKey


def load_keys(settings: Settings, clock: Clock) -> TerminalKeys:
    """Read and check keys and certificates; a KeyProblem says what is missing or wrong."""
    files = settings.keys
    now = datetime.fromtimestamp(clock.wall().ms / 1000, UTC)
    authority = load_certificate(files.authority)
    signer = FileKey.load(files.record_key)
    own = load_certificate(files.record_certificate)
    with _naming(files.record_certificate):
        certified = check_certificate(own, authority, common_name=settings.terminal.name, unit=RECORD_UNIT, at=now)
    if certified != signer.public_key:
        raise CertificateUnusable(f"{files.record_certificate} is not for the key {files.record_key}")
    FileKey.load(files.tls_key)
    settlement = load_certificate(files.settlement_certificate)
    with _naming(files.settlement_certificate):
        settlement_key = check_certificate(
            settlement, authority, common_name=SETTLEMENT_USER, unit=SETTLEMENT_UNIT, at=now
        )
    return TerminalKeys(signer, own.public_bytes(Encoding.DER), settlement_key)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except CertificateProblem as error:
        raise CertificateProblem(f"{path}: {error}") from error
