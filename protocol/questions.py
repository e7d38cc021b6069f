"""What a terminal asks without a record, signed with its record key, and settlement's signed answers.

A question moves no money. An answer names its question; one that comes late is dropped by the asker.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from keys.port import Signer
from protocol import cbor
from protocol.cbor import key
from protocol.envelope import ContentType, open_envelope, seal
from protocol.errors import Malformed
from protocol.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponQuestion:
    """What is this coupon worth for this sale? A good answer reserves it for the sale."""

    sale: str = key(1)
    code: str = key(2, secret=True)
    """The text of the code, "TWC:...". """
    amount: Money = key(3)
    """What is due so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponAnswer:
    """The coupon's worth, or why it is refused (`reason`, then `discount` is zero)."""

    coupon: str = key(1)
    label: str = key(2)
    discount: Money = key(3)
    funder: str = key(4)
    """Who pays for it: "merchant", "platform" or "brand"."""
    reason: str = key(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberQuestion:
    """Whose member card is this?"""

    sale: str = key(1)
    code: str = key(2, secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberAnswer:
    """The member, or why the card is refused (`reason`)."""

    member: str = key(1)
    name: str = key(2)
    """As the display greets, for example "Li *"."""
    discount_basis_points: int = key(3)
    """Member price: hundredths of a percent off the goods, 0 for none."""
    reason: str = key(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateQuestion:
    """What became of an attempt, reversal, refund or order?"""

    subject: str = key(1)
    action: int = key(2)
    """A `records.Action`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAnswer:
    """The signed decision if there is one; None when settlement never saw the subject."""

    subject: str = key(1)
    decision: bytes | None = key(2, optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsQuestion:
    """What has settlement booked for this terminal from record `first` to record `last`?"""

    first: int = key(1)
    last: int = key(2)
    currency: str = key(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsAnswer:
    """Counts and sums of approved payments and refunds; reversed payments count in neither."""

    paid_count: int = key(1)
    paid: Money = key(2)
    refunded_count: int = key(3)
    refunded: Money = key(4)
    kept: int = key(5)
    """Number of the last record that settlement holds."""


QuestionBody = CouponQuestion | MemberQuestion | StateQuestion | TotalsQuestion
AnswerBody = CouponAnswer | MemberAnswer | StateAnswer | TotalsAnswer

_QUESTIONS: dict[int, type[QuestionBody]] = {1: CouponQuestion, 2: MemberQuestion, 3: StateQuestion, 4: TotalsQuestion}
_ANSWERS: dict[int, type[AnswerBody]] = {1: CouponAnswer, 2: MemberAnswer, 3: StateAnswer, 4: TotalsAnswer}
_NUMBERS: dict[type, int] = {kind: number for kinds in (_QUESTIONS, _ANSWERS) for number, kind in kinds.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of a terminal."""

    terminal: str
    question: str
    """Its id."""
    at_ms: int
    body: QuestionBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Settlement's answer to one question."""

    terminal: str
    question: str
    at_ms: int
    body: AnswerBody


def seal_question(question: Question, signer: Signer) -> bytes:
    """Sign a question with the terminal's record key."""
    return seal(_write(question), ContentType.QUESTION, signer)


def open_question(message: bytes, public_key: ec.EllipticCurvePublicKey) -> Question:
    """Read a question of the terminal with this key; Malformed or Forged otherwise."""
    header, body = _read(open_envelope(message, ContentType.QUESTION, public_key))
    if header.kind not in _QUESTIONS:
        raise Malformed("the question is of no known kind")
    return Question(
        terminal=header.terminal,
        question=header.question,
        at_ms=header.at_ms,
        body=cbor.from_map(_QUESTIONS[header.kind], body),
    )


def seal_answer(answer: Answer, signer: Signer) -> bytes:
    """Sign an answer with settlement's key."""
    return seal(_write(answer), ContentType.ANSWER, signer)


def open_answer(message: bytes, public_key: ec.EllipticCurvePublicKey) -> Answer:
    """Read an answer of settlement; Malformed or Forged otherwise."""
    header, body = _read(open_envelope(message, ContentType.ANSWER, public_key))
    if header.kind not in _ANSWERS:
        raise Malformed("the answer is of no known kind")
    return Answer(
        terminal=header.terminal,
        question=header.question,
        at_ms=header.at_ms,
        body=cbor.from_map(_ANSWERS[header.kind], body),
    )


_BODY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    terminal: str = key(1)
    question: str = key(2)
    at_ms: int = key(3)
    kind: int = key(4)


def _write(message: Question | Answer) -> bytes:
    header = _Header(
        terminal=message.terminal,
        question=message.question,
        at_ms=message.at_ms,
        kind=_NUMBERS[type(message.body)],
    )
    return cbor.encode({**cbor.to_map(header), _BODY: cbor.to_map(message.body)})


def _read(payload: bytes) -> tuple[_Header, object]:
    data = cbor.decode(payload)
    if not isinstance(data, dict) or _BODY not in data:
        raise Malformed("the message is a map with a body")
    body = data.pop(_BODY)
    return cbor.from_map(_Header, data), body
