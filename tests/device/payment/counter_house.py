"""A counter with a real journal, real keys, and a settlement that says what the test tells it to say."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from device.gs1.labels import Layout
from device.payment.classifying import Classifier
from device.payment.counter import Counter
from device.payment.events import Timing
from device.payment.goods import Catalogue
from device.payment.journal import Entry, Journal, read_record
from device.payment.presenting import Presenter
from device.payment.pricing import Article
from device.payment.risk import OfflineLimits
from device.payment.till import CounterSettings, Till
from device.payment.views import OpenSale, Phase, RefundRequest, SaleView
from device.ports import Reading, Source, TimeQuality, WallTime
from keys.badges import hash_badge, is_badge
from keys.file import FileKey
from protocol import tokens
from protocol.answers import Decision
from protocol.emv_qr import MerchantDetails
from protocol.money import Money
from protocol.questions import AnswerBody, QuestionBody
from protocol.records import Action, Body, Verdict

START_MS = 1_790_000_000_000
APPLES = "02601234000002"
"""As the labels of the scale have them, without weight and price."""
BADGE = "TWB:SUPERVISORSUPERV"
BADGE_HASH = hash_badge(BADGE)
GTIN, GTIN_2 = "06901234567892", "00000096385074"
ALIPAY, ALIPAY_2 = "280389411343685293", "280389411343685294"


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def make_key() -> FileKey:
    return FileKey(ec.generate_private_key(ec.SECP256R1()))


class HandClock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.ms = 50_000
        self.boot = bytes(16)

    def wall(self) -> WallTime:
        return WallTime(START_MS + self.ms, TimeQuality.SYNCHRONISED)

    def monotonic_ms(self) -> int:
        return self.ms

    def boot_id(self) -> bytes:
        return self.boot


class CountingRandomness:
    """Bytes that differ, in an order that a test can repeat."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def token_bytes(self, length: int) -> bytes:
        return next(self._numbers).to_bytes(length)


Answering = Callable[[QuestionBody], AnswerBody | None]


@dataclass
class ScriptedLine:
    """A way to settlement that the test opens, closes and answers for."""

    online: bool = True
    answer: Answering = lambda _question: None
    flushed: int = 0
    enquiries: list[tuple[str, Action]] = field(default_factory=list)
    questions: list[QuestionBody] = field(default_factory=list)

    def flush(self) -> None:
        self.flushed += 1

    def enquire(self, subject: str, action: Action) -> None:
        self.enquiries.append((subject, action))

    async def ask(self, body: QuestionBody, timeout_s: float) -> AnswerBody | None:
        assert timeout_s > 0
        self.questions.append(body)
        return self.answer(body)


TIMING = Timing()
LIMITS = OfflineLimits(enabled=True, limit_per_sale=2_000, limit_total=3_000, limit_count=3)


