"""The smallest world around one sale: a settlement as plain as its rules, a queue of records, news that may come late.

Every step gives a new world. What settlement has once decided may reach the terminal now, later, twice or never;
records reach settlement in their order. Time is what is left until a timer, so that equal situations are equal worlds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from counter_house import START_MS, TIMING, cny

from device.payment.checkout import advance, next_tick_ms
from device.payment.events import (
    CancelAsked,
    ChallengeShown,
    CouponGranted,
    Decided,
    Event,
    GoodsAdded,
    Interrupted,
    Now,
    Tick,
    TokenPresented,
)
from device.payment.sale import Coupon, Sale
from device.payment.views import Phase
from protocol.answers import Decision
from protocol.money import Money
from protocol.records import (
    Action,
    Body,
    ChallengeOpened,
    Intent,
    Line,
    Mode,
    Outcome,
    Result,
    Reversal,
    SaleClosed,
    Verdict,
)

SALE = "s" * 16
NOW = Now(1_000_000, START_MS)
_TEA = Line(code="06901234567892", label="Tea", quantity=1, amount=cny(600))
_COUPON = Coupon("c1", "one off", cny(100))
_MOST_ATTEMPTS, _MOST_ORDERS, _MOST_LINES = 3, 2, 2
_TIMERS = ("deadline_ms", "decide_by_ms", "ask_at_ms")


class Whereabouts(Enum):
    """Where the shopper's money of one attempt or order is."""

    PENDING = "the shopper is asked"
    CHARGED = "with the merchant"
    DECLINED = "never moved"
    REVERSED = "given back, or never to be taken"


@dataclass(frozen=True, slots=True)
class Said:
    """A decision of settlement."""

    subject: str
    action: Action
    verdict: Verdict
    amount: Money


@dataclass(frozen=True, slots=True)
class World:
    """A sale at the terminal, and everything outside that knows of it."""

    sale: Sale
    queue: tuple[Body, ...] = ()
    """Records that settlement has not taken yet."""
    approved: frozenset[str] = frozenset()
    """Subjects that a record of the terminal calls approved."""
    reversed_: frozenset[str] = frozenset()
    """Subjects that a record of the terminal takes back."""
    intents: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    """Subjects whose outcome is in a record."""
    ends: int = 0
    money: frozenset[tuple[str, Whereabouts, int]] = frozenset()
    """Settlement: subject, where its money is, minor units."""
    offline: frozenset[tuple[str, int]] = frozenset()
    """Settlement: offline intents that wait for their outcome."""
    open_nonce: bytes | None = None
    """Settlement: the newest challenge of the open sale."""
    open_minor: int = 0
    is_closed: bool = False
    said: frozenset[Said] = frozenset()
    attempts: int = 0
    orders: int = 0
    nonces: int = 0

    def where(self, subject: str) -> Whereabouts | None:
        """Tell where the money of an attempt or order is; None before settlement has heard of it."""
        return next((where for name, where, _ in self.money if name == subject), None)

    @property
    def charged_minor(self) -> int:
        """What shoppers have paid for this sale."""
        return sum(minor for _, where, minor in self.money if where is Whereabouts.CHARGED)


def begin(minor: int | None = 1_000) -> World:
    """Open a sale and show its challenge, as the till does; None makes the basket out of goods."""
    asked = None if minor is None else cny(minor)
    sale = Sale(SALE, "till", "R1", asked, "CNY", 0, deadline_ms=NOW.monotonic_ms + TIMING.sale_deadline_s * 1000)
    return _show_challenge(World(sale))


def futures(world: World) -> Iterator[tuple[str, World]]:
    """Give everything that may happen next, with a name for it."""
    yield from _at_the_counter(world)
    yield from _at_settlement(world)
    for said in sorted(world.said, key=repr):
        yield f"hear {said.action.name} {said.subject} {said.verdict.name}", hear(world, said)


