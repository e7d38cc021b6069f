"""What the counter does with a reading, while a sale gathers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import UTC, date, datetime

from cryptography.hazmat.primitives.asymmetric import ec

from device.gs1.problems import BadDate
from device.payment import risk
from device.payment.classifying import Awaits, Classifier
from device.payment.events import Attributed, CouponGranted, GoodsAdded, MemberKnown, TokenPresented, TokenSeen
from device.payment.goods import Catalogue
from device.payment.presented import (
    Attribution,
    Badge,
    CouponCode,
    ForeignToken,
    Goods,
    MemberCard,
    Presented,
    TechnicianCode,
    Unknown,
    WalletToken,
)
from device.payment.pricing import GoodsRules, price_item
from device.payment.sale import ONE_AT_A_TIME, Coupon, Member, Sale
from device.payment.till import Till
from device.payment.views import Phase
from device.ports import Reading, Source
from protocol import tokens
from protocol.errors import BadToken
from protocol.questions import CouponAnswer, CouponQuestion, MemberAnswer, MemberQuestion
from protocol.records import Mode

log = logging.getLogger(__name__)

QUESTION_TIMEOUT_S = 3.0
"""A coupon or member card that settlement does not answer about in this time is refused."""
ECHO_MS = 3_000
"""A token that comes so soon after another one, or after the end of its sale, was on its way at that time."""
_WALLET_SCHEME = "tillwave"


class Presenter:
    """Turns readings into events of the running sale."""

    def __init__(
        self,
        till: Till,
        *,
        classifier: Classifier,
        catalogue: Catalogue,
        issuer: ec.EllipticCurvePublicKey,
        rules: GoodsRules = GoodsRules(),  # noqa: B008 - frozen
    ) -> None:
        self._till = till
        self._classifier = classifier
        self._catalogue = catalogue
        self._issuer = issuer
        self._rules = rules
        self._questions: set[asyncio.Task[None]] = set()
        self._asked: set[str] = set()
        """Coupons that settlement is being asked about."""

    def present(self, reading: Reading) -> None:
        """Give a reading to the running sale; without one, only the sale that has just ended may want to know."""
        sale = self._till.running
        gathering = sale if sale is not None and sale.phase is Phase.GATHERING else None
        presented = self._classifier.classify(reading, _awaited(gathering))
        log.info("%r is a %s", reading, type(presented).__name__)
        if gathering is not None and not self._till.service.trouble:
            self._take(gathering, presented, reading)
        elif isinstance(presented, WalletToken | ForeignToken):
            if not self._is_overheard(presented, reading):
                self._see(sale or self._ending(reading), presented)
        else:
            log.info("nothing takes it now")

    def stop(self) -> None:
        """Drop the questions that are still open."""
        for question in self._questions:
            question.cancel()

    def _take(self, sale: Sale, presented: Presented, reading: Reading) -> None:
        match presented:
            case WalletToken() | ForeignToken():
                self._try_token(sale, presented, reading)
            case Goods():
                self._add_goods(sale, presented)
            case CouponCode():
                self._try_coupon(sale, presented)
            case MemberCard(code):
                self._ask(self._take_member(sale.sale, code))
            case Attribution(party):
                self._attribute(sale, party)
            case Badge() | TechnicianCode():
                self._notice(sale, "badge-not-now")
            case Unknown(notice):
                self._notice(sale, notice)

    def _try_token(self, sale: Sale, presented: WalletToken | ForeignToken, reading: Reading) -> None:
        if self._is_overheard(presented, reading):
            self._notice(sale, "sound-unbound")
            return
        if objection := self._till.spent.objection(presented.token):
            self._notice(sale, objection)
            return
        if sale.due.minor <= 0:
            self._till.apply(sale, TokenSeen(presented.token, notice="amount-missing"))
            return
        mode = Mode.ONLINE if self._till.line.online else Mode.OFFLINE
        refusal = self._offline_refusal(sale, presented) if mode is Mode.OFFLINE else ""
        if refusal:
            self._till.apply(sale, TokenSeen(presented.token, refusal))
            return
        scheme = _WALLET_SCHEME if isinstance(presented, WalletToken) else presented.scheme
        event = TokenPresented(self._till.new_id(), scheme, presented.token, mode, reading.at_ms)
        self._till.apply(sale, event)

    def _is_overheard(self, presented: WalletToken | ForeignToken, reading: Reading) -> bool:
        """Tell whether a token may have been meant for the next counter, where it must stay good."""
        is_heard = self._till.settings.bound_sound and reading.source is Source.ACOUSTIC
        return is_heard and not tokens.is_bound(presented.token)

    def _see(self, sale: Sale | None, presented: WalletToken | ForeignToken) -> None:
        """Note a token that is not tried; the one under way, played over and over, is no news."""
        if sale is None or self._till.spent.objection(presented.token):
            log.info("no sale takes it now")
            return
        log.warning("sale %s: another token is not tried", sale.sale)
        is_second = sale.phase in (Phase.AUTHORISING, Phase.WAITING, Phase.PAID)
        self._till.apply(sale, TokenSeen(presented.token, ONE_AT_A_TIME if is_second else sale.notice))

    def _ending(self, reading: Reading) -> Sale | None:
        """Give the last sale if the token was on its way before it ended, or was cancelled."""
        sale = self._till.book.latest_sales[0] if self._till.book.latest_sales else None
        if sale is None or sale.sale != self._till.current:
            return None
        if sale.phase is Phase.PAID:
            return sale if sale.attempt and abs(reading.at_ms - sale.attempt.began_ms) <= ECHO_MS else None
        if sale.phase is Phase.CANCELLING:
            return sale if 0 <= self._till.now.monotonic_ms - sale.cancelled_ms <= ECHO_MS else None
        is_over = sale.phase in (Phase.UNPAID, Phase.CANCELLED)
        return sale if is_over and 0 <= self._till.now.wall_ms - sale.closed_ms <= ECHO_MS else None

    def _offline_refusal(self, sale: Sale, presented: WalletToken | ForeignToken) -> str:
        settings = self._till.settings
        try:
            refusal = risk.offline_refusal(presented, sale.due, settings.offline, self._till.spent.exposure)
            if refusal:
                return refusal
            signed = tokens.parse_signed_token(presented.token)
            signed.check(self._issuer, sale.nonce or None, self._till.now.wall_ms // 1000)
        except BadToken as error:
            log.warning("an offline token is refused: %s", error)
            return "token-refused"
        return ""

    @property
    def _today(self) -> date:
        """The day in the time zone of the machine."""
        return datetime.fromtimestamp(self._till.now.wall_ms / 1000, UTC).astimezone().date()

    def _add_goods(self, sale: Sale, goods: Goods) -> None:
        article = self._catalogue.find(goods.item.gtin)
        if article is None:
            self._notice(sale, "goods-unknown")
            return
        currency = self._catalogue.currency
        priced = price_item(article, goods.item, currency=currency, today=self._today, rules=self._rules)
        if priced.line is None:
            self._notice(sale, priced.notice)
            return
        added = self._till.apply(sale, GoodsAdded(priced.line, priced.notice))
        if added.due != sale.due:
            self._till.show_challenge(added)

    def _attribute(self, sale: Sale, party: str) -> None:
        """Note who brought the shopper; orders of phones learn it from a new challenge."""
        noted = self._till.apply(sale, Attributed(party))
        if noted.attribution != sale.attribution:
            self._till.show_challenge(noted)

    def _try_coupon(self, sale: Sale, coupon: CouponCode) -> None:
        terms = coupon.terms
        try:
            is_over = terms is not None and terms.is_expired(self._today)
            is_early = terms is not None and not terms.has_begun(self._today)
        except BadDate:
            self._notice(sale, "code-damaged")
            return
        if is_over or is_early:
            self._notice(sale, "coupon-expired" if is_over else "coupon-not-yet")
            return
        self._ask(self._take_coupon(sale.sale, coupon.code))

    async def _take_coupon(self, sale_id: str, code: str) -> None:
        """Ask once for what a coupon takes off: an answer to a second question would name another discount."""
        sale = self._till.book.sale(sale_id)
        name = code.removeprefix(tokens.COUPON_PREFIX).removeprefix(tokens.RED_PACKET_PREFIX).lower()
        if name in sale.coupon_ids:
            self._refuse(sale_id, "coupon-taken")
            return
        if name in self._asked:
            return
        self._asked.add(name)
        try:
            question = CouponQuestion(sale=sale_id, code=code, amount=sale.due)
            answer = await self._till.line.ask(question, QUESTION_TIMEOUT_S)
        finally:
            self._asked.discard(name)
        if not isinstance(answer, CouponAnswer) or answer.reason:
            self._refuse(sale_id, answer.reason if isinstance(answer, CouponAnswer) else "coupon-offline")
            return
        coupon = Coupon(answer.coupon, answer.label, answer.discount)
        self._change(sale_id, CouponGranted(coupon))

    async def _take_member(self, sale_id: str, code: str) -> None:
        answer = await self._till.line.ask(MemberQuestion(sale=sale_id, code=code), QUESTION_TIMEOUT_S)
        if not isinstance(answer, MemberAnswer) or answer.reason:
            self._refuse(sale_id, answer.reason if isinstance(answer, MemberAnswer) else "member-offline")
            return
        self._change(sale_id, MemberKnown(Member(answer.member, answer.name, answer.discount_basis_points)))

    def _change(self, sale_id: str, event: CouponGranted | MemberKnown) -> None:
        before = self._till.book.sale(sale_id)
        after = self._till.apply(before, event)
        if after.due != before.due:
            self._till.show_challenge(after)

    def _refuse(self, sale_id: str, notice: str) -> None:
        sale = self._till.book.sale(sale_id)
        if sale.phase is Phase.GATHERING:
            self._notice(sale, notice)

    def _notice(self, sale: Sale, notice: str) -> None:
        self._till.notice(sale, notice)

    def _ask(self, question: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(question, name="question to settlement")
        self._questions.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._questions.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a question to settlement failed", exc_info=task.exception())


def _awaited(gathering: Sale | None) -> Awaits:
    """Say what a sale has use for; one that does not gather, or is not there, only hears of payment codes."""
    if gathering is None:
        return Awaits(goods=False, member=False)
    return Awaits(goods=gathering.asked is None, member=gathering.member is None)
