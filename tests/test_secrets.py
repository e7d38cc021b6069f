"""What may pay, or opens something, is in no repr and in no error: both end up in logs."""

import secrets

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from device.drivers.base import Scan
from device.drivers.framing import Frame
from device.payment.events import TokenPresented
from device.payment.journal import Entry
from device.payment.presented import Badge, CouponCode, ForeignToken, MemberCard, WalletToken
from device.payment.views import RefundRequest
from device.ports import Reading, Source
from device.server.wire import AmountBody, PagePairBody, PairBody, RefundBody
from protocol import tokens
from protocol.envelope import ContentType, Envelope
from protocol.money import Money
from protocol.phone import Enrolment
from protocol.questions import CouponQuestion, MemberQuestion
from protocol.records import Intent, Mode
from settlement.acquirers.port import ChargeRequest
from settlement.config import BrokerSettings, Settings, Splits
from settlement.store import Store

SECRET = "TWB:SECRETSECRETSECRET"
RAW = SECRET.encode()
AMOUNT = Money(100, "CNY")


def intent() -> Intent:
    return Intent(
        sale="s", attempt="a", amount=AMOUNT, scheme="tillwave", token=RAW, mode=Mode.ONLINE, coupons=(), lines=()
    )


def charge() -> ChargeRequest:
    return ChargeRequest(
        terminal="t", sale="s", attempt="a", amount=AMOUNT, token=RAW, nonce=None, offline=False, presented_s=0
    )


def settlement_settings() -> Settings:
    database = f"postgresql+psycopg://tillwave:{SECRET}@db/tillwave"
    return msgspec.convert(
        {
            "mall": "riverside",
            "currency": "CNY",
            "merchant": "Riverside Tea",
            "authority": "ca.crt",
            "key": "settlement.key",
            "certificate": "settlement.crt",
            "database": database,
            "broker": BrokerSettings(certificate="tls.crt", key="tls.key"),
            "splits": Splits(version="1", merchant=10_000),
        },
        Settings,
        dec_hook=lambda kind, value: kind(value),
    )


@pytest.mark.parametrize(
    "value",
    [
        Reading(Source.SCANNER, "hand", "QR", RAW, 0),
        Scan(RAW, "hand", 0),
        Frame(RAW, 0),
        WalletToken(RAW),
        ForeignToken("alipay", RAW),
        CouponCode(SECRET),
        MemberCard(SECRET),
        Badge(SECRET),
        TokenPresented("a", "tillwave", RAW, Mode.ONLINE, 0),
        Entry(1, "Intent", bytes(32), RAW),
        RefundRequest("r", "1", "p", AMOUNT, SECRET),
        RefundBody("1", "p", AmountBody(1, "CNY"), SECRET),
        PairBody(SECRET, "till-7"),
        PagePairBody(SECRET),
        intent(),
        charge(),
        Enrolment(code=SECRET, public_key=b"", at_ms=0),
        CouponQuestion(sale="s", code=SECRET, amount=AMOUNT),
        MemberQuestion(sale="s", code=SECRET),
        Envelope(ContentType.RECORD, b"", RAW, b"", RAW),
        settlement_settings(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_repr_shows_no_secret(value: object) -> None:
    assert SECRET not in repr(value)


def test_token_taken_apart_cannot_be_put_together_from_its_repr() -> None:
    token = tokens.make_short_token(secrets.token_bytes(32), bytes(5), 1)
    short = tokens.parse_short_token(token)
    assert repr(short.proof) not in repr(short)
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    signed = tokens.SignedToken(tokens.Voucher(bytes(5), 1, AMOUNT, key, b""), 1, bound=False, signature=RAW)
    assert SECRET not in repr(signed)


def test_error_of_settlements_database_shows_no_values() -> None:
    store = Store("sqlite://")
    store.start()
    try:
        with pytest.raises(Exception, match="NOT NULL") as caught, store.writing() as connection:
            connection.exec_driver_sql("INSERT INTO wallets (alias, secret) VALUES (?, ?)", (b"alias", RAW))
        assert SECRET not in str(caught.value)
    finally:
        store.stop()
