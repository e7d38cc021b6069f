"""A sound that was surely a token and was not understood: too faint, covered, or torn.

Half a token is mostly read, because every bit of it is sent many times and the preamble stands in its middle; a right
check makes it a right token. Only when nothing could be read there is something to tell, and only now and then for a
phone that plays again and again.
"""

from __future__ import annotations

from typing import Final

_WAIT_S: Final = 0.6
"""So long another sighting of the same token may still lead to it."""
_READ_S: Final = 1.5
"""Echoes and overlapping phones are no news so shortly after a token."""
_PAUSE_S: Final = 5.0


class UnclearWatch:
    """Tells when a token was there and could not be read. Counts in samples."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._now = 0
        self._counts = (0, 0)
        self._torn_at: int | None = None
        self._read_at: int | None = None
        self._told_at: int | None = None

    def feed(self, samples: int, tokens: int, torn: int, *, deaf: bool) -> bool:
        """Take the length of a piece and the counts so far; True when there is something to tell."""
        self._now += samples
        has_read, is_torn = tokens > self._counts[0], torn > self._counts[1]
        self._counts = (tokens, torn)
        if has_read:
            self._read_at, self._torn_at = self._now, None
        if deaf:
            self._torn_at = None
        elif is_torn and self._torn_at is None and not self._is_within(self._read_at, _READ_S):
            self._torn_at = self._now
        if self._torn_at is None or self._is_within(self._torn_at, _WAIT_S):
            return False
        self._torn_at = None
        if self._is_within(self._told_at, _PAUSE_S):
            return False
        self._told_at = self._now
        return True

    def _is_within(self, place: int | None, seconds: float) -> bool:
        return place is not None and self._now - place < seconds * self._rate_hz
