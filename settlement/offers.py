"""Coupons and member cards.

A coupon is good once: a question reserves it for a sale, an approved payment redeems it, the end of an unpaid sale
frees it, and so does time when no payment came. The discount of a percentage is rounded down to a minor unit, and no
discount is larger than what is due.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from protocol import ids, tokens
from protocol.money import Money
from protocol.questions import CouponAnswer, CouponQuestion, MemberAnswer, MemberQuestion
from settlement import sales
from settlement.config import WHOLE
from settlement.errors import Refused
from settlement.office import Office
from settlement.splits import COUPON_FUNDING, MERCHANT, Funding, account_of
from settlement.tables import coupons, members, reservations

_SHORTEST_CARD, _LONGEST_CARD = 8, 40
_CARD_DOMAIN = b"tillwave member card 1"
_DAY_MS = 86_400_000
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponTerms:
    """What a coupon is worth: a fixed amount or a part, from a threshold on."""

    label: str
    funder: str
    minor: int = 0
    basis_points: int = 0
    threshold: int = 0
    days: int | None = None

    def __post_init__(self) -> None:
        if (self.minor > 0) == (self.basis_points > 0) or self.minor < 0 or not 0 <= self.basis_points <= WHOLE:
            raise Refused("bad-coupon", "a coupon is worth either an amount or 1 to 10000 basis points")
        if self.threshold < 0 or (self.days is not None and self.days < 1):
            raise Refused("bad-coupon", "threshold and days of a coupon are not negative")

    def discount(self, due: int) -> int:
        """Give what it takes off."""
        return min(due, self.minor or due * self.basis_points // WHOLE)


def coupon_text(coupon: str) -> str:
    """Write a coupon as the text of a code."""
    return tokens.COUPON_PREFIX + coupon.upper()


def red_packet_text(coupon: str) -> str:
    """Write a coupon as the text of a red packet's code."""
    return tokens.RED_PACKET_PREFIX + coupon.upper()


def member_text(member: str) -> str:
    """Write a member card as the text of a code."""
    return tokens.MEMBER_PREFIX + member.upper()


def issue_coupon(connection: Connection, office: Office, terms: CouponTerms, owner: bytes | None = None) -> str:
    """Make one coupon, perhaps for the wallet `owner`; gives its id. Refused for a funder of no use here."""
    if terms.funder not in office.settings.coupons.funders:
        possible = ", ".join(office.settings.coupons.funders)
        raise Refused("bad-coupon", f"{terms.funder!r} pays for no coupons here; possible: {possible}")
    coupon, now = ids.make_id(secrets.token_bytes(ids.ID_BYTES)), office.clock.now_ms()
    values = {
        "label": terms.label,
        "funder": terms.funder,
        "minor": terms.minor,
        "basis_points": terms.basis_points,
        "threshold": terms.threshold,
        "currency": office.settings.currency,
        "expires_ms": None if terms.days is None else now + terms.days * _DAY_MS,
        "issued_ms": now,
        "owner": owner,
    }
    connection.execute(coupons.insert().values(coupon=coupon, **values))
    return coupon


def is_card(number: str) -> bool:
    """Tell whether a text can be the number of a card that another issuer made."""
    return number.isascii() and number.isalnum() and _SHORTEST_CARD <= len(number) <= _LONGEST_CARD


def member_of_card(number: str) -> str:
    """Give the member id that belongs to the number of another issuer's card; the number itself is not kept."""
    return ids.make_id(hashlib.sha256(_CARD_DOMAIN + number.encode()).digest()[: ids.ID_BYTES])


def issue_member(
    connection: Connection,
    office: Office,
    name: str,
    basis_points: int,
    owner: bytes | None = None,
    *,
    card: str = "",
) -> str:
    """Make a member card, or take in the one of another issuer with number `card`; gives its id."""
    if card and not is_card(card):
        raise Refused("bad-member", f"the number of a card is {_SHORTEST_CARD} to {_LONGEST_CARD} letters and digits")
    if not 0 <= basis_points < WHOLE:
        raise Refused("bad-member", "a member price takes 0 to 9999 basis points off")
    member = member_of_card(card) if card else ids.make_id(secrets.token_bytes(ids.ID_BYTES))
    if connection.execute(select(members).where(members.c.member == member)).one_or_none() is not None:
        raise Refused("bad-member", "this card belongs to a member already")
    values = {"name": name, "basis_points": basis_points, "owner": owner, "issued_ms": office.clock.now_ms()}
    connection.execute(members.insert().values(member=member, **values))
    return member


def answer_coupon(connection: Connection, office: Office, terminal: str, question: CouponQuestion) -> CouponAnswer:
    """Say what a coupon is worth for a sale, and reserve it; or why not."""
    coupon = _coupon_of(question.code)
    row = connection.execute(select(coupons).where(coupons.c.coupon == coupon)).one_or_none()
    reason = "unknown-coupon" if row is None else _coupon_objection(connection, office, terminal, question, row)
    if row is None or reason:
        return CouponAnswer(
            coupon=coupon, label="", discount=Money(0, question.amount.currency), funder="", reason=reason
        )
    terms = CouponTerms(label=row.label, funder=row.funder, minor=row.minor, basis_points=row.basis_points)
    discount = terms.discount(question.amount.minor)
    _reserve(connection, office, coupon, terminal, question.sale, discount=discount)
    money = Money(discount, question.amount.currency)
    return CouponAnswer(coupon=coupon, label=row.label, discount=money, funder=row.funder, reason="")


