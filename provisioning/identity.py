"""What a terminal has to prove who it is, read from its settings and looked at one by one."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509

from keys.certificates import (
    RECORD_UNIT,
    SETTLEMENT_UNIT,
    TLS_UNIT,
    CertificateProblem,
    check_certificate,
    check_dates,
    check_issuer,
    load_certificate,
)
from keys.file import FileKey
from keys.port import KeyProblem, key_id_of
from protocol import ids, topics
from provisioning import layout
from provisioning.errors import BadSettings, NotThere
from provisioning.findings import Finding, Trouble, faulty, fine
from provisioning.mall import BrokerAddress


class _Terminal(msgspec.Struct, frozen=True):
    name: str
    mall: str


class _Keys(msgspec.Struct, frozen=True):
    record_key: Path = Path(layout.RECORD_KEY)
    record_certificate: Path = Path(layout.RECORD_CERTIFICATE)
    tls_key: Path = Path(layout.TLS_KEY)
    tls_certificate: Path = Path(layout.TLS_CERTIFICATE)
    authority: Path = Path(layout.AUTHORITY)
    settlement_certificate: Path = Path(layout.SETTLEMENT_CERTIFICATE)


class _Broker(msgspec.Struct, frozen=True):
    host: str
    port: int = 8883


class _Server(msgspec.Struct, frozen=True):
    host: str = "127.0.0.1"
    port: int = 8800


class _Settings(msgspec.Struct, frozen=True):
    """The tables of terminal.toml that a check needs; the terminal itself reads the file more strictly."""

    terminal: _Terminal
    broker: _Broker
    keys: _Keys = _Keys()
    server: _Server = _Server()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A terminal as its settings describe it; the paths are absolute."""

    name: str
    mall: str
    record_key: Path
    record_certificate: Path
    tls_key: Path
    tls_certificate: Path
    authority: Path
    settlement_certificate: Path
    broker: BrokerAddress
    server_host: str
    server_port: int


def load_identity(path: Path) -> Identity:
    """Read terminal.toml; NotThere or BadSettings with a sentence that names the key."""
    try:
        settings = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _Settings, dec_hook=_to_path)
        broker = BrokerAddress(settings.broker.host, settings.broker.port)
    except FileNotFoundError as error:
        raise NotThere(path, "provision the terminal first: tillwave provision terminal") from error
    except (ValueError, OSError) as error:  # not TOML, not UTF-8, wrong types, no address
        raise BadSettings(path, str(error)) from error
    terminal, folder = settings.terminal, path.absolute().parent
    for key, name in (("name", terminal.name), ("mall", terminal.mall)):
        if not ids.is_name(name):
            raise BadSettings(path, f"`terminal.{key}` is 1 to 20 characters of a-z, 0-9 and the hyphen")
    files = {key: folder / file for key, file in msgspec.structs.asdict(settings.keys).items()}
    return Identity(
        name=terminal.name,
        mall=terminal.mall,
        broker=broker,
        server_host=settings.server.host,
        server_port=settings.server.port,
        **files,
    )


def check_identity(identity: Identity, at: datetime) -> Iterator[Finding]:
    """Look at keys, certificates and the clock."""
    authority, finding = _load("authority", identity.authority, load_certificate)
    yield finding or _authority(authority, at)
    for key, certificate, unit in (
        (identity.record_key, identity.record_certificate, RECORD_UNIT),
        (identity.tls_key, identity.tls_certificate, TLS_UNIT),
    ):
        part = f"{unit} key"
        signer, finding = _load(part, key, FileKey.load)
        yield finding or fine(part, f"{key.name} is there and only its owner can read it")
        yield _holder(_Claim(certificate, identity.name, unit, signer), authority, at)
    yield _holder(_Claim(identity.settlement_certificate, topics.SETTLEMENT_USER, SETTLEMENT_UNIT), authority, at)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A certificate file, and what it should vouch for."""

    path: Path
    name: str
    unit: str
    signer: FileKey | None = None


def _load(part: str, path: Path, load: Callable[[Path], Any]) -> tuple[Any, Finding | None]:
    try:
        return load(path), None
    except KeyProblem as error:
        return None, faulty(part, str(error), Trouble.MISSING)
    except OSError as error:
        return None, faulty(part, f"{path} cannot be read: {error.strerror}", Trouble.MISSING)


def _authority(authority: x509.Certificate, at: datetime) -> Finding:
    try:
        check_issuer(authority, authority)
        check_dates(authority, at)
    except CertificateProblem as error:
        return faulty("authority", str(error), Trouble.MISSING)
    return fine("authority", f"the mall's authority is good until {authority.not_valid_after_utc:%Y-%m-%d}")


def _holder(claim: _Claim, authority: x509.Certificate | None, at: datetime) -> Finding:
    part = f"{claim.unit} certificate"
    certificate, finding = _load(part, claim.path, load_certificate)
    if finding is not None or authority is None:
        return finding or faulty(part, "it cannot be checked without the authority's certificate", Trouble.MISSING)
    try:
        public_key = check_certificate(certificate, authority, common_name=claim.name, unit=claim.unit, at=at)
    except CertificateProblem as error:
        return faulty(part, f"{claim.path}: {error}", Trouble.MISSING)
    if claim.signer is not None and key_id_of(public_key) != claim.signer.key_id:
        text = f"{claim.path} is for another key; install the answer to this terminal's request"
        return faulty(part, text, Trouble.MISSING)
    return fine(part, f"{claim.path.name} is good for {claim.name} until {certificate.not_valid_after_utc:%Y-%m-%d}")


def _to_path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)
