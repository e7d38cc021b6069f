"""The mall's certificate authority, in a folder of its own: key, certificate, what it knows, and what it issued.

ca.key          0600, made here; whoever has it can name terminals: keep the folder off the network
ca.crt          P-256, 10 years
mall.toml       name, currency, merchant, broker
settlement.crt  settlement's signing certificate, once it was issued; terminals get it with theirs
issued.jsonl    one line a certificate, written before the certificate leaves
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509

from keys.certificates import check_dates, load_certificate
from keys.file import FileKey
from keys.port import key_id_of
from protocol import topics
from provisioning.errors import BadName, NameTaken, NotThere
from provisioning.files import make_folder, refuse_existing, replace, write_new
from provisioning.issuing import Holder, read_request, sign_authority, sign_holder, to_pem
from provisioning.mall import BROKER_NAME, BrokerAddress, Mall, check_terminal_name, load_mall, save_mall
from provisioning.roles import Role

AUTHORITY_LIFE = timedelta(days=3650)
HOLDER_LIFE = timedelta(days=730)
_KEY, _CERTIFICATE, _MALL, _SETTLEMENT, _LOG = "ca.key", "ca.crt", "mall.toml", "settlement.crt", "issued.jsonl"


class Issued(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the log."""

    serial: str
    """Hexadecimal, as `terminals.revoked` of settlement.toml wants it."""
    role: str
    common_name: str
    unit: str
    key_id: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...] = ()


class Authority:
    """Issues the certificates of one mall."""

    def __init__(self, folder: Path, key: FileKey, certificate: x509.Certificate, mall: Mall) -> None:
        self._folder = folder
        self._key = key
        self._certificate = certificate
        self._mall = mall

    @classmethod
    def create(cls, folder: Path, mall: Mall, *, at: datetime, life: timedelta = AUTHORITY_LIFE) -> Authority:
        """Make a new authority; AlreadyThere if the folder has one."""
        folder = make_folder(folder)
        refuse_existing(folder, (_KEY, _CERTIFICATE, _MALL, _LOG))
        key = FileKey.create(folder / _KEY)
        certificate = sign_authority(key, f"Tillwave mall {mall.name}", begins=at, ends=at + life)
        write_new(folder / _CERTIFICATE, to_pem(certificate))
        write_new(folder / _LOG, "")
        save_mall(folder / _MALL, mall)
        return cls(folder, key, certificate, mall)

    @classmethod
    def load(cls, folder: Path) -> Authority:
        """Open the authority in a folder; NotThere, or what is wrong with its files."""
        if not (folder / _KEY).exists():
            raise NotThere(folder / _KEY, f"make the mall's authority first: tillwave provision authority {folder}")
        mall = load_mall(folder / _MALL)
        return cls(folder, FileKey.load(folder / _KEY), load_certificate(folder / _CERTIFICATE), mall)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._folder

    @property
    def certificate(self) -> x509.Certificate:
        """What everybody in the mall trusts."""
        return self._certificate

    @property
    def mall(self) -> Mall:
        """What is known of the mall."""
        return self._mall

    @property
    def settlement_certificate(self) -> x509.Certificate:
        """Settlement's signing certificate; NotThere before settlement was provisioned."""
        if not (self._folder / _SETTLEMENT).exists():
            raise NotThere(self._folder / _SETTLEMENT, "provision settlement first: tillwave provision settlement")
        return load_certificate(self._folder / _SETTLEMENT)

    @property
    def broker(self) -> BrokerAddress:
        """Where the broker is; NotThere before it was provisioned."""
        if self._mall.broker is None:
            raise NotThere(self._folder / _MALL, "provision the broker first: tillwave provision broker")
        return self._mall.broker

    def remember_broker(self, address: BrokerAddress) -> None:
        """Tell every later settlement and terminal where the broker is."""
        self._mall = msgspec.structs.replace(self._mall, broker=address)
        save_mall(self._folder / _MALL, self._mall)

    def remember_settlement(self, certificate: x509.Certificate) -> None:
        """Tell every later terminal whose decisions and receipts to believe."""
        replace(self._folder / _SETTLEMENT, to_pem(certificate))

    def issued(self) -> list[Issued]:
        """Read the log, oldest first."""
        lines = (self._folder / _LOG).read_bytes().splitlines()
        return [msgspec.json.decode(line, type=Issued) for line in lines]

    def issue(
        self,
        request: str,
        role: Role,
        common_name: str,
        *,
        at: datetime,
        hosts: Sequence[str] = (),
        life: timedelta = HOLDER_LIFE,
        replace_holder: bool = False,
    ) -> x509.Certificate:
        """Answer a request in PEM: a certificate for exactly this name and role; what else it asks for is ignored.

        BadBundle unless the request is for this name and role and signed by its own P-256 key, BadName for a name
        that the role may not have, NameTaken if another key has it, OutOfDate once the authority itself has expired.
        """
        _check_name(role, common_name)
        check_dates(self._certificate, at)
        public_key = read_request(request, common_name, role.unit)
        holder = Holder(public_key, role, common_name, tuple(hosts))
        certificate = sign_holder(self._key, self._certificate, holder, begins=at, ends=at + life)
        self._log(certificate, holder, at, may_replace=replace_holder)
        return certificate

    def _log(
        self,
        certificate: x509.Certificate,
        holder: Holder,
        at: datetime,
        *,
        may_replace: bool,
    ) -> None:
        line = Issued(
            serial=f"{certificate.serial_number:x}",
            role=holder.role.value,
            common_name=holder.common_name,
            unit=holder.role.unit,
            key_id=key_id_of(holder.public_key).hex(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            names=holder.hosts,
        )
        with (self._folder / _LOG).open("ab") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            if not may_replace and any(_is_rival(line, other, at) for other in self.issued()):
                raise NameTaken(holder.common_name)
            log.write(msgspec.json.encode(line) + b"\n")
            log.flush()
            os.fsync(log.fileno())


def _check_name(role: Role, common_name: str) -> None:
    if role.is_of_terminal:
        check_terminal_name(common_name)
        return
    expected = BROKER_NAME if role is Role.BROKER else topics.SETTLEMENT_USER
    if common_name != expected:
        raise BadName(f"the {role.value} certificate is for {expected}, not for {common_name}")


def _is_rival(line: Issued, other: Issued, at: datetime) -> bool:
    same_holder = (line.role, line.common_name) == (other.role, other.common_name)
    return same_holder and line.key_id != other.key_id and other.not_after > at