def answer_member(connection: Connection, question: MemberQuestion) -> MemberAnswer:
    """Say whose card it is."""
    member = _member_of(question.code)
    row = connection.execute(select(members).where(members.c.member == member)).one_or_none()
    if row is None:
        return MemberAnswer(member=member, name="", discount_basis_points=0, reason="unknown-member")
    return MemberAnswer(member=member, name=_greeting(row.name), discount_basis_points=row.basis_points, reason="")


def fundings(connection: Connection, terminal: str, sale: str, presented: Sequence[str]) -> tuple[Funding, ...]:
    """Give who pays the discounts of a sale's coupons; Refused when one of them is not (any more) the sale's."""
    together: dict[str, int] = {}
    for row in _of_sale(connection, terminal, sale, presented):
        if row.redeemed_ms is not None:
            raise Refused("coupon-gone")
        if row.funder != MERCHANT:
            account = account_of(COUPON_FUNDING, row.funder)
            together[account] = together.get(account, 0) + row.discount
    return tuple(Funding(account, minor) for account, minor in together.items())


def redeem(connection: Connection, terminal: str, sale: str, presented: Sequence[str], at_ms: int) -> None:
    """Use a sale's coupons up."""
    for row in _of_sale(connection, terminal, sale, presented):
        connection.execute(coupons.update().where(coupons.c.coupon == row.coupon).values(redeemed_ms=at_ms))


def take_back(connection: Connection, terminal: str, sale: str) -> None:
    """Make the coupons of a reversed payment good again; they stay reserved until the sale ends."""
    mine = select(reservations.c.coupon).filter_by(terminal=terminal, sale=sale)
    connection.execute(coupons.update().where(coupons.c.coupon.in_(mine)).values(redeemed_ms=None))


def release(connection: Connection, terminal: str, sale: str) -> None:
    """Let go of a sale's coupons that were not redeemed."""
    free = select(coupons.c.coupon).where(coupons.c.redeemed_ms.is_(None))
    mine = (reservations.c.terminal == terminal, reservations.c.sale == sale)
    connection.execute(reservations.delete().where(*mine, reservations.c.coupon.in_(free)))


def reserved(connection: Connection, terminal: str, sale: str) -> tuple[str, ...]:
    """Give the coupons that a sale holds and has not redeemed."""
    query = select(reservations.c.coupon).select_from(reservations.join(coupons))
    mine = (reservations.c.terminal == terminal, reservations.c.sale == sale)
    return tuple(connection.scalars(query.where(*mine, coupons.c.redeemed_ms.is_(None))))


def _id_of(code: str, prefix: str) -> str:
    """Give the id in the text of a code, or the id itself; empty when it is neither."""
    name = code.removeprefix(prefix).lower()
    return name if ids.is_id(name) else ""


def _coupon_of(code: str) -> str:
    """Give the id of a coupon or red packet; empty when the text is none."""
    is_red_packet = code.startswith(tokens.RED_PACKET_PREFIX)
    return _id_of(code, tokens.RED_PACKET_PREFIX if is_red_packet else tokens.COUPON_PREFIX)


def _member_of(code: str) -> str:
    """Give the id of a member by the text of a card, of the house or of another issuer; empty when it is none."""
    return _id_of(code, tokens.MEMBER_PREFIX) or (member_of_card(code) if is_card(code) else "")


def _of_sale(connection: Connection, terminal: str, sale: str, presented: Sequence[str]) -> list[Row[Any]]:
    wanted = {_coupon_of(code) for code in presented}
    query = select(coupons, reservations.c.discount).select_from(coupons.join(reservations))
    query = query.where(reservations.c.terminal == terminal, reservations.c.sale == sale)
    rows = connection.execute(query.where(coupons.c.coupon.in_(wanted)).order_by(coupons.c.coupon)).all()
    if len(rows) != len(wanted):
        raise Refused("coupon-gone")
    return list(rows)


def _coupon_objection(
    connection: Connection, office: Office, terminal: str, question: CouponQuestion, row: Row[Any]
) -> str:
    now = office.clock.now_ms()
    held = connection.execute(select(reservations).where(reservations.c.coupon == row.coupon)).one_or_none()
    held_by_other = held is not None and (held.terminal, held.sale) != (terminal, question.sale)
    objections = (
        ("bad-request", not ids.is_id(question.sale)),
        ("coupon-used", row.redeemed_ms is not None),
        ("coupon-expired", row.expires_ms is not None and now > row.expires_ms),
        ("coupon-currency", question.amount.currency != row.currency),
        ("coupon-threshold", question.amount.minor < max(row.threshold, 1)),
        ("coupon-reserved", held_by_other and held is not None and now <= held.expires_ms),
        ("sale-closed", sales.is_closed(connection, terminal, question.sale)),
    )
    return next((word for word, applies in objections if applies), "")


def _reserve(connection: Connection, office: Office, coupon: str, terminal: str, sale: str, *, discount: int) -> None:
    expires_ms = office.clock.now_ms() + office.settings.coupons.reservation_minutes * _MINUTE_MS
    values = {"terminal": terminal, "sale": sale, "discount": discount, "expires_ms": expires_ms}
    row = reservations.c.coupon == coupon
    if connection.execute(reservations.update().where(row).values(**values)).rowcount == 0:
        connection.execute(reservations.insert().values(coupon=coupon, **values))


def _greeting(name: str) -> str:
    """Show the first word of a name alone, "Li *" of "Li Wei"."""
    first, _, rest = name.partition(" ")
    return f"{first} *" if rest else first
