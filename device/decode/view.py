"""What is in view: a code is a new reading when it comes, and again when it has been away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from device.decode.codes import Code


class View:
    """The codes in view of one camera; `away_ms` out of view makes a code new again."""

    def __init__(self, away_ms: int) -> None:
        self._away_ms = away_ms
        self._held: dict[tuple[str, bytes], _Held] = {}

    def holds(self, code: Code) -> bool:
        """Whether the code has been seen already."""
        return code.key in self._held

    def fresh(self, seen: Sequence[Code], looked_for: frozenset[str], now: int) -> list[Code]:
        """Give the codes that came into view; those looked for in vain begin to be away."""
        fresh = [code for code in seen if self._is_fresh(code, now)]
        self._age(seen, looked_for, now)
        return fresh

    def keep(self, now: int) -> None:
        """What was in view of a picture that does not change is in view still."""
        for held in self._held.values():
            if not held.missed:
                held.seen_ms = now

    def clear(self) -> None:
        """Let everything be new."""
        self._held.clear()

    def _is_fresh(self, code: Code, now: int) -> bool:
        held = self._held.get(code.key)
        return held is None or (held.missed and now - held.seen_ms > self._away_ms)

    def _age(self, seen: Sequence[Code], looked_for: frozenset[str], now: int) -> None:
        for code in seen:
            self._held[code.key] = _Held(now)
        keys = {code.key for code in seen}
        for key, held in list(self._held.items()):
            if key not in keys and key[0] in looked_for:
                held.missed = True
            if held.missed and now - held.seen_ms > self._away_ms:
                del self._held[key]


@dataclass(slots=True)
class _Held:
    """A code in view."""

    seen_ms: int
    missed: bool = False
    """It was looked for since, and not found."""
