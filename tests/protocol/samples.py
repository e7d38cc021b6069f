"""One real value of everything that the protocol can say."""

from __future__ import annotations

from protocol.answers import Beat, Decision, Receipt
from protocol.money import Money
from protocol.phone import Enrolment, Order, StatementRequest
from protocol.questions import (
    AnswerBody,
    CouponAnswer,
    CouponQuestion,
    MemberAnswer,
    MemberQuestion,
    QuestionBody,
    StateAnswer,
    StateQuestion,
    TotalsAnswer,
    TotalsQuestion,
)
from protocol.records import (
    Action,
    Body,
    ChallengeOpened,
    DayClosed,
    Intent,
    Jammed,
    Line,
    Mode,
    Outcome,
    Refund,
    Result,
    Reversal,
    SaleClosed,
    Started,
    Tampered,
    TokenBurned,
    Verdict,
)
from protocol.transport import Birth

SALE, ATTEMPT, COUPON = "aaaaaaaaaaaaaaa2", "bbbbbbbbbbbbbbb3", "ccccccccccccccc4"
PRICE = Money(1_230, "CNY")
NOW_MS = 1_790_000_000_000

BODIES: tuple[Body, ...] = (
    Started(software="0.1.0", settings=bytes(32)),
    ChallengeOpened(sale=SALE, amount=PRICE, nonce=bytes(16), coupons=()),
    ChallengeOpened(
        sale=SALE,
        amount=PRICE,
        nonce=bytes(16),
        coupons=(COUPON,),
        member="m" * 16,
        guide="guide-7",
        attribution="tea-blog",
    ),
    Intent(
        sale=SALE,
        attempt=ATTEMPT,
        amount=PRICE,
        scheme="alipay",
        token=b"280389411343685293",
        mode=Mode.ONLINE,
        coupons=(),
        lines=(),
    ),
    Intent(
        sale=SALE,
        attempt=ATTEMPT,
        amount=PRICE,
        scheme="tillwave",
        token=bytes(181),
        mode=Mode.OFFLINE,
        coupons=(COUPON,),
        lines=(Line(code="06901234567892", label="茶 Tea", quantity=2, amount=PRICE),),
        nonce=bytes(16),
        member="m" * 16,
        guide="guide-7",
        attribution="tea-blog",
    ),
    Outcome(
        sale=SALE,
        subject=ATTEMPT,
        action=Action.PAY,
        verdict=Verdict.DECLINED,
        amount=PRICE,
        reason="insufficient-funds",
        mode=Mode.ONLINE,
    ),
    SaleClosed(sale=SALE, register="till", request="4711", result=Result.PAID, amount=PRICE),
    Reversal(sale=SALE, attempt=ATTEMPT, reason="no-decision"),
    Refund(refund="rrrrrrrrrrrrrrr5", sale=SALE, payment=ATTEMPT, amount=PRICE, supervisor="Wang"),
    TokenBurned(sale=SALE, token_hash=bytes(32), reason="second-token"),
    Tampered(open=1),
    Jammed(on=1, how="noise", device="mic"),
    DayClosed(first=1, paid_count=2, paid=PRICE, refunded_count=1, refunded=Money(30, "CNY")),
)

DECISION = Decision(
    terminal="till-1",
    sale=SALE,
    subject=ATTEMPT,
    action=Action.PAY,
    verdict=Verdict.APPROVED,
    amount=PRICE,
    reason="",
    payer="Tillwave ..4f2",
    at_ms=NOW_MS,
)
RECEIPT = Receipt(terminal="till-1", number=64, hash=bytes(32), at_ms=NOW_MS)
BEAT = Beat(mall="mall-1", session=bytes(8), number=3, at_ms=NOW_MS)

QUESTIONS: tuple[QuestionBody, ...] = (
    CouponQuestion(sale=SALE, code="TWC:CCCCCCCCCCCCCCC4", amount=PRICE),
    MemberQuestion(sale=SALE, code="TWM:MMMMMMMMMMMMMMMM"),
    StateQuestion(subject=ATTEMPT, action=int(Action.REVERSE)),
    TotalsQuestion(first=1, last=64, currency="CNY"),
)
ANSWERS: tuple[AnswerBody, ...] = (
    CouponAnswer(coupon=COUPON, label="5 off", discount=Money(500, "CNY"), funder="merchant", reason=""),
    MemberAnswer(member="m" * 16, name="Li *", discount_basis_points=500, reason=""),
    StateAnswer(subject=ATTEMPT),
    StateAnswer(subject=ATTEMPT, decision=b"signed bytes"),
    TotalsAnswer(paid_count=2, paid=PRICE, refunded_count=0, refunded=Money(0, "CNY"), kept=64),
)
PHONE: tuple[Enrolment | Order | StatementRequest, ...] = (
    Enrolment(code="EEEEEEEEEEEEEEEE", public_key=b"\x02" + bytes(32), at_ms=NOW_MS),
    Order(
        order="ooooooooooooooo6",
        alias=bytes(5),
        terminal="till-1",
        sale=SALE,
        nonce=bytes(16),
        amount=PRICE,
        at_ms=NOW_MS,
    ),
    StatementRequest(alias=bytes(5), at_ms=NOW_MS),
)
BIRTH = Birth(terminal="till-1", certificate=bytes(300), number=64, hash=bytes(32), software="0.1.0")
