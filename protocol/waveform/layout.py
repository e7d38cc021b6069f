"""Which cell of a token carries what: the map that modulator and receiver share.

A cell is one carrier of one symbol. One in four is a pilot, in a comb that moves by one carrier from symbol to symbol;
one pilot in four spells the length by its sign. All cells are turned by a scattered multiple of 90 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from protocol.waveform import scatter
from protocol.waveform.forms import FORMS, Band, Direction, Form, body_start

_COMB = 4
_SPELLING = 4
_QUARTERS = np.array([1, 1j, -1, -1j], np.complex64)


@dataclass(frozen=True, slots=True)
class Layout:
    """The cells of one form in one band and direction; arrays have a row a symbol and a column a carrier."""

    band: Band
    direction: Direction
    form: Form
    turns: np.ndarray
    """The scattered phase of each cell, as a complex number of modulus 1."""
    pilots: np.ndarray
    """True where the value is known beforehand."""
    spelling: np.ndarray
    """True where the sign spells the length."""
    data: np.ndarray
    order: np.ndarray
    """Slots of the data cells in scattered order; slot 2 i is the real part of data cell i, slot 2 i + 1 the other."""

    @property
    def symbols(self) -> np.ndarray:
        """Numbers of the symbols."""
        return np.arange(-self.form.half, self.form.half)

    @property
    def bodies(self) -> np.ndarray:
        """Where the body of each symbol begins, in native samples after the middle of the preamble."""
        return np.array([body_start(symbol) for symbol in self.form.symbols])


def stream_of(band: Band, direction: Direction) -> int:
    """Number by which bands and directions differ in all that is scattered."""
    return 256 * (2 * band.code + direction.value)


@cache
def layout(band: Band, direction: Direction, form: Form) -> Layout:
    """Draw the map of a form."""
    symbols = np.arange(-form.half, form.half)
    carriers = np.arange(band.carriers)
    stream = stream_of(band, direction)
    place = carriers[None, :] - symbols[:, None] % _COMB
    comb = place % _COMB == 0
    spelling = comb & ((place // _COMB + symbols[:, None] // _COMB) % _SPELLING == 0)
    data = ~comb
    turns = _QUARTERS[scatter.phases(symbols, band.carriers, stream)]
    order = scatter.order(2 * int(data.sum()), stream + form.code).astype(np.uint16)
    return Layout(band, direction, form, turns, comb & ~spelling, spelling, data, order)


@cache
def words(band: Band, direction: Direction, form: Form, told: Form) -> np.ndarray:
    """Give what the spelling cells of `form` hold for each length of `told`: a row of signs a length.

    `told` may be longer than `form`: then its inner symbols are compared.
    """
    drawn = layout(band, direction, form)
    rows, carriers = np.nonzero(drawn.spelling)
    stream = stream_of(band, direction)
    spelled = [
        scatter.signs(word(told, n), drawn.symbols[rows], carriers, stream).astype(np.int8) for n in told.lengths
    ]
    return np.array(spelled, np.int8)


def word(form: Form, length: int) -> int:
    """Number of the word that spells a form and a length."""
    return form.code * 256 + length


def lengths_heard_in(form: Form) -> tuple[Form, ...]:
    """Give the forms of which a stretch as long as `form` can be a part."""
    return tuple(other for other in FORMS if other.half >= form.half)
