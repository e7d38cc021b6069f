"""One channel of sound out of several; apart from the rest of sound as numbers, because it needs no numpy."""

from __future__ import annotations


def one_channel(pcm: bytes, channels: int, channel: int) -> bytes:
    """Take one channel, counted from 1, out of 16-bit samples of several."""
    return pcm if channels == 1 else memoryview(pcm).cast("h")[channel - 1 :: channels].tobytes()
