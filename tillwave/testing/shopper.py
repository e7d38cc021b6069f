"""A shopper with a phone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tillwave.testing import office

if TYPE_CHECKING:
    from tillwave.testing.mall import BoxedMall
    from wallet.phone import Phone


class Shopper:
    """A person with an account at the house wallet, and a phone to pay with."""

    def __init__(self, name: str, folder: Path, phone: Phone) -> None:
        self.name = name
        self.folder = folder
        self.phone = phone

    def close(self) -> None:
        """Put the phone away."""
        self.phone.close()


def enrol_shopper(mall: BoxedMall, name: str, load_minor: int) -> Shopper:
    """Open an account, and enrol a phone with the code that the office gives."""
    from wallet.account import enrol
    from wallet.phone import Phone

    code = office.open_account(mall.settlement_settings, name, load_minor)
    folder = mall.folder / "phones" / name
    enrol(folder, mall.phone_url, code, mall.authority_certificate)
    return Shopper(name, folder, Phone.open(folder))
