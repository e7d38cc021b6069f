"""What every clerk of settlement needs: the settings, the key, the time, and the acquirers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keys.port import Signer
from protocol.money import Money
from settlement.acquirers.port import Acquirer
from settlement.clock import Clock
from settlement.config import Settings


@dataclass(frozen=True, slots=True)
class Office:
    """Shared by all; holds nothing that changes."""

    settings: Settings
    signer: Signer
    clock: Clock
    acquirers: Mapping[str, Acquirer]
    """By scheme."""

    def money(self, minor: int) -> Money:
        """Give an amount of the mall's currency."""
        return Money(minor, self.settings.currency)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A signed message that leaves after what it says was committed."""

    topic: str
    payload: bytes
    expires_s: int
    """After so many seconds the broker may drop it."""
