"""When a hint is worth saying: it lasts, it changes, it is not said too often, and it is gone when a code was read."""

from __future__ import annotations

from typing import Final

from device.sight import Guidance, Hint, Place

_PAUSE_MS: Final = 250
"""Between two messages, unless a code was read."""
_LINGER_MS: Final = 700
"""A hint that comes and goes stays for so long."""
_SILENCE_MS: Final = 800
"""After a code was read."""
_MOVED: Final = 0.04
"""Parts of the picture by which a side of a place must have moved."""


class Guiding:
    """Turns what the decoder thinks of each picture into the few things that are said."""

    def __init__(self, device: str) -> None:
        self._said = Guidance(device)
        self._said_ms: int | None = None
        self._meant_ms = 0
        """When there last was a hint."""
        self._quiet_until_ms = 0

    def feed(self, hint: Hint | None, places: tuple[Place, ...], *, has_read: bool, at_ms: int) -> Guidance | None:
        """Take the decoder's opinion on one picture; give what to say now, None for nothing new."""
        if has_read:
            self._quiet_until_ms = at_ms + _SILENCE_MS
            return self._say(Guidance(self._said.device), at_ms) if self._said.hint else None
        if hint is not None and at_ms >= self._quiet_until_ms:
            self._meant_ms = at_ms
            return self._say_if_new(Guidance(self._said.device, hint, places), at_ms)
        if self._said.hint is not None and at_ms - self._meant_ms >= _LINGER_MS:
            return self._say(Guidance(self._said.device), at_ms)
        return None

    def end(self) -> Guidance | None:
        """There are no pictures any more; give what to say of it."""
        return self._say(Guidance(self._said.device), self._meant_ms) if self._said.hint else None

    def _say_if_new(self, guidance: Guidance, at_ms: int) -> Guidance | None:
        if self._said_ms is not None and at_ms - self._said_ms < _PAUSE_MS:
            return None
        if guidance.hint is self._said.hint and _are_near(guidance.places, self._said.places):
            return None
        return self._say(guidance, at_ms)

    def _say(self, guidance: Guidance, at_ms: int) -> Guidance:
        self._said, self._said_ms = guidance, at_ms
        return guidance


def _are_near(one: tuple[Place, ...], other: tuple[Place, ...]) -> bool:
    return len(one) == len(other) and all(a.is_near(b, _MOVED) for a, b in zip(one, other, strict=True))
