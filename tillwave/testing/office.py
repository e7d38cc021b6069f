"""Settlement's office of a mall in a box: accounts, coupons and cards, by the same functions that its commands use."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocol.money import Money

if TYPE_CHECKING:
    from settlement.accounts import Wallet
    from settlement.offers import CouponTerms


def open_account(settings: Path, name: str, load_minor: int = 0) -> str:
    """Open an account, load it, and give the code with which a phone enrols once."""
    from settlement import accounts
    from settlement.books import open_books

    with open_books(settings, new=True) as (office, store), store.writing() as connection:
        wallet = accounts.open_account(connection, office, name)
        if load_minor:
            accounts.load_money(connection, office, wallet, Money(load_minor, office.settings.currency))
        return accounts.make_code(connection, office, wallet)


def issue_coupon(settings: Path, terms: CouponTerms, owner: str = "") -> str:
    """Issue a coupon, for one person's phone to show if `owner` names one, and give its code."""
    from settlement import offers
    from settlement.books import open_books

    with open_books(settings, new=True) as (office, store), store.writing() as connection:
        alias = _alias(connection, owner)
        return offers.coupon_text(offers.issue_coupon(connection, office, terms, alias))


def issue_member_card(settings: Path, name: str, percent: int, owner: str = "") -> str:
    """Issue a member card with a member price and give its code."""
    from settlement import offers
    from settlement.books import open_books

    with open_books(settings, new=True) as (office, store), store.writing() as connection:
        alias = _alias(connection, owner)
        return offers.member_text(offers.issue_member(connection, office, name, percent * 100, alias))


def read_ledger(settings: Path) -> dict[str, Any]:
    """Give what `tillwave ledger --json` prints."""
    from tillwave.testing.mall import TILLWAVE

    command = (*TILLWAVE, "ledger", "--config", str(settings), "--json")
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    totals: dict[str, Any] = json.loads(done.stdout)
    return totals


def _alias(connection: Any, owner: str) -> bytes | None:
    from settlement import accounts

    wallet: Wallet | None = accounts.by_name(connection, owner) if owner else None
    return wallet.alias if wallet else None
