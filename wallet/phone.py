"""A shopper's phone: makes tokens, reads or hears what a terminal asks, pays it, and asks where the account stands."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from protocol import ids, tokens
from protocol.emv_qr import ChallengeCode, EmvQrProblem, read_challenge_code
from protocol.errors import BadToken
from protocol.money import Money
from protocol.phone import Order, StatementRequest, seal_phone
from protocol.tokens import Challenge
from wallet.account import MEMORY_FILE, Account
from wallet.errors import AnswerLost, NotPayable, Refused, Unintelligible, Unreachable, Untrusted
from wallet.memory import Memory
from wallet.ports import Clock, Randomness, SystemClock, SystemRandomness
from wallet.settlement_client import OrderAnswer, SettlementClient, Statement, Verdict

STEP_AHEAD_S = 20
"""Tokens may name a second this far ahead of the clock; then the phone waits."""
ASK_EVERY_S = 1.0
VOUCHER_RENEWED_S = 3600
TRIES = 3
FIRST_PAUSE_S = 0.4
"""The pause before an order is repeated; it doubles."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a terminal asks the shopper to pay, by its code or by its sound."""

    challenge: Challenge
    amount: Money
    merchant: str
    local_merchant: str | None = None
    """The name in the language of the place."""

    @property
    def bill(self) -> str:
        """Name of what is paid: the same challenge and amount are the same bill."""
        parts = (self.challenge.terminal, self.challenge.sale, self.challenge.nonce.hex(), str(self.amount))
        return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class PayResult:
    """What became of an order."""

    verdict: Verdict
    order: str
    amount: Money
    reason: str = ""
    """A word of settlement for why it was declined."""

    @property
    def is_final(self) -> bool:
        """Whether asking again brings nothing new."""
        return self.verdict in (Verdict.APPROVED, Verdict.DECLINED)


