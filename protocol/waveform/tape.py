"""The last seconds of a stream, addressed by places that count from its beginning."""

from __future__ import annotations

import numpy as np


class Tape:
    """Keeps at least the newest `kept` samples; what is older, or not yet there, reads as silence.

    At most `most` samples are added at once.
    """

    def __init__(self, kept: int, most: int) -> None:
        self._kept = kept
        self._samples = np.zeros(kept + max(most, kept // 4), np.complex64)
        self._begin = 0
        """Place of the first sample in the array."""
        self.end = 0

    def append(self, samples: np.ndarray) -> None:
        """Add samples."""
        if self.end - self._begin + len(samples) > len(self._samples):
            recent = self._samples[self.end - self._begin - self._kept : self.end - self._begin].copy()
            self._samples[: self._kept] = recent
            self._begin = self.end - self._kept
        place = self.end - self._begin
        self._samples[place : place + len(samples)] = samples
        self.end += len(samples)

    def read(self, begin: int, width: int) -> np.ndarray:
        """Give `width` samples from a place on."""
        piece = np.zeros(width, np.complex64)
        first, last = max(begin, self._begin), min(begin + width, self.end)
        if first < last:
            piece[first - begin : last - begin] = self._samples[first - self._begin : last - self._begin]
        return piece

    def windows(self, begins: np.ndarray, width: int) -> np.ndarray:
        """Give several stretches of equal width, one a row."""
        return np.stack([self.read(int(begin), width) for begin in begins])
