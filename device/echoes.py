"""One code that several devices see at the same moment is one code.

A camera looks at everything: also at the article that goes past the hand scanner, and at the phone that a second camera
sees as well. Two hand scanners are two hands, and each counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from device.ports import Reading, Source

log = logging.getLogger(__name__)

WINDOW_MS: Final = 1_000


class Echoes:
    """Passes on the first of the readings of one code by several devices; on the event loop."""

    def __init__(self, deliver: Callable[[Reading], None]) -> None:
        self._deliver = deliver
        self._heard: dict[bytes, Reading] = {}

    def take(self, reading: Reading) -> None:
        """Pass a reading on, unless another device gave the same just now."""
        self._heard = {raw: one for raw, one in self._heard.items() if _apart_ms(one, reading) < WINDOW_MS}
        first = self._heard.setdefault(reading.raw, reading)
        if _is_echo(first, reading):
            log.info("%r repeats what %s has read", reading, first.device)
            return
        self._heard[reading.raw] = reading
        self._deliver(reading)

    def clear(self) -> None:
        """Let everything be new: a sale has just begun."""
        self._heard.clear()


def _is_echo(first: Reading, reading: Reading) -> bool:
    sees = Source.OPTICAL in (first.source, reading.source)
    return sees and first.device != reading.device and _apart_ms(first, reading) < WINDOW_MS


def _apart_ms(one: Reading, other: Reading) -> int:
    return abs(other.at_ms - one.at_ms)