def _at_the_counter(world: World) -> Iterator[tuple[str, World]]:
    if world.attempts < _MOST_ATTEMPTS and world.sale.due.minor > 0 and world.sale.phase is Phase.GATHERING:
        yield "token online", present(world, Mode.ONLINE)
        yield "token offline", present(world, Mode.OFFLINE)
    yield "cancel", tell(world, CancelAsked())
    yield "power cut", tell(world, Interrupted("interrupted"))
    if not world.sale.phase.is_final:
        yield "time passes", pass_time(world)
    if world.sale.asked is None and sum(line.quantity for line in world.sale.lines) < _MOST_LINES:
        yield "goods", _change(world, GoodsAdded(_TEA))
    if not world.sale.coupons and world.sale.due.minor > _COUPON.discount.minor:
        yield "coupon", _change(world, CouponGranted(_COUPON))


def _at_settlement(world: World) -> Iterator[tuple[str, World]]:
    if world.queue:
        for verdict in _possible_verdicts(world, world.queue[0]):
            yield f"settlement takes {type(world.queue[0]).__name__} {verdict.name}", take(world, verdict)
    for subject, where, _ in sorted(world.money, key=repr):
        if where is Whereabouts.PENDING:
            yield f"password for {subject}", answer_password(world, subject, Verdict.APPROVED)
            yield f"no password for {subject}", answer_password(world, subject, Verdict.DECLINED)
    if can_order(world):
        yield "phone pays", order(world)


# the terminal


def tell(world: World, event: Event) -> World:
    """Let something happen to the sale: records are written before anything else follows."""
    step = advance(world.sale, event, NOW, TIMING)
    return _written(replace(world, sale=_timeless(step.sale)), step.bodies)


def present(world: World, mode: Mode) -> World:
    """Present a token that was never seen."""
    name = f"a{world.attempts + 1}"
    event = TokenPresented(name, "alipay", name.encode(), mode, NOW.monotonic_ms)
    return replace(tell(world, event), attempts=world.attempts + 1)


def pass_time(world: World) -> World:
    """Wait for the next timer of the sale."""
    due = next_tick_ms(world.sale)
    assert due is not None
    gone = max(0, due - NOW.monotonic_ms)
    timers = {name: max(0, getattr(world.sale, name) - gone) for name in _TIMERS}
    waited = replace(world, sale=replace(world.sale, **timers))
    return tell(waited, Tick())


def hear(world: World, said: Said) -> World:
    """Let a decision reach the terminal."""
    decision = Decision(
        terminal="till-1",
        sale=SALE,
        subject=said.subject,
        action=said.action,
        verdict=said.verdict,
        amount=said.amount,
        reason="" if said.verdict is Verdict.APPROVED else "said-so",
        payer="",
        at_ms=0,
    )
    return tell(world, Decided(decision))


def _change(world: World, event: Event) -> World:
    changed = tell(world, event)
    return changed if changed.sale.due == world.sale.due else _show_challenge(changed)


def _show_challenge(world: World) -> World:
    if world.sale.due.minor <= 0:
        return world
    nonce = bytes([world.nonces + 1]) * 16
    shown = tell(world, ChallengeShown(nonce, "a code"))
    return replace(shown, nonces=world.nonces + 1)


def _timeless(sale: Sale) -> Sale:
    """Forget what tells equal sales apart and decides nothing."""
    attempt = sale.attempt and replace(sale.attempt, began_ms=0)
    return replace(sale, attempt=attempt, attempt_ms=0, closed_ms=0, notice="", attempts=())


def _written(world: World, bodies: tuple[Body, ...]) -> World:
    for body in bodies:
        match body:
            case Intent(attempt=subject):
                world = replace(world, intents=world.intents | {subject})
            case Outcome(subject=subject, action=action, verdict=verdict):
                world = replace(world, told=world.told | {subject})
                if verdict is Verdict.APPROVED and action is not Action.REVERSE:
                    assert not world.approved, "a second payment"
                    world = replace(world, approved=world.approved | {subject})
            case Reversal(attempt=subject):
                assert subject not in world.reversed_, "reversed twice"
                world = replace(world, reversed_=world.reversed_ | {subject})
            case SaleClosed():
                world = replace(world, ends=world.ends + 1)
            case _:
                pass
    return replace(world, queue=(*world.queue, *bodies))


# settlement


def can_order(world: World) -> bool:
    """Tell whether a phone may pay: the newest challenge that settlement knows, of an open and unpaid sale."""
    is_open = world.open_nonce is not None and not world.is_closed
    return is_open and world.orders < _MOST_ORDERS and not world.charged_minor


