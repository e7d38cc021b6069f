"""The port to an acquirer.

An acquirer says whether the shopper's money can be had; the entry in the ledger is booked by settlement in the same
transaction. Asked again for the same attempt, it says what became of it, and charges nothing twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from sqlalchemy import Connection

from protocol.money import Money
from protocol.records import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRequest:
    """One token tried for a sale."""

    terminal: str
    sale: str
    attempt: str
    amount: Money
    token: bytes = field(repr=False)
    nonce: bytes | None
    """The challenge that the token may be bound to."""
    offline: bool
    """The terminal has accepted it already, by itself."""
    presented_s: int
    """When the token was presented: now, or for an offline attempt what the terminal's clock said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRequest:
    """Money goes back: all that is left of a payment, or a part of it."""

    terminal: str
    payment: str
    reference: str
    """Id of the refund; of the payment itself for a reversal."""
    source: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Charge:
    """What the acquirer said."""

    verdict: Verdict
    reason: str = ""
    """A word, empty when approved."""
    payer: str = ""
    """How the slip names the payer."""
    source: str = ""
    """The account of the ledger that pays; for a declined one who should have paid, if that is known."""

    @classmethod
    def declined(cls, reason: str, payer: str = "", source: str = "") -> Charge:
        """Say no."""
        return cls(Verdict.DECLINED, reason, payer, source)


class Acquirer(ABC):
    """One way to the shopper's money."""

    @abstractmethod
    def charge(self, connection: Connection, request: ChargeRequest) -> Charge:
        """Take the money; PENDING while the shopper is asked for a password."""

    @abstractmethod
    def refund(self, connection: Connection, request: UndoRequest) -> Charge:
        """Give a part back."""

    @abstractmethod
    def reverse(self, connection: Connection, request: UndoRequest) -> Charge:
        """Undo an attempt, whether or not it was charged; APPROVED when nothing is charged any more."""
