"""Accounts of the house wallet: opened and loaded by the house, claimed by a phone with a one-time code.

An enrolment code is 12 characters of base32, "ABCD-EFGH-IJKL": the first four find it, the rest prove it. It expires,
and after a few wrong tries it is void. A phone that lost the answer may ask again with the same code and key; another
key may not. A new code, claimed by another phone, ends what the phone before could do.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, select

from keys.port import Signer
from protocol import ids
from protocol.money import Money
from protocol.phone import point_to_key
from protocol.tokens import ALIAS_BYTES, make_voucher, write_voucher
from settlement import ledger
from settlement.acquirers.house_wallet import wallet_account
from settlement.errors import Refused
from settlement.office import Office
from settlement.tables import enrolment_codes, wallets

CASH = "cash"
_SECRET_BYTES = 32
_HANDLE, _CODE = 4, 12
_TRIES = 5
_HOUR_MS, _DAY_S = 3_600_000, 86_400
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Wallet:
    """One account."""

    alias: bytes
    name: str
    secret: bytes = field(repr=False)
    public_key: bytes | None
    """Of the phone that claimed it."""

    @property
    def account(self) -> str:
        """Its account in the ledger."""
        return wallet_account(self.alias)


def open_account(connection: Connection, office: Office, name: str) -> Wallet:
    """Open an account; Refused when there is one of this name."""
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise Refused("bad-name", f"a name has 1 to {_LONGEST_NAME} printable characters")
    if by_name(connection, name) is not None:
        raise Refused("name-taken", f"there is an account of {name!r} already")
    wallet = Wallet(secrets.token_bytes(ALIAS_BYTES), name, secrets.token_bytes(_SECRET_BYTES), None)
    values = {"alias": wallet.alias, "name": name, "secret": wallet.secret, "opened_ms": office.clock.now_ms()}
    connection.execute(wallets.insert().values(**values))
    return wallet


def load_money(connection: Connection, office: Office, wallet: Wallet, amount: Money) -> None:
    """Pay cash into an account; Refused unless the amount is positive and of the mall's currency."""
    if amount.minor <= 0 or amount.currency != office.settings.currency:
        raise Refused("bad-amount", f"what is loaded is a positive amount of {office.settings.currency}")
    entry = ledger.Entry(
        key=f"cash-in:{ids.make_id(secrets.token_bytes(ids.ID_BYTES))}",
        kind="cash-in",
        currency=amount.currency,
        legs={CASH: -amount.minor, wallet.account: amount.minor},
        at_ms=office.clock.now_ms(),
    )
    ledger.post(connection, entry)


def make_code(connection: Connection, office: Office, wallet: Wallet, hours: int = 24) -> str:
    """Make a one-time enrolment code; older ones of the account are void."""
    connection.execute(enrolment_codes.delete().where(enrolment_codes.c.alias == wallet.alias))
    while True:
        code = ids.encode_base32(secrets.token_bytes(ids.ID_BYTES))[:_CODE]
        taken = select(enrolment_codes).where(enrolment_codes.c.handle == code[:_HANDLE])
        if connection.execute(taken).first() is None:
            break
    values = {
        "handle": code[:_HANDLE],
        "alias": wallet.alias,
        "proof": _proof(code),
        "expires_ms": office.clock.now_ms() + hours * _HOUR_MS,
        "tries_left": _TRIES,
    }
    connection.execute(enrolment_codes.insert().values(**values))
    return "-".join(code[start : start + _HANDLE] for start in range(0, _CODE, _HANDLE))


def claim(connection: Connection, office: Office, code: str, public_key: bytes) -> Wallet | None:
    """Give the account to a phone that knows its code; None, and one try less, when it does not."""
    code = code.replace("-", "").replace(" ", "").upper()
    row = connection.execute(select(enrolment_codes).filter_by(handle=code[:_HANDLE])).one_or_none()
    if row is None or row.tries_left < 1 or office.clock.now_ms() > row.expires_ms:
        return None
    found = enrolment_codes.c.handle == row.handle
    is_other_phone = row.used_by is not None and row.used_by != public_key
    if is_other_phone or not hmac.compare_digest(row.proof, _proof(code)):
        connection.execute(enrolment_codes.update().where(found).values(tries_left=row.tries_left - 1))
        return None
    connection.execute(enrolment_codes.update().where(found).values(used_by=public_key))
    connection.execute(wallets.update().where(wallets.c.alias == row.alias).values(public_key=public_key))
    return by_alias(connection, row.alias)


def voucher_for(office: Office, wallet: Wallet) -> bytes:
    """Vouch for the phone of an account for some days; Refused when no phone has claimed it."""
    if wallet.public_key is None:
        raise Refused("no-phone", "no phone has enrolled for this account")
    settings = office.settings.wallet
    issuer: Signer = office.signer
    voucher = make_voucher(
        issuer,
        alias=wallet.alias,
        public_key=point_to_key(wallet.public_key),
        expires_s=office.clock.now_ms() // 1000 + settings.voucher_days * _DAY_S,
        limit=office.money(settings.voucher_limit),
    )
    return write_voucher(voucher)


def by_alias(connection: Connection, alias: bytes) -> Wallet | None:
    """Find an account by its alias."""
    return _wallet(connection.execute(select(wallets).where(wallets.c.alias == alias)).one_or_none())


def by_name(connection: Connection, name: str) -> Wallet | None:
    """Find an account by its name."""
    return _wallet(connection.execute(select(wallets).where(wallets.c.name == name)).one_or_none())


def everybody(connection: Connection) -> list[Wallet]:
    """Give all accounts by name."""
    rows = connection.execute(select(wallets).order_by(func.lower(wallets.c.name)))
    return [wallet for wallet in map(_wallet, rows) if wallet is not None]


def _wallet(row: Row[Any] | None) -> Wallet | None:
    return None if row is None else Wallet(row.alias, row.name, row.secret, row.public_key)


def _proof(code: str) -> bytes:
    return hashlib.sha256(b"tillwave enrolment code 1" + code.encode()).digest()