def order(world: World) -> World:
    """Let a phone pay the open challenge."""
    name, amount = f"o{world.orders + 1}", cny(world.open_minor)
    paid = _moved(world, name, Whereabouts.CHARGED, world.open_minor)
    return _say(replace(paid, orders=world.orders + 1), name, Action.ORDER, Verdict.APPROVED, amount)


def take(world: World, verdict: Verdict) -> World:
    """Let settlement take the next record; `verdict` is what the acquirer says if it is asked."""
    body, world = world.queue[0], replace(world, queue=world.queue[1:])
    match body:
        case ChallengeOpened(nonce=nonce, amount=amount) if not world.is_closed:
            world = replace(world, open_nonce=nonce, open_minor=amount.minor)
        case Intent(attempt=subject, amount=amount, mode=Mode.OFFLINE):
            world = replace(world, offline=world.offline | {(subject, amount.minor)})
        case Intent(attempt=subject, amount=amount):
            world = _charge(world, subject, amount, verdict)
        case Outcome(subject=subject, verdict=Verdict.APPROVED, action=Action.PAY, mode=Mode.OFFLINE, amount=amount):
            assert (subject, amount.minor) in world.offline, "an offline outcome without its intent"
            world = _charge(_give_orders_back(world), subject, amount, verdict)
        case Reversal(attempt=subject):
            world = _reverse(world, subject)
        case SaleClosed(result=result):
            closed = replace(world, is_closed=True)
            world = closed if result is Result.PAID else _give_orders_back(closed)
    return world


def answer_password(world: World, subject: str, verdict: Verdict) -> World:
    """Let the shopper type the password, or not."""
    minor = next(minor for name, _, minor in world.money if name == subject)
    where = Whereabouts.CHARGED if verdict is Verdict.APPROVED else Whereabouts.DECLINED
    if where is Whereabouts.CHARGED and world.charged_minor:
        where, verdict = Whereabouts.DECLINED, Verdict.DECLINED
    return _say(_moved(world, subject, where, minor), subject, Action.PAY, verdict, cny(minor))


def _possible_verdicts(world: World, body: Body) -> tuple[Verdict, ...]:
    match body:
        case Intent(mode=Mode.ONLINE) if not world.charged_minor:
            return (Verdict.APPROVED, Verdict.DECLINED, Verdict.PENDING)
        case Outcome(verdict=Verdict.APPROVED, action=Action.PAY, mode=Mode.OFFLINE):
            return (Verdict.APPROVED, Verdict.DECLINED)
    return (Verdict.DECLINED,)


def _charge(world: World, subject: str, amount: Money, verdict: Verdict) -> World:
    assert world.where(subject) is None, "an attempt is charged once"
    if verdict is Verdict.PENDING:
        return _say(_moved(world, subject, Whereabouts.PENDING, amount.minor), subject, Action.PAY, verdict, amount)
    is_charged = verdict is Verdict.APPROVED
    where = Whereabouts.CHARGED if is_charged else Whereabouts.DECLINED
    return _say(_moved(world, subject, where, amount.minor), subject, Action.PAY, verdict, amount)


def _reverse(world: World, subject: str) -> World:
    minor = next((minor for name, _, minor in world.money if name == subject), 0)
    said = _say(world, subject, Action.REVERSE, Verdict.APPROVED, cny(minor))
    return said if world.where(subject) is Whereabouts.DECLINED else _moved(said, subject, Whereabouts.REVERSED, minor)


def _give_orders_back(world: World) -> World:
    for subject, where, _ in sorted(world.money, key=repr):
        if subject.startswith("o") and where is Whereabouts.CHARGED:
            world = _reverse(world, subject)
    return world


def _moved(world: World, subject: str, where: Whereabouts, minor: int) -> World:
    others = frozenset(entry for entry in world.money if entry[0] != subject)
    return replace(world, money=others | {(subject, where, minor)})


def _say(world: World, subject: str, action: Action, verdict: Verdict, amount: Money) -> World:
    return replace(world, said=world.said | {Said(subject, action, verdict, amount)})
