"""What looks random and is the same everywhere: phases of cells, signs of the length, the order of slots.

All of it comes from one integer hash, the finaliser of MurmurHash3 (Appleby, public domain), so that any entry can be
computed without the ones before it.
"""

from __future__ import annotations

import numpy as np

PHASES = 0x54575631
SIGNS = 0x54575632
ORDER = 0x54575633
"""Seeds: "TWV1" and the two that follow."""


def mix(values: np.ndarray, seed: int) -> np.ndarray:
    """Hash non-negative integers below 2**32 to uint32."""
    mask = np.uint64(0xFFFFFFFF)
    x = (values.astype(np.uint64) * np.uint64(0x9E3779B1) + np.uint64(seed)) & mask
    x ^= x >> np.uint64(16)
    x = (x * np.uint64(0x85EBCA6B)) & mask
    x ^= x >> np.uint64(13)
    x = (x * np.uint64(0xC2B2AE35)) & mask
    x ^= x >> np.uint64(16)
    return x.astype(np.uint32)


def phases(symbols: np.ndarray, carriers: int, stream: int) -> np.ndarray:
    """Give each cell a quarter turn 0 to 3; one row a symbol."""
    cells = _cells(symbols, carriers)
    return (mix(cells, PHASES + stream) >> np.uint32(30)).astype(np.int64)


def signs(word: int, symbols: np.ndarray, carriers: np.ndarray, stream: int) -> np.ndarray:
    """Give +1 or -1 for cells that spell a word."""
    cells = ((symbols + 32) * 512 + carriers).astype(np.uint64)
    return 1 - 2 * (mix(cells + np.uint64(word << 16), SIGNS + stream) >> np.uint32(31)).astype(np.int64)


def order(slots: int, stream: int) -> np.ndarray:
    """Give the numbers 0 to slots - 1 in their scattered order."""
    return np.argsort(mix(np.arange(slots), ORDER + stream), kind="stable")


def _cells(symbols: np.ndarray, carriers: int) -> np.ndarray:
    return (symbols[:, None] + 32) * 512 + np.arange(carriers)[None, :]
