"""Answers to what terminals ask without a record."""

from __future__ import annotations

from sqlalchemy import Connection

from protocol import questions
from protocol.money import Money
from protocol.questions import (
    Answer,
    AnswerBody,
    CouponQuestion,
    MemberQuestion,
    Question,
    StateAnswer,
    StateQuestion,
    TotalsAnswer,
    TotalsQuestion,
)
from protocol.records import Action
from protocol.topics import TerminalTopics
from settlement import archive, decisions, offers, payments
from settlement.charging import Charging
from settlement.decisions import Subject
from settlement.errors import Refused
from settlement.office import Office, Outgoing
from settlement.store import Store
from settlement.terminals import Chain, Terminals

_EXPIRES_S = 60


class InformationDesk:
    """Answers signed questions of admitted terminals."""

    def __init__(self, office: Office, store: Store, known: Terminals) -> None:
        self._office = office
        self._store = store
        self._terminals = known
        self._charging = Charging(office)

    def take_question(self, terminal: str, message: bytes) -> list[Outgoing]:
        """Answer a question; Refused or a ProtocolProblem when it is not genuine."""
        with self._store.reading() as connection:
            chain = self._terminals.find(connection, terminal)
        question = questions.open_question(message, chain.public_key)
        if question.terminal != terminal:
            raise Refused("foreign", f"a question of another terminal came on the topic of {terminal}")
        with self._store.writing() as connection:
            body = self._answer(connection, chain, question)
        now = self._office.clock.now_ms()
        answer = Answer(terminal=terminal, question=question.question, at_ms=now, body=body)
        topic = TerminalTopics(self._office.settings.mall, terminal).answers
        return [Outgoing(topic, questions.seal_answer(answer, self._office.signer), _EXPIRES_S)]

    def _answer(self, connection: Connection, chain: Chain, question: Question) -> AnswerBody:
        match question.body:
            case CouponQuestion() as body:
                return offers.answer_coupon(connection, self._office, chain.terminal, body)
            case MemberQuestion() as body:
                return offers.answer_member(connection, body)
            case StateQuestion() as body:
                return self._state(connection, chain.terminal, body)
            case TotalsQuestion() as body:
                # What came in between is counted too, so the head is read inside this transaction.
                return self._totals(connection, self._terminals.find(connection, chain.terminal), body)

    def _state(self, connection: Connection, terminal: str, question: StateQuestion) -> StateAnswer:
        try:
            action = Action(question.action)
        except ValueError:
            return StateAnswer(subject=question.subject)
        about = Subject(terminal=terminal, sale="", subject=question.subject, action=action)
        known = decisions.find(connection, about)
        if known is not None and known.is_final:
            return StateAnswer(subject=question.subject, decision=known.message)
        if known is not None and action is Action.PAY:
            return StateAnswer(
                subject=question.subject, decision=self._ask_again(connection, terminal, question.subject)
            )
        if action is Action.ORDER:
            return StateAnswer(
                subject=question.subject, decision=self._order_of(connection, terminal, question.subject)
            )
        return StateAnswer(subject=question.subject, decision=known.message if known else None)

    def _ask_again(self, connection: Connection, terminal: str, attempt: str) -> bytes | None:
        """Ask the acquirer what became of a pending attempt."""
        heard = archive.find_intent(connection, terminal, attempt)
        return None if heard is None else self._charging.settle(connection, heard)

    def _order_of(self, connection: Connection, terminal: str, sale: str) -> bytes | None:
        """Give the order that pays a sale: a terminal that missed it does not know the order's id."""
        return next(iter(decisions.of_sale(connection, terminal, sale, Action.ORDER)), None)

    def _totals(self, connection: Connection, chain: Chain, question: TotalsQuestion) -> TotalsAnswer:
        paid, refunded = payments.totals(connection, chain.terminal, question.first, question.last)
        if question.currency != self._office.settings.currency:
            paid, refunded = [], []
        return TotalsAnswer(
            paid_count=len(paid),
            paid=Money(sum(paid), question.currency),
            refunded_count=len(refunded),
            refunded=Money(sum(refunded), question.currency),
            kept=chain.head.number,
        )
