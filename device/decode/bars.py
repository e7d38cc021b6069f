"""Reads article numbers (EAN-13 with UPC-A, EAN-8, UPC-E) out of blur, by what their bars would look like.

The common decoders measure the widths of bars between edges. Where blur has moved or swallowed the edges, that gives
wrong digits with a right check digit, or nothing. Here each digit is compared as a whole with all the digits that could
stand there, blurred alike (ISO/IEC 15420 gives the patterns). The answer comes with its certainty: how well the picture
agrees with the digits, and how much worse the second best digit would be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from device.gs1.gtin import expand_upce

_SAMPLES = 4
"""Of one module."""
_WORST_GUARD = 0.5
"""Correlation of guard bars that are there at all."""
_DIGIT = 9
"""Modules of a digit with one of each neighbour."""
_LEFT = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
"""Set A, 1 for dark; set B is set C reversed, set C is set A inverted."""
_PARITY_13 = ("AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA")
"""By the first digit of EAN-13."""
_PARITY_E = ("BBBAAA", "BBABAA", "BBAABA", "BBAAAB", "BABBAA", "BAABBA", "BAAABB", "BABABA", "BABAAB", "BAABAB")
"""By the check digit of a UPC-E of number system 0; number system 1 swaps A and B."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the digits of one symbology stand, in modules from the first bar."""

    name: str
    modules: int
    left: tuple[int, ...]
    right: tuple[int, ...]
    guards: tuple[tuple[int, str], ...]
    mixed: bool
    """The left digits may be of set B."""


EAN13 = Layout(
    "EAN13",
    95,
    tuple(range(3, 45, 7)),
    tuple(range(50, 92, 7)),
    ((-3, "000101"), (45, "01010"), (92, "101000")),
    mixed=True,
)
EAN8 = Layout(
    "EAN8",
    67,
    tuple(range(3, 31, 7)),
    tuple(range(36, 64, 7)),
    ((-3, "000101"), (31, "01010"), (64, "101000")),
    mixed=False,
)
UPCE = Layout("UPCE", 51, tuple(range(3, 45, 7)), (), ((-3, "000101"), (45, "0101010000")), mixed=True)


@dataclass(frozen=True, slots=True)
class Match:
    """A number, and how certain it is."""

    symbology: str
    digits: str
    start: float
    """Where the first bar begins, in samples of the profile."""
    end: float
    likeness: float
    """Mean correlation of the digits with the picture, at most 1."""
    weakest: float
    """Correlation of the worst digit."""
    margin: float
    """How much the correlation of the least certain digit would drop with the next best digit."""


def match(profile: np.ndarray, layout: Layout, starts: np.ndarray, ends: np.ndarray, sigma: float) -> Match | None:
    """Read along a profile of grey levels, trying all pairs of starts and ends; None if the digits make no number.

    `sigma` is the blur in modules.
    """
    start, end = (values.ravel() for values in np.meshgrid(starts, ends))
    sensible = end - start > layout.modules  # less than one sample a module holds nothing
    start, end = start[sensible], end[sensible]
    if not start.size:
        return None
    patterns = _patterns(layout.mixed, sigma)
    guesses = _Guesses(profile, start, (end - start) / layout.modules)
    left = _correlations(guesses, layout.left, patterns.left)
    right = _correlations(guesses, layout.right, patterns.right)
    guards = [_correlations(guesses, (at,), _template(bits, sigma)[None])[:, 0, 0] for at, bits in layout.guards]
    digits = np.concatenate([left.max(axis=2), right.max(axis=2)], axis=1) if layout.right else left.max(axis=2)
    quality = digits.mean(axis=1) + 0.25 * np.mean(guards, axis=0)
    best = int(quality.argmax())
    if min(float(guard[best]) for guard in guards) < _WORST_GUARD:
        return None
    return _decoded(layout, left[best], right[best], float(start[best]), float(end[best]))


@dataclass(frozen=True, slots=True)
class _Patterns:
    left: np.ndarray
    right: np.ndarray


@cache
def _patterns(mixed: bool, sigma: float) -> _Patterns:
    right = ["".join("10"[int(bit)] for bit in digit) for digit in _LEFT]
    sets = [*_LEFT, *(digit[::-1] for digit in right)] if mixed else list(_LEFT)
    return _Patterns(
        np.stack([_template("1" + digit + "0", sigma) for digit in sets]),
        np.stack([_template("0" + digit + "1", sigma) for digit in right]),
    )


