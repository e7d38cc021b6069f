"""A stream of pictures: each code once, as long as it stays in view, at a bounded price a picture."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import numpy as np

from device.decode.ballot import Ballot
from device.decode.budget import Budget
from device.decode.codes import Box, Code
from device.decode.doubt import confirmed
from device.decode.linear import upright
from device.decode.pictures import reduced, scaled
from device.decode.readings import SMALLEST_SIDE, OpticalReading, checked, distinct, reading_of
from device.decode.regions import Region, Regions, find_regions
from device.decode.rescue import QR
from device.decode.scene import Scene
from device.decode.tracking import MatrixTrack
from device.decode.view import View
from device.decode.wanted import RETAIL_ITF, Wanted
from device.decode.witness import Witness
from device.decode.zbar import zbar_look
from device.decode.zxing import zxing_look
from device.sight import Hint, Mark, Place

_RESTLESS_LOOKS = 6
"""So many looks at an unchanged picture before it is looked at less often."""
_REST = 8
"""An unchanged picture gets one look in so many: it may just be coming into focus."""
_ROUND = 8
"""Pictures that change are searched as a whole for linear codes and PDF417 once in so many each."""
_PDF417 = frozenset({"PDF417"})
_LARGE = _PDF417 | {"DATAMATRIX"}
_THOROUGH = 4
"""One changing picture in so many is searched for QR codes that are inverted or fill the picture."""
_SECOND_OPINION_PIXELS = 250_000
"""zbar takes a tenth of a second for a million pixels."""
_DIGESTIBLE_PIXELS = 120_000
"""Of a place with bars: more do not make a linear code any clearer."""
_AROUND = 0.15
"""Part of a code's width that its quiet zone may take."""
_PICTURE_MS = 26.0
"""Processor time after which no further look begins."""


