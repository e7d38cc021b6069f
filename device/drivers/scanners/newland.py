"""Commands of Newland's scanners (manual of the NLS-HR52): text between a head and `;` ETX, answered by an echo."""

from __future__ import annotations

from typing import Final

_HEAD: Final = b"\x7e\x010000"
_REPLY_HEAD: Final = b"\x02\x010000"
_TAIL: Final = b";\x03"
_DONE: Final = b"\x06"
_REFUSALS: Final = (b"\x15", b"\x05")


def command(text: str) -> bytes:
    """Give the bytes of a command: `@` (kept) or `#` (until power-off), tag, subtag and data."""
    return _HEAD + text.encode("ascii") + _TAIL


def accepted(text: str) -> bytes:
    """Give the answer of a scanner that has done it."""
    return _REPLY_HEAD + text.encode("ascii") + _DONE + _TAIL


def refused(text: str) -> tuple[bytes, ...]:
    """Give the answers of a scanner that has not."""
    return tuple(_REPLY_HEAD + text.encode("ascii") + refusal + _TAIL for refusal in _REFUSALS)