@cache
def _template(bits: str, sigma: float) -> np.ndarray:
    """Give the samples of these modules, blurred, of mean 0 and length 1; light is high."""
    fine = np.repeat([1.0 - int(bit) for bit in bits], _SAMPLES)
    padded = np.pad(fine, 8 * _SAMPLES, "edge")
    reach = np.arange(-8 * _SAMPLES, 8 * _SAMPLES + 1)
    kernel = np.exp(-(reach**2) / (2 * (sigma * _SAMPLES) ** 2))
    smooth = np.convolve(padded, kernel / kernel.sum(), "valid")
    centred = smooth - smooth.mean()
    unit: np.ndarray = (centred / np.linalg.norm(centred)).astype(np.float32)
    return unit


@dataclass(frozen=True, slots=True)
class _Guesses:
    """A profile, and where the code may begin and how wide its modules may be, both in samples."""

    profile: np.ndarray
    start: np.ndarray
    module: np.ndarray


def _correlations(guesses: _Guesses, places: tuple[int, ...], templates: np.ndarray) -> np.ndarray:
    """Give (guess, place, template) -> correlation; the places are in modules."""
    if not places:
        return np.zeros((guesses.start.size, 0, len(templates)), np.float32)
    width = templates.shape[1] // _SAMPLES
    first = np.array(places, np.float32) - (1 if width == _DIGIT else 0)  # guards bring their own neighbours
    offsets = (np.arange(width * _SAMPLES, dtype=np.float32) + 0.5) / _SAMPLES
    modules = first[:, None] + offsets[None]
    at = guesses.start[:, None, None] + guesses.module[:, None, None] * modules[None]
    values = _sampled(guesses.profile, at)
    values -= values.mean(axis=2, keepdims=True)
    norms = np.sqrt((values * values).sum(axis=2, keepdims=True))
    correlations: np.ndarray = (values @ templates.T) / np.maximum(norms, 1e-3)
    return correlations


def _sampled(profile: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Interpolate; the profile goes on as it ends."""
    place = np.clip(at - 0.5, 0, len(profile) - 1.001)
    whole = place.astype(np.int32)
    part = (place - whole).astype(np.float32)
    sampled: np.ndarray = profile[whole] * (1 - part) + profile[whole + 1] * part
    return sampled


def _decoded(layout: Layout, left: np.ndarray, right: np.ndarray, start: float, end: float) -> Match | None:
    columns = np.concatenate([left.argmax(axis=1), right.argmax(axis=1)]) if layout.right else left.argmax(axis=1)
    chosen = "".join(str(column % 10) for column in columns)
    sets = "".join("AB"[column // 10] for column in columns[: len(layout.left)])
    digits = _number(layout, chosen, sets)
    if digits is None:
        return None
    parts = [part for part in (left, right) if part.size]
    ordered = [np.sort(part, axis=1) for part in parts]
    bests = np.concatenate([part[:, -1] for part in ordered])
    seconds = np.concatenate([part[:, -2] for part in ordered])
    return Match(
        layout.name,
        digits,
        start,
        end,
        float(bests.mean()),
        float(bests.min()),
        float((bests - seconds).min()),
    )


def _number(layout: Layout, chosen: str, sets: str) -> str | None:
    """Put the number together; None if its check digit is wrong."""
    if layout is EAN8:
        return chosen if _checks(chosen) else None
    if layout is EAN13:
        if sets not in _PARITY_13:
            return None
        digits = str(_PARITY_13.index(sets)) + chosen
        return digits if _checks(digits) else None
    for system, parities in (("0", _PARITY_E), ("1", tuple(p.translate(_SWAP) for p in _PARITY_E))):
        if sets in parities:
            digits = expand_upce(system + chosen + str(parities.index(sets)))
            return digits if _checks(digits) else None
    return None


_SWAP = str.maketrans("AB", "BA")


def _checks(digits: str) -> bool:
    weights = (3 if index % 2 else 1 for index in range(len(digits)))
    return sum(weight * int(digit) for weight, digit in zip(weights, reversed(digits), strict=False)) % 10 == 0
