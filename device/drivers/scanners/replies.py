"""Takes the answers to commands out of what a scanner sends, wherever between its codes they stand."""

from __future__ import annotations

from collections.abc import Sequence


class ReplyCutter:
    """Finds known byte strings in a stream, though it arrives in pieces; what is none of them passes."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def is_holding(self) -> bool:
        """Whether bytes are held back because they may begin an answer."""
        return bool(self._held)

    def feed(self, piece: bytes, wanted: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Give (text, answer) pairs in order; the last answer is empty. Text that may begin an answer is held back."""
        data, self._held = self._held + piece, b""
        found: list[tuple[bytes, bytes]] = []
        while (hit := _first(data, wanted)) is not None:
            at, answer = hit
            found.append((data[:at], answer))
            data = data[at + len(answer) :]
        keep = _begun(data, wanted)
        self._held = data[len(data) - keep :]
        found.append((data[: len(data) - keep], b""))
        return found

    def release(self) -> bytes:
        """Give what was held back: no answer is awaited any more."""
        held, self._held = self._held, b""
        return held


def _first(data: bytes, wanted: Sequence[bytes]) -> tuple[int, bytes] | None:
    hits = [(at, answer) for answer in wanted if answer and (at := data.find(answer)) >= 0]
    return min(hits, key=lambda hit: hit[0], default=None)


def _begun(data: bytes, wanted: Sequence[bytes]) -> int:
    """Tell how many bytes at the end may be the beginning of an answer."""
    longest = max((len(answer) for answer in wanted), default=1) - 1
    for length in range(min(longest, len(data)), 0, -1):
        if any(answer.startswith(data[-length:]) for answer in wanted):
            return length
    return 0
