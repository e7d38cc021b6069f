"""A shopper's account at the house wallet as a phone keeps it: a folder with `wallet.json` and `phone.key`."""

from __future__ import annotations

import dataclasses
import stat
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys.file import FileKey
from keys.private_file import write_private
from protocol import tokens
from protocol.errors import BadToken
from protocol.phone import Enrolment, seal_phone
from wallet.errors import AccountDamaged, AccountExists, AccountMissing
from wallet.ports import Clock, SystemClock
from wallet.settlement_client import Enrolled, SettlementClient

ACCOUNT_FILE, KEY_FILE, MEMORY_FILE = "wallet.json", "phone.key", "memory.json"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class _File(msgspec.Struct, forbid_unknown_fields=True):
    settlement: str
    ca: str | None
    alias: str
    secret: str
    voucher: str
    name: str
    currency: str

    def __repr__(self) -> str:
        return f"<_File {self.name!r}>"


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """An enrolled account; its key stays in the file beside it."""

    folder: Path
    settlement: str
    """Address of settlement's phone side, https://..."""
    ca: Path | None
    """The mall's authority; None if the machine's own authorities vouch for settlement."""
    alias: bytes
    secret: bytes
    voucher: bytes
    name: str
    currency: str

    @classmethod
    def load(cls, folder: Path) -> Account:
        """Read the account in a folder; AccountMissing or AccountDamaged."""
        path = folder / ACCOUNT_FILE
        try:
            mode, data = path.stat().st_mode, path.read_bytes()
        except FileNotFoundError as error:
            raise AccountMissing(f"there is no account in {folder}; run: tillwave wallet enrol {folder}") from error
        if mode & _OTHERS:
            raise AccountDamaged(f"{path} can be read by others; run: chmod 600 {path}")
        return _from_file(folder, data)

    def save(self) -> None:
        """Replace the account file."""
        ca = None if self.ca is None else str(self.ca)
        secrets = self.alias.hex(), self.secret.hex(), self.voucher.hex()
        file = _File(self.settlement, ca, *secrets, self.name, self.currency)
        write_private(self.folder / ACCOUNT_FILE, msgspec.json.format(msgspec.json.encode(file), indent=2))

    def with_voucher(self, voucher: bytes) -> Account:
        """Give the account with a fresh voucher; AccountDamaged if it is none of this account."""
        _check_voucher(voucher, self.alias)
        return dataclasses.replace(self, voucher=voucher)

    def key(self) -> FileKey:
        """Read the phone's key; a KeyProblem if it is gone."""
        return FileKey.load(self.folder / KEY_FILE)

    def __repr__(self) -> str:
        return f"<Account {self.name!r} at {self.settlement}>"


def enrol(folder: Path, url: str, code: str, ca: Path | None, *, clock: Clock | None = None) -> Account:
    """Make a key in `folder`, bring it to an account by its one-time code, and keep the account.

    AccountExists if the folder has one. After a failure the same call goes on with the key it has made.
    """
    if (folder / ACCOUNT_FILE).exists():
        raise AccountExists(f"{folder} has an account already; choose another folder")
    authority = None if ca is None else ca.absolute()
    with SettlementClient(url, authority) as client:
        key = _key_in(folder)
        point = key.public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        at_ms = (clock or SystemClock()).now_ms()
        enrolled = client.enrol(seal_phone(Enrolment(code=code, public_key=point, at_ms=at_ms), key))
    account = _from_answer(folder, url, authority, enrolled)
    account.save()
    return account


def _key_in(folder: Path) -> FileKey:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / KEY_FILE
    return FileKey.load(path) if path.exists() else FileKey.create(path)


def _from_answer(folder: Path, url: str, ca: Path | None, enrolled: Enrolled) -> Account:
    _check_voucher(enrolled.voucher, enrolled.alias)
    return Account(folder, url, ca, enrolled.alias, enrolled.secret, enrolled.voucher, enrolled.name, enrolled.currency)


def _from_file(folder: Path, data: bytes) -> Account:
    path = folder / ACCOUNT_FILE
    try:
        file = msgspec.json.decode(data, type=_File)
        alias, secret, voucher = (bytes.fromhex(text) for text in (file.alias, file.secret, file.voucher))
    except ValueError as error:
        raise AccountDamaged(f"{path} is damaged; enrol again into another folder") from error
    _check_voucher(voucher, alias)
    ca = None if file.ca is None else Path(file.ca)
    return Account(folder, file.settlement, ca, alias, secret, voucher, file.name, file.currency)


def _check_voucher(voucher: bytes, alias: bytes) -> None:
    try:
        fits = tokens.read_voucher(voucher).alias == alias
    except BadToken as error:
        raise AccountDamaged("the voucher of the account is damaged; enrol again into another folder") from error
    if not fits:
        raise AccountDamaged("the voucher belongs to another account; enrol again into another folder")
