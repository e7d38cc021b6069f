"""What a terminal asks of a scanner: one command after another, each repeated until it is answered or given up."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `sent` and the answers are bytes on the wire."""

    about: str
    """What it asks for, for the technician: "read continuously"."""
    sent: bytes
    accepted: tuple[bytes, ...] = ()
    """Answers that say yes; none if the scanner gives no answer."""
    refused: tuple[bytes, ...] = ()
    """Answers that say no."""
    again: bytes = b""
    """What is sent when no answer came, if it differs."""
    within_ms: int = 500
    tries: int = 3
    needed: bool = True
    """Whether a scanner that does not do it cannot be used."""


class Commands:
    """Knows which command is waiting for its answer, and when to repeat it."""

    def __init__(self, commands: Iterable[Command] = ()) -> None:
        self._todo = deque(commands)
        self._waiting: Command | None = None
        self._since_ms = 0
        self.trouble = ""
        """Why the scanner cannot be used, empty if it can."""
        self.refusals: list[str] = []
        """What the scanner would not do, though it can be used without."""

    @property
    def waiting(self) -> Command | None:
        """The command whose answer is awaited."""
        return self._waiting

    @property
    def done(self) -> bool:
        """Whether all commands are answered or given up."""
        return self._waiting is None and not self._todo

    @property
    def due_ms(self) -> int | None:
        """When `next` has something to do; None if never."""
        if self._waiting is not None:
            return self._since_ms + self._waiting.within_ms
        return self._since_ms if self._todo else None

    def add(self, command: Command) -> None:
        """Ask for one more."""
        self._todo.append(command)

    def next(self, now_ms: int) -> bytes:
        """Give what is to be sent now: the next command, or the waiting one again."""
        if self._waiting is not None:
            return self._repeat(now_ms) if now_ms >= self._since_ms + self._waiting.within_ms else b""
        if not self._todo:
            return b""
        command = self._todo.popleft()
        self._since_ms = now_ms
        self._waiting = command if command.accepted else None
        return command.sent

    def answered(self) -> None:
        """Notice that the waiting command was done."""
        self._waiting = None

    def refuse(self, why: str) -> None:
        """Notice that the waiting command will not be done; `why` follows "the scanner"."""
        command, self._waiting = self._waiting, None
        if command is None:
            return
        if command.needed:
            self.trouble = f"the scanner {why}; it was asked to {command.about}"
            self._todo.clear()
        else:
            self.refusals.append(command.about)

    def repeat(self, now_ms: int) -> bytes:
        """Give the waiting command once more, because the scanner asked for it."""
        return self._repeat(now_ms) if self._waiting is not None else b""

    def _repeat(self, now_ms: int) -> bytes:
        command = self._waiting
        assert command is not None
        self._since_ms = now_ms
        if command.tries <= 1:
            self.refuse("does not answer (is it set to this profile, and to these line settings?)")
            return self.next(now_ms)
        self._waiting = replace(command, tries=command.tries - 1)
        return command.again or command.sent
