"""What the domain needs of the way to settlement."""

from __future__ import annotations

from typing import Protocol

from protocol.questions import AnswerBody, QuestionBody
from protocol.records import Action


class SettlementLine(Protocol):
    """The uplink, seen from the counter."""

    @property
    def online(self) -> bool:
        """Connected, and settlement's last signed heartbeat came less than 10 s ago."""

    def flush(self) -> None:
        """Send what is new in the journal."""

    def enquire(self, subject: str, action: Action) -> None:
        """Ask what became of a subject; the decision arrives like any other."""

    async def ask(self, body: QuestionBody, timeout_s: float) -> AnswerBody | None:
        """Ask settlement; None if no answer came in time."""