class OpticalDecoder:
    """Gives each code of a stream of pictures once, as long as it stays in view.

    Not for several threads. Each picture that changed is searched for QR codes and for places that look like a code;
    these get closer looks within a budget. The whole picture is searched for other symbologies in turns, and pictures
    that do not change are looked at less and less.
    """

    AWAY_MS = 1500
    """A code that was out of view for so long is a new reading when it comes back."""
    _VOTE_MS = 1000

    def __init__(
        self, device: str = "", *, itf_digits: frozenset[int] = RETAIL_ITF, symbologies: Iterable[str] | None = None
    ) -> None:
        self._device = device
        self._wanted = wanted = Wanted.of(symbologies, itf_digits)
        self._qr = QR & wanted.matrix
        self._groups = (wanted.matrix - QR - _LARGE, wanted.matrix & _LARGE, wanted.linear)
        self._scene = Scene()
        self._ballot = Ballot(self._VOTE_MS)
        self._view = View(self.AWAY_MS)
        self._track = MatrixTrack(wanted.matrix)
        self._witness = Witness()
        self._bars: Region | None = None
        self._turn = 0
        self._unchanged = 0

    @property
    def hint(self) -> Hint | None:
        """What keeps a code from being read that has been in view for some pictures."""
        return self._witness.hint

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the code of the hint is."""
        return self._witness.places

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What is in view: codes that were read, and the place that is looked at in vain."""
        return self._witness.marks

    def feed(self, gray: np.ndarray, at_ms: int | None = None) -> list[OpticalReading]:
        """Give the codes that have newly come into view; NotAPicture for anything but uint8 of height x width."""
        picture = checked(gray)
        now = time.monotonic_ns() // 1_000_000 if at_ms is None else at_ms
        if min(picture.shape) < SMALLEST_SIDE:
            return []
        if self._may_rest(picture):
            self._view.keep(now)
            self._witness.keep(now)
            return []
        seen, looked_for = self._look(picture, now)
        return [reading_of(code, self._device, now) for code in self._view.fresh(distinct(seen), looked_for, now)]

    def rearm(self) -> None:
        """Deliver again what is in view, for example because a sale has just begun."""
        self._view.clear()
        self._ballot.clear()
        self._unchanged = 0

    def _may_rest(self, picture: np.ndarray) -> bool:
        self._unchanged = 0 if self._scene.changed(picture) else self._unchanged + 1
        return self._unchanged > _RESTLESS_LOOKS and self._unchanged % _REST != 0

    def _look(self, picture: np.ndarray, now: int) -> tuple[list[Code], frozenset[str]]:
        """Give the codes seen, and the symbologies that would have been seen."""
        budget = Budget(_PICTURE_MS)
        group = self._next_group()
        codes = zxing_look(picture, self._qr, hasty=self._turn % _THOROUGH != 1 and not self._unchanged)
        if group:
            codes += self._believed(
                picture, confirmed(picture, zxing_look(picture, group, hasty=group is not self._wanted.linear)), now
            )
        regions = Regions()
        if codes:
            self._track.lose()
        else:
            regions = find_regions(picture, most=1)
            codes = self._look_closer(picture, regions, budget, now)
        looked_for = self._qr | group
        self._witness.saw(picture, codes, regions, now, looked_for=looked_for, spent_ms=_PICTURE_MS - budget.left_ms)
        return codes, looked_for

    def _next_group(self) -> frozenset[str]:
        """Choose what the whole picture is searched for beside QR codes: always something if it does not change."""
        if self._unchanged:
            return self._groups[self._unchanged % len(self._groups)]
        turn = self._turn % _ROUND
        self._turn += 1
        return {0: self._wanted.linear, _ROUND // 2: self._wanted.matrix & _PDF417}.get(turn, frozenset())

    def _look_closer(self, picture: np.ndarray, regions: Regions, budget: Budget, now: int) -> list[Code]:
        """Look at the places that look like a code; of two kinds in one picture, only the more promising one."""
        if regions.linear and not regions.mostly_matrix:
            codes = self._look_at_bars(picture, regions.linear[0], now)
            if codes:
                return codes
        if not regions.matrix:
            self._track.lose()
            return self._second_opinion(picture, now)
        return self._track.look(picture, regions.matrix[0], budget)

    def _look_at_bars(self, picture: np.ndarray, region: Region, now: int) -> list[Code]:
        """Look at the place once, and by zbar as well when it stays."""
        stays = self._bars is not None and self._bars.resembles(region)
        self._bars = region
        place = upright(picture, region, _DIGESTIBLE_PIXELS)
        codes = self._believed(place, zxing_look(place, self._wanted.linear | self._wanted.matrix & _PDF417), now)
        if not codes and stays:
            codes = self._believed(place, zbar_look(place, self._wanted.linear), now, "zbar")
        return [code.at(region.box(picture)) for code in codes]

    def _second_opinion(self, picture: np.ndarray, now: int) -> list[Code]:
        """Ask zbar about a picture that does not change."""
        if self._unchanged != _RESTLESS_LOOKS:
            return []
        small = reduced(picture, _SECOND_OPINION_PIXELS)
        return self._believed(small, zbar_look(small, self._qr | self._wanted.linear), now, "zbar")

    def _believed(self, picture: np.ndarray, codes: Sequence[Code], now: int, kind: str = "zxing") -> list[Code]:
        """Leave out the linear codes that the votes do not bear out; those in doubt get a second look at once."""
        matrix = [code for code in codes if not code.linear]
        linear = [code for code in self._wanted.believable(codes) if code.linear]
        if not linear:
            return matrix
        self._ballot.add(linear, now, kind)
        if not all(self._view.holds(code) for code in linear):
            again = zxing_look(scaled(picture, 0.75), frozenset(code.symbology for code in linear))
            self._ballot.add(self._wanted.believable(again), now)
            if self._ballot.is_open():
                others = zbar_look(_around(picture, linear[0].box), self._wanted.linear)
                self._ballot.add([code.at(linear[0].box) for code in self._wanted.believable(others)], now, "zbar")
        keys = {code.key for code in linear}
        return [*matrix, *(code for code in self._ballot.elected() if code.key in keys)]


def _around(picture: np.ndarray, box: Box) -> np.ndarray:
    """Cut out a linear code, whose box may be no more than one row of it, with its quiet zones."""
    height, width = picture.shape
    margin = _AROUND * max((box.right - box.left) * width, (box.bottom - box.top) * height)
    region = Region(
        int(box.left * width), int(box.top * height), int(box.right * width) + 1, int(box.bottom * height) + 1, 0.0
    )
    return reduced(region.cut(picture, int(margin) + 2), _SECOND_OPINION_PIXELS)