class Phone:
    """One shopper's phone; its methods may be called from several threads."""

    def __init__(
        self,
        account: Account,
        client: SettlementClient | None = None,
        *,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self._account = account
        self._key = account.key()
        self._client = client or SettlementClient(account.settlement, account.ca)
        self._clock = clock or SystemClock()
        self._randomness = randomness or SystemRandomness()
        self._memory = Memory(account.folder / MEMORY_FILE)
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> Phone:
        """Take up the phone whose account is in a folder; AccountMissing, AccountDamaged or a KeyProblem."""
        return cls(Account.load(folder))

    @property
    def account(self) -> Account:
        """The account, with the newest voucher."""
        return self._account

    def short_token(self, nonce: bytes | None = None) -> bytes:
        """Make a short token, bound to the challenge with this nonce if there is one."""
        return tokens.make_short_token(self._account.secret, self._account.alias, self._next_second(), nonce)

    def signed_token(self, nonce: bytes | None = None) -> bytes:
        """Make a signed token, bound to the challenge with this nonce if there is one."""
        voucher = tokens.read_voucher(self._account.voucher)
        return tokens.make_signed_token(self._key, voucher, self._next_second(), nonce)

    def token(self, *, signed: bool = False, offer: Offer | None = None) -> bytes:
        """Make a token of either kind, good for any sale or for that of an offer alone."""
        nonce = None if offer is None else offer.challenge.nonce
        return self.signed_token(nonce) if signed else self.short_token(nonce)

    def payment_text(self, *, signed: bool = False, offer: Offer | None = None) -> str:
        """Make a token and write it as the text of a payment code."""
        return tokens.token_text(self.token(signed=signed, offer=offer))

    def scan(self, text: str) -> Offer:
        """Read the code of a terminal, or a link that carries it as `pay`; NotPayable if it is none."""
        try:
            return _offer_in(read_challenge_code(_code_in(text.strip())))
        except EmvQrProblem as problem:
            raise NotPayable(f"this code cannot be paid: {problem}") from problem

    def hear(self, sound: bytes) -> Offer:
        """Take the challenge that a terminal played, and let settlement say what its sale costs.

        NotPayable if it is no challenge; Refused if settlement knows no such sale.
        """
        try:
            challenge = Challenge.from_sound(sound)
        except BadToken as problem:
            raise NotPayable(f"this sound cannot be paid: {problem}") from problem
        known = self._client.offer(challenge)
        return Offer(challenge, known.amount, known.merchant or challenge.terminal)

    def vouched(self, offer: Offer) -> Offer:
        """Let settlement vouch for an offer; NotPayable if the sale costs another amount, Refused if there is none.

        An offer for which an order was sent is taken as it is: its sale may be over because it was paid.
        """
        if self._memory.knows(offer.bill):
            return offer
        known = self._client.offer(offer.challenge)
        if known.amount != offer.amount:
            raise NotPayable("the code asks for another amount than the sale; scan the code of the terminal again")
        return Offer(offer.challenge, offer.amount, known.merchant or offer.merchant, offer.local_merchant)

    def pay(self, offer: Offer) -> PayResult:
        """Pay an offer; the same offer again asks for the same order, until it was declined.

        A lost answer is asked for again, then the result is UNKNOWN. A SettlementProblem means that nothing was paid.
        """
        fresh = ids.make_id(self._randomness.draw(ids.ID_BYTES))
        order, was_sent = self._memory.order_of(offer.bill, fresh)
        try:
            answer = self._send_until_answered(offer, order, maybe_sent=was_sent)
        except AnswerLost:
            return PayResult(Verdict.UNKNOWN, order, offer.amount)
        except (Refused, Unreachable, Untrusted):
            self._memory.forget_order(offer.bill)
            raise
        if answer.verdict is Verdict.DECLINED:
            self._memory.forget_order(offer.bill)
        return PayResult(answer.verdict, order, answer.amount, answer.reason)

    def pay_patiently(self, offer: Offer, patience_s: float) -> PayResult:
        """Pay, and ask again every second as long as the outcome is pending or unknown and the patience lasts."""
        deadline_ms = self._clock.now_ms() + round(patience_s * 1000)
        result = self.pay(offer)
        while not result.is_final and self._clock.now_ms() < deadline_ms:
            self._clock.sleep(ASK_EVERY_S)
            result = self.pay(offer)
        return result

    def statement(self) -> Statement:
        """Ask for balance, coupons, member card and last payments, and keep the fresh voucher."""
        request = StatementRequest(alias=self._account.alias, at_ms=self._clock.now_ms())
        statement = self._client.statement(seal_phone(request, self._key))
        with self._lock:
            self._keep_voucher(statement.voucher)
        return statement

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def __repr__(self) -> str:
        return f"<Phone of {self._account.name!r}>"

    def _next_second(self) -> int:
        now_s = self._clock.now_ms() // 1000
        second = self._memory.next_second(now_s)
        if second > now_s + STEP_AHEAD_S:
            self._clock.sleep(second - now_s - STEP_AHEAD_S)
        return second

    def _sealed(self, offer: Offer, order: str) -> bytes:
        said = Order(
            order=order,
            alias=self._account.alias,
            terminal=offer.challenge.terminal,
            sale=offer.challenge.sale,
            nonce=offer.challenge.nonce,
            amount=offer.amount,
            at_ms=self._clock.now_ms(),
        )
        return seal_phone(said, self._key)

    def _send_until_answered(self, offer: Offer, order: str, *, maybe_sent: bool) -> OrderAnswer:
        for attempt in range(TRIES):
            if attempt:
                self._clock.sleep(self._pause(attempt))
            try:
                return self._client.order(self._sealed(offer, order))
            except (AnswerLost, Unintelligible):
                maybe_sent = True
            except (Unreachable, Untrusted):
                if not maybe_sent:
                    raise
        raise AnswerLost("no answer came to the order; ask again with the same one")

    def _pause(self, attempt: int) -> float:
        """Give a pause of full jitter, in seconds."""
        share = int.from_bytes(self._randomness.draw(2)) / 0xFFFF
        return share * FIRST_PAUSE_S * 2.0 ** (attempt - 1)

    def _keep_voucher(self, voucher: str) -> None:
        try:
            fresh = bytes.fromhex(voucher)
            renewed = self._account.with_voucher(fresh)
        except ValueError as error:
            raise Unintelligible("settlement's voucher is none of this account; ask the house wallet") from error
        if _is_worth_keeping(self._account.voucher, fresh):
            self._account = renewed
            self._account.save()


def _is_worth_keeping(old: bytes, fresh: bytes) -> bool:
    """Tell whether a voucher says more than a new signature: settlement makes one for every statement."""
    before, after = tokens.read_voucher(old), tokens.read_voucher(fresh)
    return after.limit != before.limit or after.expires_s - before.expires_s >= VOUCHER_RENEWED_S


def _code_in(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        return text
    try:
        return parse_qs(urlsplit(text).query).get("pay", [text])[0]
    except ValueError:
        return text


def _offer_in(code: ChallengeCode) -> Offer:
    return Offer(code.challenge, code.amount, code.merchant_name or code.challenge.terminal, code.local_name)
