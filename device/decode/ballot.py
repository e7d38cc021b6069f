"""Linear codes are believed by vote: several looks must agree, and clearly outvote any rival at the same place.

Two looks of different kinds are enough, of one kind there must be three: one decoder repeats its own mistakes.

A clear photograph can be read wrong with a right check digit, so one look at a linear code proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from device.decode.codes import Code
from device.decode.symbologies import ARTICLE_NUMBERS

_ENOUGH = 2
_ENOUGH_OF_ONE_KIND = 3
_ENOUGH_OF_UPCE = 3
"""UPC-E is short, and its check digit hides in the choice of the bars: parts of other codes read as one."""
_OUTVOTED = 2
"""A rival's looks weigh so much: one wrong look of three is an accident, two of five are not."""


@dataclass(slots=True)
class _Candidate:
    code: Code
    """As seen last."""
    looks: list[int] = field(default_factory=list)
    """When it was seen, in milliseconds, one entry a look."""
    kinds: set[str] = field(default_factory=set)
    """By whom it was seen."""


class Ballot:
    """Votes of the looks of the last moments; votes older than `lifetime_ms` do not count."""

    def __init__(self, lifetime_ms: int) -> None:
        self._lifetime_ms = lifetime_ms
        self._candidates: dict[tuple[str, bytes], _Candidate] = {}

    def add(self, codes: Sequence[Code], at_ms: int, kind: str = "zxing") -> None:
        """Count one look of a kind: each different linear code of it gets one vote."""
        self._forget(at_ms)
        for key, code in {code.key: code for code in codes if code.linear}.items():
            candidate = self._candidates.setdefault(key, _Candidate(code))
            candidate.code = code
            candidate.looks.append(at_ms)
            candidate.kinds.add(kind)

    def elected(self) -> list[Code]:
        """Give the codes that may be believed now."""
        return [candidate.code for candidate in self._candidates.values() if self._is_elected(candidate)]

    def doubtful(self) -> list[Code]:
        """Give the codes that were seen, but may not be believed now."""
        return [candidate.code for candidate in self._candidates.values() if not self._is_elected(candidate)]

    def is_open(self) -> bool:
        """Whether another look could help: there are candidates, and at some place nobody is elected."""
        elected = self.elected()
        return any(
            not any(candidate.code.box.touches(winner.box) for winner in elected)
            for candidate in self._candidates.values()
        )

    def clear(self) -> None:
        """Forget every vote."""
        self._candidates.clear()

    def _is_elected(self, candidate: _Candidate) -> bool:
        votes = len(candidate.looks)
        return (
            votes >= _needed(candidate)
            and not any(
                _rivals(candidate.code, other.code) and _OUTVOTED * len(other.looks) >= votes
                for other in self._candidates.values()
                if other is not candidate and not _is_part(other.code, candidate.code)
            )
            and not self._is_shadow(candidate)
        )

    def _is_shadow(self, candidate: _Candidate) -> bool:
        """Whether this is likely a part of another code: of an ITF code, or of an article number with add-on."""
        return any(
            _is_part(candidate.code, other.code)
            or (candidate.code.symbology == "UPCE" and other.code.symbology in ARTICLE_NUMBERS - {"UPCE"})
            for other in self._candidates.values()
        )

    def _forget(self, at_ms: int) -> None:
        for key, candidate in list(self._candidates.items()):
            candidate.looks = [look for look in candidate.looks if at_ms - look <= self._lifetime_ms]
            if not candidate.looks:
                del self._candidates[key]


def _needed(candidate: _Candidate) -> int:
    if candidate.code.symbology == "UPCE":
        return _ENOUGH_OF_UPCE
    return _ENOUGH if len(candidate.kinds) > 1 else _ENOUGH_OF_ONE_KIND


def _is_part(one: Code, other: Code) -> bool:
    """Whether this ITF code is what a line reads that misses an end of the other."""
    both_itf = one.symbology == other.symbology == "ITF"
    return both_itf and len(one.raw) < len(other.raw) and one.raw in other.raw and one.box.touches(other.box)


def _rivals(one: Code, other: Code) -> bool:
    return one.box.touches(other.box)
