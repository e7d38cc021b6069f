"""A shopper with a phone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocol.money import Money

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
    """Open an account by the command line, as the mall's office does, and enrol a phone with the code it gives."""
    from wallet.account import enrol
    from wallet.phone import Phone

    load = Money(load_minor, mall.plan.currency).decimal
    account = tillwave_json(mall, "account", "open", name, "--load", load)
    folder = mall.folder / "phones" / name
    enrol(folder, mall.phone_url, account["code"], mall.authority_certificate)
    return Shopper(name, folder, Phone.open(folder))


def tillwave_json(mall: BoxedMall, *words: str) -> Any:
    """Run a command of settlement's office and give what it prints as JSON."""
    from tillwave.testing.mall import TILLWAVE

    command = (*TILLWAVE, *words, "--config", str(mall.settlement_settings), "--json")
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)
