"""A mall without wires for the tests: an authority, settlement's desks on a real database, tills and phones."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from keys.file import FileKey
from keys.port import Signer
from protocol import answers, ids, questions, tokens
from protocol.answers import Decision, Receipt
from protocol.chain import Head
from protocol.money import Money
from protocol.phone import Enrolment, Order, StatementRequest, seal_phone
from protocol.questions import AnswerBody, Question, QuestionBody
from protocol.records import (
    Action,
    Body,
    ChallengeOpened,
    Intent,
    Mode,
    Outcome,
    Record,
    Refund,
    Result,
    Reversal,
    SaleClosed,
    Stamp,
    Verdict,
    seal_record,
)
from protocol.transport import Birth, pack_run, seal_birth
from settlement import accounts, ledger, offers
from settlement.clock import SystemClock
from settlement.config import BrokerSettings, HttpSettings, Settings, Splits, TerminalSettings, TerminalsSettings
from settlement.office import Office, Outgoing
from settlement.opening import office_of
from settlement.service import Service

YEAR = dt.timedelta(days=365)
SPLITS = Splits(
    version="2026-1", merchant=9000, platform=300, store=200, guide=200, mall=200, third=100, third_party="Charity"
)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def new_id() -> str:
    return ids.make_id(secrets.token_bytes(ids.ID_BYTES))


class TestClock:
    """A clock that the test moves."""

    __test__ = False

    def __init__(self) -> None:
        self.now = SystemClock().now_ms()

    def now_ms(self) -> int:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


class Authority:
    """Issues what the mall's authority would."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._build("authority", "authority", self.key.public_key(), is_authority=True)

    def issue(
        self,
        name: str,
        unit: str,
        public_key: ec.EllipticCurvePublicKey,
        *,
        begins: dt.datetime | None = None,
        life: dt.timedelta = YEAR,
        host: str = "",
    ) -> x509.Certificate:
        return self._build(name, unit, public_key, begins=begins, life=life, host=host)

    def _build(
        self,
        name: str,
        unit: str,
        public_key: ec.EllipticCurvePublicKey,
        *,
        is_authority: bool = False,
        begins: dt.datetime | None = None,
        life: dt.timedelta = YEAR,
        host: str = "",
    ) -> x509.Certificate:
        begins = begins or dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        subject = _subject(name, unit)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_subject("authority", "authority"))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + life)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(_usage(is_authority=is_authority), critical=True)
        )
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(self.key, hashes.SHA256())


