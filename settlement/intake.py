"""Runs of records: verified, kept in one transaction, decided on, answered with one receipt.

A record that is kept already is answered again and changes nothing. After a gap nothing more of the run is kept; the
receipt tells the terminal from where to send again. Another record under a number that is kept, or one that names
another predecessor, is a fork: the run is refused with an alarm. All this holds when the service is killed between the
commit and the answers: the terminal sends again, and the same signed decisions leave. Decisions leave before the
receipt, because a terminal sends nothing again that has a receipt.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import Connection

from protocol.answers import Receipt, seal_answer
from protocol.chain import Head
from protocol.errors import BrokenChain
from protocol.records import Action, Reversal
from protocol.topics import TerminalTopics
from protocol.transport import unpack_run
from settlement import alarms, archive, decisions, sales, terminals
from settlement.archive import Letter
from settlement.clerk import Clerk
from settlement.errors import Refused, Suspicious
from settlement.office import Office, Outgoing
from settlement.store import Store
from settlement.terminals import Chain, Terminals

log = logging.getLogger(__name__)

_RECEIPT_EXPIRES_S = 3_600
_DECISION_EXPIRES_S = 86_400


class Intake:
    """Takes what terminals send up about records; gives what goes down, once it is safe on disk."""

    def __init__(self, office: Office, store: Store, known: Terminals) -> None:
        self._office = office
        self._store = store
        self._terminals = known
        self._clerk = Clerk(office)

    def take_birth(self, terminal: str, message: bytes) -> list[Outgoing]:
        """Admit a terminal; gives its receipt, and orders that phones paid while it was away."""
        with self._alarmed(terminal, message), self._store.writing() as connection:
            chain = self._terminals.admit(connection, terminal, message)
            paid = [
                decision
                for sale in sales.open_sales(connection, terminal)
                for decision in decisions.of_sale(connection, terminal, sale, Action.ORDER)
            ]
        return [self._receipt(terminal, chain.head), *self.decided(terminal, paid)]

    def take_run(self, terminal: str, data: bytes) -> list[Outgoing]:
        """Take a run; Refused or a ProtocolProblem when anything in it is not genuine, and then nothing is kept."""
        with self._store.reading() as connection:
            chain = self._terminals.find(connection, terminal)
        letters = [archive.open_letter(message, chain.public_key) for message in unpack_run(data)]
        if any(letter.record.terminal != terminal for letter in letters):
            raise Refused("foreign", f"records of another terminal came on the topic of {terminal}")
        with self._alarmed(terminal, data), self._store.writing() as connection:
            chain = self._terminals.find(connection, terminal)
            head, decided = self._keep_all(connection, chain, letters)
        return [*self.decided(terminal, decided), self._receipt(terminal, head)]

    def decided(self, terminal: str, messages: Sequence[bytes]) -> list[Outgoing]:
        """Address decisions to a terminal."""
        topic = TerminalTopics(self._office.settings.mall, terminal).decisions
        return [Outgoing(topic, message, _DECISION_EXPIRES_S) for message in messages]

    def _keep_all(self, connection: Connection, chain: Chain, letters: Sequence[Letter]) -> tuple[Head, list[bytes]]:
        head = chain.head
        decided: list[bytes] = []
        withdrawn = frozenset(
            letter.record.body.attempt for letter in letters if isinstance(letter.record.body, Reversal)
        )
        for letter in letters:
            if letter.record.number > head.number + 1:
                log.info("terminal %s is at record %d, kept is %d", chain.terminal, letter.record.number, head.number)
                break
            if letter.record.number <= head.number:
                self._check_same(connection, chain, letter)
                decided += self._clerk.repeat(connection, letter.record)
                continue
            head = _follow(head, letter)
            archive.keep(connection, chain.chain, letter, self._office.clock.now_ms())
            decided += self._clerk.take(connection, letter.record, withdrawn)
        if head != chain.head:
            terminals.move_head(connection, chain.chain, head)
        return head, list(dict.fromkeys(decided))

    def _check_same(self, connection: Connection, chain: Chain, letter: Letter) -> None:
        number = letter.record.number
        if archive.hash_of(connection, chain.chain, number) != letter.hash:
            raise Suspicious("forked", f"record {number} contradicts the one that is kept")

    def _receipt(self, terminal: str, head: Head) -> Outgoing:
        receipt = Receipt(terminal=terminal, number=head.number, hash=head.hash, at_ms=self._office.clock.now_ms())
        topic = TerminalTopics(self._office.settings.mall, terminal).receipts
        return Outgoing(topic, seal_answer(receipt, self._office.signer), _RECEIPT_EXPIRES_S)

    def _alarmed(self, terminal: str, evidence: bytes) -> alarms.Watch:
        return alarms.Watch(self._store, self._office.clock, terminal, evidence)


def _follow(head: Head, letter: Letter) -> Head:
    try:
        return head.follow(letter.record, letter.message)
    except BrokenChain as broken:
        raise Suspicious("forked", str(broken)) from broken
