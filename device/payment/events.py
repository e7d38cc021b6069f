"""What can happen to a sale, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from device.payment.sale import Coupon, Member, Sale
from protocol.answers import Decision
from protocol.records import Action, Body, Line, Mode


class Timing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the checkout waits, in seconds."""

    sale_deadline_s: int = 180
    """A sale that nobody pays ends unpaid."""
    decision_timeout_s: int = 5
    password_timeout_s: int = 45
    query_interval_s: int = 2
    """Between two questions about an unknown outcome."""
    reverse_after_s: int = 20
    """An outcome that stays unknown so long is reversed."""


@dataclass(frozen=True, slots=True)
class GoodsAdded:
    """An article was scanned."""

    line: Line
    notice: str = "goods-added"


@dataclass(frozen=True, slots=True)
class Attributed:
    """A split code says who brought the shopper."""

    party: str


@dataclass(frozen=True, slots=True)
class CouponGranted:
    """Settlement has reserved a coupon for the sale."""

    coupon: Coupon


@dataclass(frozen=True, slots=True)
class MemberKnown:
    """Settlement knows the member."""

    member: Member


@dataclass(frozen=True, slots=True)
class ChallengeShown:
    """A challenge for the present amount was made."""

    nonce: bytes
    challenge: str


@dataclass(frozen=True, slots=True)
class TokenPresented:
    """A payment token that may be tried, with the mode in which risk allows it."""

    attempt: str
    scheme: str
    token: bytes = field(repr=False)
    mode: Mode
    began_ms: int


@dataclass(frozen=True, slots=True)
class TokenSeen:
    """A payment token was presented and is not tried; `notice` says why."""

    token: bytes = field(repr=False)
    notice: str


@dataclass(frozen=True, slots=True)
class Decided:
    """Settlement has decided about something of this sale."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """Register or cashier want the sale cancelled."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The terminal stops, or has found the sale open when it started again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = (
    GoodsAdded
    | Attributed
    | CouponGranted
    | MemberKnown
    | ChallengeShown
    | TokenPresented
    | TokenSeen
    | Decided
    | CancelAsked
    | Interrupted
    | Tick
)


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from one event: write `bodies`, then show `sale`, then ask settlement about `asked`."""

    sale: Sale
    bodies: tuple[Body, ...] = ()
    asked: tuple[tuple[str, Action], ...] = ()


@dataclass(frozen=True, slots=True)
class Now:
    """The time of an event."""

    monotonic_ms: int
    wall_ms: int
