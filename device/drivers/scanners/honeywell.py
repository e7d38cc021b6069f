"""Honeywell's scanners: menu commands, and the messages ("MSGGET") of those that announce each code.

A menu command is SYN M CR, settings (tag and subtag of three letters each, data) with `;` between them, and `!` (until
power-off) or `.` (kept). It is echoed with ACK, ENQ (no such setting) or NAK (no such value) before each mark.

A message is 16 FE, length of the rest (32 bits, little-endian), CR, "MSGGET", length of the code in four digits, the
letter of Honeywell, two characters of the AIM identifier, GS, the code, CR.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Final

from device.drivers.framing import LONGEST_CODE, Dropped, Frame

_HEAD: Final = b"\x16\xfe"
_HEAD_BYTES: Final = 7
_NAME: Final = b"MSGGET"
_FIXED_BYTES: Final = 14
"""Name, four digits, letter, AIM identifier, GS."""


_MENU: Final = b"\x16M\r"
_DONE: Final = b"\x06"
_REFUSALS: Final = (b"\x05", b"\x15")
_MARKS: Final = re.compile(r"[;,!.]")


def menu_command(text: str) -> bytes:
    """Give the bytes of a menu command such as "SUFBK2990D!"."""
    return _MENU + text.encode("ascii")


def menu_done(text: str) -> bytes:
    """Give the answer of a scanner that has done it."""
    return _echo(text, [_DONE] * len(_MARKS.findall(text)))


def menu_refused(text: str) -> tuple[bytes, ...]:
    """Give the answers of a scanner that has not done all of it."""
    marks = len(_MARKS.findall(text))
    every = itertools.product((_DONE, *_REFUSALS), repeat=marks)
    return tuple(_echo(text, statuses) for statuses in every if set(statuses) != {_DONE})


def _echo(text: str, statuses: Sequence[bytes]) -> bytes:
    parts, marks = _MARKS.split(text.upper()), _MARKS.findall(text)
    pairs = zip(parts, statuses, marks, strict=False)
    return b"".join(part.encode("ascii") + status + mark.encode("ascii") for part, status, mark in pairs)


class BadMessage(ValueError):
    """Not what a scanner says of a code."""


def read_message(body: bytes, at_ms: int) -> Frame:
    """Read what follows the head; BadMessage if it is not about a code."""
    digits, aim, data = body[6:10], body[11:13], body[_FIXED_BYTES:]
    if not body.startswith(_NAME) or body[13:14] != b"\x1d" or not digits.isdigit():
        raise BadMessage("it does not begin as a message about a code does")
    if int(digits) != len(data) or not aim.isalnum() or not aim.isascii():
        raise BadMessage("its lengths or its identifier are wrong")
    return Frame(data.removesuffix(b"\r"), at_ms, "]" + aim.decode("ascii"))


def message(code: bytes, letter: bytes, aim: str) -> bytes:
    """Give the bytes that a scanner sends for a code."""
    data = code + b"\r"
    body = _NAME + b"%04d" % len(data) + letter + aim[1:].encode("ascii") + b"\x1d" + data
    return _HEAD + len(body).to_bytes(4, "little") + b"\r" + body


class MessageFramer:
    """Cuts messages out of what a scanner sends; after nonsense it waits for a pause."""

    def __init__(self, *, patience_ms: int = 1000, longest: int = LONGEST_CODE) -> None:
        self.dropped = Dropped()
        self._patience_ms = patience_ms
        self._longest = longest + _FIXED_BYTES + 1
        self._pending = bytearray()
        self._is_lost = False
        self._last_ms = 0

    @property
    def due_ms(self) -> int | None:
        """When a silence ends what is pending."""
        return self._last_ms + self._patience_ms if self._pending or self._is_lost else None

    def feed(self, piece: bytes, at_ms: int) -> list[Frame]:
        """Take what the scanner sent and give the codes that are now complete."""
        if self.due_ms is not None and at_ms >= self.due_ms:
            self.dropped.torn += not self._is_lost
            self.clear()
        if piece:
            self._last_ms = at_ms
        self._pending += piece
        frames: list[Frame] = []
        while not self._is_lost and self._cut(at_ms, frames):
            pass
        if self._is_lost:
            self._pending.clear()
        return frames

    def clear(self) -> None:
        """Forget what is pending."""
        self._pending.clear()
        self._is_lost = False

    def _cut(self, at_ms: int, frames: list[Frame]) -> bool:
        """Take one message; False if there is none that is whole."""
        if not self._pending:
            return False
        if not _HEAD.startswith(self._pending[:2]):
            self._lose()
            return False
        if len(self._pending) < _HEAD_BYTES:
            return False
        length = int.from_bytes(self._pending[2:6], "little")
        if not _FIXED_BYTES < length <= self._longest:
            self._lose()
            return False
        if len(self._pending) < _HEAD_BYTES + length:
            return False
        body = bytes(self._pending[_HEAD_BYTES : _HEAD_BYTES + length])
        del self._pending[: _HEAD_BYTES + length]
        try:
            frames.append(read_message(body, at_ms))
        except BadMessage:
            self.dropped.damaged += 1
        return True

    def _lose(self) -> None:
        self.dropped.damaged += 1
        self._is_lost = True
