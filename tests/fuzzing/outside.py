"""Sound messages for the fuzzer to change, and a register that sends nothing but a body."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from device.server import wire
from keys.port import key_id_of
from protocol import cbor, emv_qr, phone, tokens, transport
from protocol.answers import Beat, Decision
from protocol.envelope import ContentType, seal, take_apart
from protocol.money import Money
from protocol.questions import (
    Answer,
    CouponAnswer,
    CouponQuestion,
    Question,
    StateAnswer,
    TotalsQuestion,
    seal_answer,
    seal_question,
)
from protocol.records import Action, Intent, Line, Mode, Record, Result, SaleClosed, Stamp, Verdict, seal_record

SALE, ATTEMPT = "aaaaaaaaaaaaaaa2", "bbbbbbbbbbbbbbb3"
PRICE = Money(1_230, "CNY")
BODIES: tuple[Any, ...] = (wire.PaymentBody, wire.RefundBody, wire.PairBody, wire.NothingBody)


class SteadyKey:
    """A signer that gives the same signature for the same bytes (RFC 6979), so that every run has the same seeds."""

    def __init__(self) -> None:
        self.private_key = ec.derive_private_key(7, ec.SECP256R1())
        self.public_key = self.private_key.public_key()
        self.key_id = key_id_of(self.public_key)

    def sign(self, data: bytes) -> bytes:
        steady = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(self.private_key.sign(data, steady))
        return r.to_bytes(32) + s.to_bytes(32)


KEY = SteadyKey()


def as_signed(kind: ContentType, read: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """Let somebody sign the input who may: what is inside a true envelope can be hostile, too."""
    return lambda payload: read(seal(payload, kind, KEY))


class _Sent:
    """As much of a request as a body needs."""

    def __init__(self, data: bytes) -> None:
        self.headers = {"content-type": "application/json"}
        self._data = data

    async def body(self) -> bytes:
        return self._data


def json_body(data: bytes) -> object:
    """Read a body as the kind that its length says, without an event loop."""
    sent: Any = _Sent(data)
    reading = wire.read_body(sent, BODIES[len(data) % len(BODIES)])
    try:
        reading.send(None)
    except StopIteration as done:
        body = done.value
    if isinstance(body, wire.PaymentBody) and body.amount is not None:
        return wire.money_of(body.amount)
    return body


def first_messages() -> dict[str, tuple[bytes, ...]]:
    """Give sound inputs of the parsers that need keys."""
    key = KEY
    challenge = tokens.Challenge("till-1", SALE, bytes(16))
    merchant = emv_qr.MerchantDetails(name="Tea House", city="Shanghai", country="CN", category_code="5499")
    code = emv_qr.write_challenge_code(challenge, merchant=merchant, amount=PRICE).encode()
    short = tokens.make_short_token(b"secret", b"alias", 1_790_000_000)
    voucher = tokens.make_voucher(
        key, alias=b"alias", public_key=key.public_key, limit=Money(20_000, "CNY"), expires_s=1_800_000_000
    )
    signed = tokens.make_signed_token(key, voucher, 1_790_000_000)
    sealed = tuple(seal_record(_record(body), key) for body in _bodies())
    certificate = _certificate(key)
    order = phone.Order(
        order=ATTEMPT, alias=b"alias", terminal="till-1", sale=SALE, nonce=bytes(16), amount=PRICE, at_ms=1
    )
    birth = transport.Birth(terminal="till-1", certificate=certificate, number=7, hash=bytes(32), software="0.1.0")
    point = tokens.write_voucher(voucher)[15:48]
    return {
        "merchant": (code,),
        "challenge": (code,),
        "sound": (challenge.to_sound(),),
        "token text": (tokens.token_text(short).encode(), tokens.token_text(signed).encode()),
        "token": (short, signed),
        "record": tuple(take_apart(message, ContentType.RECORD).payload for message in sealed),
        "envelope": sealed,
        "run": (transport.pack_run(sealed),),
        "birth": (transport.seal_birth(birth, key),),
        "phone": (phone.seal_phone(order, key),),
        "point": (point,),
        "certificate": (certificate,),
        **_inside(key),
        "request": (
            b'{"id": "4711", "amount": {"minor": 1230, "currency": "CNY"}}',
            b'{"code": "12345678", "name": "till-7"}',
            b"{}",
        ),
    }


def _inside(key: SteadyKey) -> dict[str, tuple[bytes, ...]]:
    """Give the payloads of what both sides sign besides records."""
    asked = (
        CouponQuestion(sale=SALE, code="TWC:" + "C" * 16, amount=PRICE),
        TotalsQuestion(first=1, last=9, currency="CNY"),
    )
    told = (
        CouponAnswer(coupon=ATTEMPT, label="3 off", discount=PRICE, funder="platform", reason=""),
        StateAnswer(subject=ATTEMPT, decision=b"signed"),
    )
    decision = Decision(
        terminal="till-1", sale=SALE, subject=ATTEMPT, action=Action.PAY, verdict=Verdict.APPROVED, amount=PRICE,
        reason="", payer="Li *", at_ms=1,
    )  # fmt: skip
    questions = (Question(terminal="till-1", question=SALE, at_ms=1, body=body) for body in asked)
    answers = (Answer(terminal="till-1", question=SALE, at_ms=1, body=body) for body in told)
    return {
        "question": tuple(take_apart(seal_question(each, key), ContentType.QUESTION).payload for each in questions),
        "answer": tuple(take_apart(seal_answer(each, key), ContentType.ANSWER).payload for each in answers),
        "decision": (cbor.encode(cbor.to_map(decision)),),
        "beat": (cbor.encode(cbor.to_map(Beat(mall="riverside", session=bytes(8), number=1, at_ms=1))),),
    }


def _bodies() -> tuple[Any, ...]:
    line = Line(code="06901234567892", label="Tea", quantity=2, amount=PRICE)
    intent = Intent(
        sale=SALE, attempt=ATTEMPT, amount=PRICE, scheme="alipay", token=b"280389411343685293", mode=Mode.ONLINE,
        coupons=(), lines=(line,), nonce=bytes(16), guide="guide-7", attribution="tea-blog",
    )  # fmt: skip
    return intent, SaleClosed(sale=SALE, register="till", request="4711", result=Result.PAID, amount=PRICE)


def _record(body: Any) -> Record:
    stamp = Stamp(boot_id=bytes(16), monotonic_ms=1, wall_ms=1_790_000_000_000, wall_quality=2)
    return Record(terminal="till-1", number=1, previous=bytes(32), stamp=stamp, body=body)


def _certificate(key: SteadyKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "till-1")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key).serial_number(7)
    builder = builder.not_valid_before(start).not_valid_after(start + dt.timedelta(days=1))
    return builder.sign(key.private_key, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)
