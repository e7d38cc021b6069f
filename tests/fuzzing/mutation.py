"""Inputs that are nearly sound: seeds with a few changes, sometimes two of them joined, sometimes nothing but noise."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

LONGEST = 6_000
_TELLING = bytes((0, 1, 0x1D, 0x20, 0x28, 0x29, 0x2F, 0x30, 0x31, 0x39, 0x3F, 0x5D, 0x7F, 0x80, 0xA5, 0xBF, 0xFF))
_ALPHABETS = (b"0123456789", b"0123456789ABCDEFabcdef", bytes(range(32, 127)), bytes(range(256)))


def mutations(seeds: Sequence[bytes], chance: random.Random) -> Iterator[bytes]:
    """Give inputs without end; what one change made may be changed again."""
    kept = [bytearray(seed) for seed in seeds]
    while True:
        data = bytearray(chance.choice(kept)) if chance.random() < 0.97 else bytearray()
        for _ in range(1 + int(chance.expovariate(0.7))):
            chance.choice(_CHANGES)(data, chance, kept)
        del data[LONGEST:]
        if chance.random() < 0.02:
            kept.insert(chance.randrange(len(seeds), len(kept) + 1), data)
            del kept[len(seeds) + 64 :]
        yield bytes(data)


def _place(data: bytearray, chance: random.Random) -> int:
    return int(chance.random() * (len(data) + 1))


def _set(data: bytearray, chance: random.Random, _: object) -> None:
    if data:
        data[_place(data, chance) - 1] = chance.choice(_TELLING)


def _flip(data: bytearray, chance: random.Random, _: object) -> None:
    if data:
        data[_place(data, chance) - 1] ^= 1 << chance.getrandbits(3) % 8


def _digit(data: bytearray, chance: random.Random, _: object) -> None:
    """Change a digit, so that lengths and check digits go wrong by little."""
    if data:
        data[_place(data, chance) - 1] = 0x30 + chance.randrange(10)


def _insert(data: bytearray, chance: random.Random, _: object) -> None:
    place, alphabet = _place(data, chance), chance.choice(_ALPHABETS)
    data[place:place] = bytes(chance.choices(alphabet, k=1 + chance.getrandbits(4)))


def _delete(data: bytearray, chance: random.Random, _: object) -> None:
    place = _place(data, chance)
    del data[place : place + 1 + chance.getrandbits(3)]


def _repeat(data: bytearray, chance: random.Random, _: object) -> None:
    place = _place(data, chance)
    piece = data[place : place + 1 + chance.getrandbits(5)]
    data[place:place] = piece * (1 << chance.getrandbits(3) if chance.random() < 0.05 else 1)


def _truncate(data: bytearray, chance: random.Random, _: object) -> None:
    del data[_place(data, chance) :]


def _splice(data: bytearray, chance: random.Random, kept: list[bytearray]) -> None:
    other = chance.choice(kept)
    data[_place(data, chance) :] = other[_place(other, chance) :]


_CHANGES: tuple[Callable[[bytearray, random.Random, list[bytearray]], None], ...] = (
    _set,
    _flip,
    _flip,
    _digit,
    _digit,
    _insert,
    _delete,
    _repeat,
    _truncate,
    _splice,
)
