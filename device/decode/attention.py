"""All that a microphone tells besides tokens: one is coming, one was not understood, none can be heard."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from device.decode.disturbance import JammingSettings, Sound
from device.decode.jamming import JammingWatch
from device.decode.unclear import UnclearWatch


class Hearer(Protocol):
    """What is asked of a decoder."""

    @property
    def read(self) -> int:
        """Tokens heard so far, the repeated ones too."""

    @property
    def preambles(self) -> int:
        """Clear preambles so far."""

    @property
    def torn(self) -> int:
        """Tokens so far that could not be read."""

    @property
    def hearing(self) -> bool:
        """Whether a token is probably being heard now."""


class Attention:
    """Follows a decoder through its stream; for one thread."""

    def __init__(self, rate_hz: int, settings: JammingSettings) -> None:
        self._jamming = JammingWatch(rate_hz, settings)
        self._unclear = UnclearWatch(rate_hz)
        self._hearing = False

    @property
    def state(self) -> Sound:
        """NOISE or PREAMBLES while tokens cannot be heard, else QUIET."""
        return self._jamming.state

    def end(self) -> list[Sound]:
        """Give what ends with the stream."""
        ends = [Sound.OVER] if self._hearing else []
        return ends if self._jamming.state is Sound.QUIET else [*ends, Sound.QUIET]

    def follow(self, samples: np.ndarray, hearer: Hearer, *, deaf: bool) -> list[Sound]:
        """Give the news of a piece that the decoder has taken; while `deaf`, the terminal plays itself."""
        counts = (hearer.read, hearer.preambles, hearer.torn)
        news = []
        if hearer.hearing is not self._hearing:
            self._hearing = hearer.hearing
            news.append(Sound.BEGINS if self._hearing else Sound.OVER)
        if change := self._jamming.feed(samples, *counts, deaf=deaf):
            news.append(change)
        is_unclear = self._unclear.feed(len(samples), hearer.read, hearer.torn, deaf=deaf)
        if is_unclear and self._jamming.state is Sound.QUIET:
            news.append(Sound.UNCLEAR)
        return news
