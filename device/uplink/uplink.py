"""The way to settlement: empties the journal's queue, and brings decisions, receipts, answers and the heartbeat.

Only a receipt of settlement empties the queue. After every connection, and at the first beat of every session of
settlement, the terminal introduces itself and sends again all that is not receipted: before that beat the broker may
have had nobody to give it to. Everything that comes down is verified with settlement's key; what is forged, foreign or
old changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from device.payment.journal import Journal, JournalProblem
from device.ports import Clock, Randomness
from device.uplink.link import Link, LinkSettings
from keys.port import Signer
from protocol import answers, ids, questions, transport
from protocol.answers import Beat, Decision, Receipt
from protocol.errors import ProtocolProblem
from protocol.questions import Answer, AnswerBody, Question, QuestionBody, StateAnswer, StateQuestion
from protocol.records import Action
from protocol.topics import TerminalTopics, beat_topic
from protocol.transport import Birth

log = logging.getLogger(__name__)

FRESH_MS = 10_000
"""Settlement counts as reachable so long after its last heartbeat.

Other messages do not count: the broker keeps them for a terminal that was away, so they may be old.
"""
_WINDOW = 256
"""Records under way without a receipt."""
_RUN_BYTES = 128 * 1024
_RESEND_AFTER_MS = 5_000
_ROUND_S = 0.25
_QUESTIONS_AT_ONCE = 32
_STATE_TIMEOUT_S = 5.0


class UplinkUser(Protocol):
    """Who hears what settlement says; called on the event loop."""

    def decided(self, decision: Decision) -> None:
        """Settlement has decided."""

    def chain_forked(self) -> None:
        """Settlement has signed a receipt for a record that is not in the journal."""

    def line_changed(self) -> None:
        """Online or offline now, or the queue became shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the terminal is to settlement."""

    mall: str
    terminal: str
    software: str
    signer: Signer
    certificate: bytes
    """The record certificate, DER."""
    settlement_key: ec.EllipticCurvePublicKey


class Uplink:
    """Implements `payment.line.SettlementLine` over a `Link`."""

    def __init__(
        self, identity: Identity, link: LinkSettings, *, journal: Journal, clock: Clock, randomness: Randomness
    ) -> None:
        self._identity = identity
        self._topics = TerminalTopics(identity.mall, identity.terminal)
        self._beat_topic = beat_topic(identity.mall)
        self._link = Link(link, self)
        self._journal = journal
        self._clock = clock
        self._randomness = randomness
        self._user: UplinkUser | None = None
        self._sent = 0
        self._sent_at_ms = 0
        self._heard_at_ms: int | None = None
        self._beat = (b"", 0)
        """Session and wall time of the newest beat."""
        self._receipt_at_ms = 0
        self._was_online = False
        self._waiting: dict[str, asyncio.Future[AnswerBody]] = {}
        self._enquiries: set[asyncio.Task[None]] = set()

    def attach(self, user: UplinkUser) -> None:
        """Say who hears decisions; before `run`."""
        self._user = user

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._link.run(self._last_word), name="broker link")
            group.create_task(self._watch(), name="uplink watch")

    @property
    def online(self) -> bool:
        """Connected, and settlement's last signed heartbeat came less than 10 s ago."""
        if not self._link.up or self._heard_at_ms is None:
            return False
        return self._clock.monotonic_ms() - self._heard_at_ms < FRESH_MS

    def flush(self) -> None:
        """Send what is new in the journal, as far as the window allows."""
        while self._link.up and self._sent < self._journal.head.number:
            room = _WINDOW - (self._sent - self._journal.receipted)
            run = self._next_run(min(room, transport.LONGEST_RUN))
            if not run or not self._link.publish(self._topics.records, transport.pack_run(run)):
                return
            self._sent += len(run)
            self._sent_at_ms = self._clock.monotonic_ms()

    def enquire(self, subject: str, action: Action) -> None:
        """Ask what became of a subject; the decision arrives like any other."""
        if not self.online or len(self._enquiries) >= _QUESTIONS_AT_ONCE:
            return
        task = asyncio.get_running_loop().create_task(self._enquire(subject, action), name=f"enquiry {subject}")
        self._enquiries.add(task)
        task.add_done_callback(self._enquiries.discard)

    async def ask(self, body: QuestionBody, timeout_s: float) -> AnswerBody | None:
        """Ask settlement; None if it cannot be reached or does not answer in time."""
        if not self.online or len(self._waiting) >= _QUESTIONS_AT_ONCE:
            return None
        question = Question(
            terminal=self._identity.terminal,
            question=ids.make_id(self._randomness.token_bytes(ids.ID_BYTES)),
            at_ms=self._clock.wall().ms,
            body=body,
        )
        answered: asyncio.Future[AnswerBody] = asyncio.get_running_loop().create_future()
        self._waiting[question.question] = answered
        try:
            self._link.publish(self._topics.questions, questions.seal_question(question, self._identity.signer))
            async with asyncio.timeout(timeout_s):
                return await answered
        except TimeoutError:
            return None
        finally:
            del self._waiting[question.question]

    # what the link brings

    def link_up(self) -> None:
        """Introduce the terminal anew."""
        self._introduce()
        self._changed()

    def link_down(self) -> None:
        """Say that settlement is out of reach."""
        self._heard_at_ms = None
        self._changed()

    def link_message(self, topic: str, payload: bytes) -> None:
        """Take a message; one that is not genuine is refused with a line in the log."""
        takers: dict[str, Callable[[bytes], None]] = {
            self._beat_topic: self._take_beat,
            self._topics.receipts: self._take_receipt,
            self._topics.decisions: self._take_decision,
            self._topics.answers: self._take_answer,
        }
        taker = takers.get(topic)
        if taker is None:
            log.warning("a message on the foreign topic %r is ignored", topic[:80])
            return
        try:
            taker(payload)
        except ProtocolProblem as error:
            log.warning("a message of %d bytes on %s is refused: %s", len(payload), topic, error)
        except JournalProblem:
            log.exception("what settlement said cannot be kept; it will say it again")

    def _take_beat(self, payload: bytes) -> None:
        beat = answers.open_answer(Beat, payload, self._identity.settlement_key)
        session, newest_ms = self._beat
        if beat.mall != self._identity.mall or beat.at_ms <= newest_ms:
            log.warning("an old or foreign beat is ignored")
            return
        self._beat = (beat.session, beat.at_ms)
        self._hear()
        if session != beat.session:
            log.info("settlement has a new line to the broker")
            self._introduce()

    def _take_receipt(self, payload: bytes) -> None:
        receipt = answers.open_answer(Receipt, payload, self._identity.settlement_key)
        if not self._is_for_us(receipt.terminal):
            return
        if not self._journal.mark_receipted(receipt.number, receipt.hash):
            log.error("settlement has another record %d than this journal: the chain is forked", receipt.number)
            if self._user is not None:
                self._user.chain_forked()
            return
        if receipt.at_ms < self._receipt_at_ms:
            return
        self._receipt_at_ms = receipt.at_ms
        self._sent_at_ms = self._clock.monotonic_ms()
        if receipt.number < min(self._sent, self._journal.receipted) or self._sent < receipt.number:
            self._sent = receipt.number
        self.flush()
        self._changed()

    def _take_decision(self, payload: bytes) -> None:
        decision = answers.open_answer(Decision, payload, self._identity.settlement_key)
        if self._is_for_us(decision.terminal) and self._user is not None:
            self._user.decided(decision)

    def _take_answer(self, payload: bytes) -> None:
        answer: Answer = questions.open_answer(payload, self._identity.settlement_key)
        waiting = self._waiting.get(answer.question)
        if self._is_for_us(answer.terminal) and waiting is not None and not waiting.done():
            waiting.set_result(answer.body)

    def _is_for_us(self, terminal: str) -> bool:
        if terminal != self._identity.terminal:
            log.warning("a message for terminal %r is ignored", terminal[:40])
        return terminal == self._identity.terminal

    def _hear(self) -> None:
        self._heard_at_ms = self._clock.monotonic_ms()
        if not self._was_online:
            self._changed()

    # what goes up

    def _introduce(self) -> None:
        head = self._journal.head
        birth = Birth(
            terminal=self._identity.terminal,
            certificate=self._identity.certificate,
            number=head.number,
            hash=head.hash,
            software=self._identity.software,
        )
        self._link.publish(self._topics.birth, transport.seal_birth(birth, self._identity.signer))
        self._link.publish(self._topics.presence, self._presence("online"), retain=True)
        self._sent = self._journal.receipted
        self.flush()

    def _next_run(self, count: int) -> list[bytes]:
        run: list[bytes] = []
        size = 0
        for entry in self._journal.entries(self._sent, max(count, 0)):
            size += len(entry.message)
            if run and size > _RUN_BYTES:
                break
            run.append(entry.message)
        return run

    async def _enquire(self, subject: str, action: Action) -> None:
        answer = await self.ask(StateQuestion(subject=subject, action=int(action)), _STATE_TIMEOUT_S)
        if isinstance(answer, StateAnswer) and answer.decision is not None:
            try:
                self._take_decision(answer.decision)
            except ProtocolProblem as error:
                log.warning("the decision in an answer is refused: %s", error)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_ROUND_S)
            if self.online is not self._was_online:
                self._changed()
            silent_ms = self._clock.monotonic_ms() - self._sent_at_ms
            if self._link.up and self._sent > self._journal.receipted and silent_ms > _RESEND_AFTER_MS:
                log.info("no receipt for %d ms: sending again from record %d", silent_ms, self._journal.receipted + 1)
                self._introduce()

    def _changed(self) -> None:
        self._was_online = self.online
        if self._user is not None:
            self._user.line_changed()

    def _presence(self, state: str) -> bytes:
        return presence(state, self._identity.software, self._journal.head.number)

    def _last_word(self) -> tuple[str, bytes]:
        return self._topics.presence, self._presence("stopped")


def presence(state: str, software: str, records: int) -> bytes:
    """Write the retained presence of a terminal; it informs and proves nothing."""
    return json.dumps({"state": state, "software": software, "records": records}).encode()
