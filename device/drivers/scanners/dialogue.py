"""What a terminal and a scanner say to each other: bytes in, codes and bytes out; without device and clock."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from device.drivers.framing import Cutter, Dropped, Frame
from device.drivers.scanners.commands import Command, Commands
from device.drivers.scanners.identifiers import Identifier
from device.drivers.scanners.pulse import Pulse
from device.drivers.scanners.replies import ReplyCutter

_LATE_MS: Final = 5000
_HOLD_MS: Final = 100


class Dialogue(ABC):
    """A cutter that also speaks. After each `feed`, also of nothing, `answer` gives what is to be sent."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self.dropped = Dropped()
        self._commands = Commands(commands)

    @property
    def is_ready(self) -> bool:
        """Whether the scanner has done what it was asked at its start."""
        return self._commands.done

    @property
    def trouble(self) -> str:
        """Why the scanner cannot be used, empty if it can; the dialogue is over then."""
        return self._commands.trouble

    @property
    def refusals(self) -> tuple[str, ...]:
        """What the scanner would not do, though it can be used without."""
        return tuple(self._commands.refusals)

    @property
    @abstractmethod
    def due_ms(self) -> int | None:
        """When `feed(b"")` has something to do, None if never."""

    @abstractmethod
    def feed(self, piece: bytes, at_ms: int) -> list[Frame]:
        """Take what the scanner sent, or nothing, and give the codes that are now complete."""

    @abstractmethod
    def answer(self) -> bytes:
        """Give what is to be sent now; every byte is given once."""

    @abstractmethod
    def clear(self) -> None:
        """Forget a code that is half there."""


class TextDialogue(Dialogue):
    """Codes as text or in simple frames, commands whose answers are known byte strings, perhaps a heartbeat."""

    def __init__(
        self,
        cutter: Cutter,
        identifier: Identifier,
        commands: Sequence[Command] = (),
        pulse: Pulse | None = None,
    ) -> None:
        super().__init__(commands)
        self.dropped = cutter.dropped
        self._cutter = cutter
        self._identifier = identifier
        self._pulse = pulse
        self._replies = ReplyCutter()
        self._expected: list[tuple[int, Command]] = []
        self._heard_ms: int | None = None
        self._outgoing = bytearray()

    @property
    def due_ms(self) -> int | None:
        """When something is to be sent, repeated, let go or given up."""
        dues = [self._cutter.due_ms, self._commands.due_ms]
        if self._heard_ms is not None and self._replies.is_holding:
            dues.append(self._heard_ms + _HOLD_MS)
        dues.append(self._pulse_due_ms())
        return min((due_ms for due_ms in dues if due_ms is not None), default=None)

    def feed(self, piece: bytes, at_ms: int) -> list[Frame]:
        """Take what the scanner sent, or nothing, and give the codes that are now complete."""
        frames = self._cutter.feed(b"", at_ms)
        if self._heard_ms is not None and at_ms >= self._heard_ms + _HOLD_MS:
            frames += self._cutter.feed(self._replies.release(), self._heard_ms)
        if piece or self._heard_ms is None:
            self._heard_ms = at_ms
        self._expected = [(until_ms, command) for until_ms, command in self._expected if until_ms > at_ms]
        for text, reply in self._replies.feed(piece, self._wanted()):
            frames += self._cutter.feed(text, at_ms)
            self._take_reply(reply)
        self._speak(at_ms)
        return self._identified(frames)

    def answer(self) -> bytes:
        """Give what is to be sent now; every byte is given once."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def clear(self) -> None:
        """Forget a code that is half there."""
        self._cutter.clear()
        self._replies.release()

    def _wanted(self) -> tuple[bytes, ...]:
        """Give the answers of all commands of the last seconds: one that was repeated is answered twice."""
        return tuple(answer for _, command in self._expected for answer in (*command.accepted, *command.refused))

    def _take_reply(self, reply: bytes) -> None:
        waiting = self._commands.waiting
        if not reply or waiting is None:
            return
        if reply in waiting.accepted:
            self._commands.answered()
            if self._pulse is not None:
                self._pulse.answered(waiting)
        elif reply in waiting.refused:
            self._commands.refuse("says no")

    def _pulse_due_ms(self) -> int | None:
        """When a silent scanner is to be asked whether it is there; None while it is asked something, or for ever."""
        is_free = self._commands.done and not self.trouble
        if self._pulse is None or self._pulse.command is None or self._heard_ms is None or not is_free:
            return None
        return self._heard_ms + self._pulse.every_ms

    def _speak(self, now_ms: int) -> None:
        due_ms = self._pulse_due_ms()
        if due_ms is not None and now_ms >= due_ms and self._pulse is not None and self._pulse.command is not None:
            self._commands.add(self._pulse.command)
        while sent := self._commands.next(now_ms):
            self._outgoing += sent
            if self._commands.waiting is not None:
                self._expected.append((now_ms + _LATE_MS, self._commands.waiting))
        if self._pulse is not None:
            self._pulse.refused(self._commands.refusals)

    def _identified(self, frames: list[Frame]) -> list[Frame]:
        read = [self._identifier.read(frame) for frame in frames]
        self.dropped.damaged += read.count(None)
        return [frame for frame in read if frame is not None]