def _subject(name: str, unit: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def write_pem(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


class Town:
    """Settlement in a folder, and who deals with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = TestClock()
        self.authority = Authority()
        write_pem(folder / "ca.crt", self.authority.certificate)
        self.signer = self._make("settlement", "settlement", "settlement")
        self._make("tls", "settlement", "tls", host="localhost")
        self.settings = Settings(
            mall="riverside",
            currency="CNY",
            merchant="Riverside Tea",
            authority=folder / "ca.crt",
            key=folder / "settlement.key",
            certificate=folder / "settlement.crt",
            broker=BrokerSettings(certificate=folder / "tls.crt", key=folder / "tls.key"),
            http=HttpSettings(certificate=folder / "tls.crt", key=folder / "tls.key"),
            splits=SPLITS,
            state=folder / "state",
            terminals=TerminalsSettings(named={"till-1": TerminalSettings(store="Ground floor")}),
        )
        self.reopen()

    def change(self, **values: object) -> None:
        """Start settlement again with other settings."""
        self.settings = msgspec.structs.replace(self.settings, **values)
        self.reopen()

    def reopen(self) -> None:
        """Start settlement, or start it again on the same database."""
        if hasattr(self, "service"):
            self.service.store.stop()
        self.office: Office = office_of(self.settings, self.signer, self.clock)
        self.service = Service(self.office)
        self.service.store.start()

    def close(self) -> None:
        self.service.store.stop()

    def till(self, name: str = "till-1") -> Till:
        key = FileKey(ec.generate_private_key(ec.SECP256R1()))
        till = Till(self, name, key, self.authority.issue(name, "record", key.public_key))
        till.introduce()
        return till

    def shopper(self, name: str = "Li Wei", minor: int = 100_000) -> PhoneInHand:
        with self.service.store.writing() as connection:
            wallet = accounts.open_account(connection, self.office, name)
            if minor:
                accounts.load_money(connection, self.office, wallet, cny(minor))
            code = accounts.make_code(connection, self.office, wallet)
        key = FileKey(ec.generate_private_key(ec.SECP256R1()))
        point = key.public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        enrolled = self.service.phones.enrol(
            seal_phone(Enrolment(code=code, public_key=point, at_ms=self.clock.now_ms()), key)
        )
        voucher = tokens.read_voucher(enrolled.voucher)
        return PhoneInHand(self, key, enrolled.wallet.alias, enrolled.wallet.secret, voucher)

    def coupon(self, **terms: object) -> str:
        with self.service.store.writing() as connection:
            made = offers.CouponTerms(label="5 off", **{"funder": "platform", "minor": 500} | terms)
            return offers.coupon_text(offers.issue_coupon(connection, self.office, made))

    def balances(self) -> dict[str, int]:
        """All balances that are not zero, after everything was added up anew."""
        with self.service.store.reading() as connection:
            assert ledger.check(connection) == []
            return {name: minor for name, minor in ledger.all_balances(connection, "CNY").items() if minor}

    def earned(self) -> dict[str, int]:
        """The balances of everybody but cash and wallets."""
        return {name: minor for name, minor in self.balances().items() if name != "cash" and "wallet" not in name}

    def _make(self, file: str, name: str, unit: str, host: str = "") -> FileKey:
        key = FileKey.create(self.folder / f"{file}.key")
        write_pem(self.folder / f"{file}.crt", self.authority.issue(name, unit, key.public_key, host=host))
        return key


@dataclass
class Heard:
    """What came down to a till."""

    receipts: list[Receipt]
    decisions: list[Decision]
    raw: list[bytes]
    """The receipt first, then the decisions."""

    @property
    def decision(self) -> Decision:
        (decision,) = self.decisions
        return decision


class Till:
    """A terminal's journal in memory: says things in signed, numbered, chained records."""

    def __init__(self, town: Town, name: str, signer: Signer, certificate: x509.Certificate) -> None:
        self.town = town
        self.name = name
        self.signer = signer
        self.certificate = certificate
        self.head = Head()
        self.messages: list[bytes] = []

    def introduce(self) -> Heard:
        return self.hear(self.town.service.intake.take_birth(self.name, self.birth()))

    def birth(self, **changes: object) -> bytes:
        birth = Birth(
            terminal=self.name,
            certificate=self.certificate.public_bytes(Encoding.DER),
            number=self.head.number,
            hash=self.head.hash,
            software="test",
        )
        return seal_birth(replace(birth, **changes), self.signer)

    def write(self, body: Body, wall_ms: int | None = None) -> bytes:
        """Write a record into the journal without sending it."""
        record = self.record(body, wall_ms)
        message = seal_record(record, self.signer)
        self.head = self.head.follow(record, message)
        self.messages.append(message)
        return message

    def record(self, body: Body, wall_ms: int | None = None) -> Record:
        stamp = Stamp(boot_id=bytes(16), monotonic_ms=1, wall_ms=wall_ms or self.town.clock.now_ms(), wall_quality=2)
        return Record(terminal=self.name, number=self.head.number + 1, previous=self.head.hash, stamp=stamp, body=body)

    def send(self, *messages: bytes) -> Heard:
        return self.hear(self.town.service.intake.take_run(self.name, pack_run(messages)))

    def say(self, *bodies: Body) -> Heard:
        return self.send(*[self.write(body) for body in bodies])

    def ask(self, body: QuestionBody) -> AnswerBody:
        question = Question(terminal=self.name, question=new_id(), at_ms=self.town.clock.now_ms(), body=body)
        (outgoing,) = self.town.service.desk.take_question(self.name, questions.seal_question(question, self.signer))
        answer = questions.open_answer(outgoing.payload, self.town.signer.public_key)
        assert (answer.terminal, answer.question) == (self.name, question.question)
        return answer.body

    def hear(self, outgoing: list[Outgoing]) -> Heard:
        outgoing = sorted(outgoing, key=lambda message: not message.topic.endswith("/receipts"))
        heard = Heard([], [], [message.payload for message in outgoing])
        for message in outgoing:
            public_key = self.town.signer.public_key
            if message.topic.endswith("/receipts"):
                heard.receipts.append(answers.open_answer(Receipt, message.payload, public_key))
            else:
                heard.decisions.append(answers.open_answer(Decision, message.payload, public_key))
        return heard

    def pay(self, token: bytes, minor: int = 10_000, **changes: object) -> Heard:
        return self.say(intent(token, minor, **changes))


class PhoneInHand:
    """A shopper's phone."""

    def __init__(self, town: Town, signer: Signer, alias: bytes, secret: bytes, voucher: tokens.Voucher) -> None:
        self.town = town
        self.signer = signer
        self.alias = alias
        self.secret = secret
        self.voucher = voucher

    @property
    def balance(self) -> int:
        return self.town.balances().get(f"wallet:{self.alias.hex()}", 0)

    def short(self, nonce: bytes | None = None) -> bytes:
        return tokens.make_short_token(self.secret, self.alias, self._now_s(), nonce)

    def signed(self, nonce: bytes | None = None) -> bytes:
        return tokens.make_signed_token(self.signer, self.voucher, self._now_s(), nonce)

    def order(self, terminal: str, opened: ChallengeOpened, **changes: object) -> Order:
        order = Order(
            order=new_id(),
            alias=self.alias,
            terminal=terminal,
            sale=opened.sale,
            nonce=opened.nonce,
            amount=opened.amount,
            at_ms=self.town.clock.now_ms(),
        )
        return replace(order, **changes)

    def seal(self, message: Order | Enrolment | StatementRequest) -> bytes:
        return seal_phone(message, self.signer)

    def _now_s(self) -> int:
        return self.town.clock.now_ms() // 1000


def intent(token: bytes, minor: int = 10_000, **changes: object) -> Intent:
    made = Intent(
        sale=new_id(),
        attempt=new_id(),
        amount=cny(minor),
        scheme="tillwave",
        token=token,
        mode=Mode.ONLINE,
        coupons=(),
        lines=(),
    )
    return replace(made, **changes)


def outcome(about: Intent, verdict: Verdict = Verdict.APPROVED) -> Outcome:
    return Outcome(
        sale=about.sale,
        subject=about.attempt,
        action=Action.PAY,
        verdict=verdict,
        amount=about.amount,
        reason="",
        mode=about.mode,
    )


def reversal(about: Intent) -> Reversal:
    return Reversal(sale=about.sale, attempt=about.attempt, reason="no-answer")


def refund(about: Intent, minor: int, **changes: object) -> Refund:
    made = Refund(refund=new_id(), sale=about.sale, payment=about.attempt, amount=cny(minor), supervisor="chief")
    return replace(made, **changes)


def closed(sale: str, result: Result, minor: int = 10_000) -> SaleClosed:
    return SaleClosed(sale=sale, register="r1", request="q1", result=result, amount=cny(minor))


def challenge(minor: int = 10_000, **changes: object) -> ChallengeOpened:
    made = ChallengeOpened(sale=new_id(), amount=cny(minor), nonce=secrets.token_bytes(tokens.NONCE_BYTES), coupons=())
    return replace(made, **changes)
