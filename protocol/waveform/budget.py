"""A bound on work: so much a second of sound, and some in advance."""

from __future__ import annotations


class Budget:
    """Fills up with the time of the stream; what it does not cover is not done."""

    def __init__(self, a_second: float, most: float, second: int) -> None:
        self._rate = a_second / second
        self._most = most
        self._left = most
        self._place = 0

    def spend(self, cost: float, place: int) -> bool:
        """Take the cost of a piece of work at a place of the stream; False if it is not covered."""
        self._left = min(self._most, self._left + (place - self._place) * self._rate)
        self._place = place
        if cost > self._left:
            return False
        self._left -= cost
        return True