class CounterHouse:
    """One counter and its surroundings; `restart` is a power cut."""

    def __init__(self, path: Path, *, offline: OfflineLimits = LIMITS, bound_sound: bool = False) -> None:
        self.path = path / "journal.db"
        self.key, self.issuer, self.phone = make_key(), make_key(), make_key()
        self.clock, self.randomness, self.line = HandClock(), CountingRandomness(), ScriptedLine()
        self.offline, self.bound_sound = offline, bound_sound
        self._requests = itertools.count(1)
        self.journal = self._open()
        self.counter = self._build()

    def restart(self) -> None:
        """Cut the power and start again, on a boot whose monotonic time begins anew."""
        self.journal.stop()
        self.clock.ms, self.clock.boot = 1_000, bytes([1] * 16)
        self.line = ScriptedLine(answer=self.line.answer)
        self.journal = self._open()
        self.counter = self._build()

    def close(self) -> None:
        self.journal.stop()

    def pass_time(self, seconds: float, step: float = 0.5) -> None:
        for _ in range(round(seconds / step)):
            self.clock.ms += round(step * 1000)
            self.counter.tick()

    # a register

    def open(self, minor: int | None = 1_000, request: str = "") -> SaleView:
        amount = None if minor is None else cny(minor)
        return self.counter.open_sale(OpenSale("till", request or f"R{next(self._requests)}", amount))

    def refund(self, payment: str, minor: int, request: str = "B1", badge: str = BADGE) -> RefundRequest:
        return RefundRequest("till", request, payment, cny(minor), badge)

    # a shopper

    def show(self, text: str, *, symbology: str = "QR", aim: str = "]Q1") -> SaleView | None:
        self.counter.present(Reading(Source.OPTICAL, "camera", symbology, text.encode(), self.clock.ms, aim))
        return self.counter.view().sale

    def signed_token(self, *, limit: int = 10_000, nonce: bytes | None = None, issuer: FileKey | None = None) -> bytes:
        now_s = self.clock.wall().ms // 1000
        voucher = tokens.make_voucher(
            issuer or self.issuer,
            alias=b"alias",
            public_key=self.phone.public_key,
            expires_s=now_s + 3600,
            limit=cny(limit),
        )
        return tokens.make_signed_token(self.phone, voucher, now_s, nonce)

    # settlement

    def decision(
        self, subject: str, verdict: Verdict, *, action: Action = Action.PAY, minor: int = 1_000, reason: str = ""
    ) -> Decision:
        shown = self.counter.view().sale
        assert shown is not None
        return Decision(
            terminal="till-1",
            sale=shown.sale,
            subject=subject,
            action=action,
            verdict=verdict,
            amount=cny(minor),
            reason=reason,
            payer="Shopper ..1",
            at_ms=START_MS,
        )

    def decide(self, verdict: Verdict, *, action: Action = Action.PAY, minor: int = 1_000, reason: str = "") -> None:
        """Decide about the newest attempt."""
        subject = str(self.newest("Intent").attempt)  # type: ignore[attr-defined]
        self.counter.decided(self.decision(subject, verdict, action=action, minor=minor, reason=reason))

    # what is on the disk

    def bodies(self) -> list[Body]:
        return [read_record(entry).body for entry in self.journal.entries()]

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.journal.entries()]

    def newest(self, kind: str) -> Body:
        entries: list[Entry] = [entry for entry in self.journal.entries() if entry.kind == kind]
        return read_record(entries[-1]).body

    def _open(self) -> Journal:
        journal = Journal(self.path, "till-1", self.key, self.clock)
        journal.start()
        return journal

    def _build(self) -> Counter:
        settings = CounterSettings(
            terminal="till-1",
            currency="CNY",
            merchant=MerchantDetails(name="Tea House", city="Shanghai", country="CN", category_code="5499"),
            timing=TIMING,
            offline=self.offline,
            software="0.1.0",
            settings_hash=bytes(32),
            bound_sound=self.bound_sound,
        )
        till = Till(settings, journal=self.journal, line=self.line, clock=self.clock, randomness=self.randomness)
        articles = {GTIN: Article("Tea", 600), GTIN_2: Article("Cup", 150), APPLES: Article("Apples", 990, "kg")}
        catalogue = Catalogue(articles, "CNY")
        classifier = Classifier(layouts=(Layout("26IIIIIPPPPPWWWWWC"),), sells=catalogue.sells)
        presenter = Presenter(till, classifier=classifier, catalogue=catalogue, issuer=self.issuer.public_key)
        counter = Counter(till, presenter, lambda badge: "Wang" if is_badge(badge, BADGE_HASH) else "")
        counter.start()
        return counter


def shown(house: CounterHouse) -> SaleView:
    sale = house.counter.view().sale
    assert sale is not None
    return sale


def pay(house: CounterHouse, token: str = ALIPAY, minor: int = 1_000) -> SaleView:
    house.open(minor)
    house.show(token)
    house.decide(Verdict.APPROVED, minor=minor)
    assert shown(house).phase is Phase.PAID
    return shown(house)


def decided(house: CounterHouse, refund: str, verdict: Verdict, minor: int) -> None:
    house.counter.decided(house.decision(refund, verdict, action=Action.REFUND, minor=minor, reason=""))
