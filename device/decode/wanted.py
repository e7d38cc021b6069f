"""Which codes are read: symbologies by name, and how many digits an ITF code must have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from device.decode.codes import Code
from device.decode.symbologies import LINEAR, MATRIX

GS1_128: Final = "GS1-128"
"""Code 128 that says of itself that it follows GS1; readings call it CODE128 with the identifier "]C1"."""
SELECTABLE: Final = LINEAR | MATRIX | {GS1_128}
COMMON_ITF: Final = frozenset({6, 10, 14})
"""Digits of ITF codes that a still picture may hold."""
RETAIL_ITF: Final = frozenset({14})
"""Digits of ITF codes on outer boxes of goods. ITF has no start worth the name: a part of a code reads as a code."""
_AIM_OF_GS1_128: Final = "]C1"


class UnknownSymbology(ValueError):
    """A name that is no symbology of this house; the text lists those that are."""

    def __init__(self, name: str) -> None:
        super().__init__(f'no symbology is called "{name}"; there are {", ".join(sorted(SELECTABLE))}')


@dataclass(frozen=True, slots=True)
class Wanted:
    """The codes that are searched for; others in view are passed over."""

    matrix: frozenset[str] = MATRIX
    linear: frozenset[str] = LINEAR
    itf_digits: frozenset[int] = COMMON_ITF
    only_gs1_128: bool = False
    """Of Code 128, take what follows GS1 alone."""

    @classmethod
    def of(cls, names: Iterable[str] | None, itf_digits: frozenset[int]) -> Wanted:
        """Want these symbologies, all of them if there is no list; UnknownSymbology."""
        chosen = SELECTABLE if names is None else frozenset(names)
        for name in sorted(chosen - SELECTABLE):
            raise UnknownSymbology(name)
        only_gs1_128 = GS1_128 in chosen and "CODE128" not in chosen
        linear = chosen & LINEAR | ({"CODE128"} if GS1_128 in chosen else set())
        return cls(chosen & MATRIX, linear, itf_digits, only_gs1_128)

    def believable(self, codes: Sequence[Code]) -> list[Code]:
        """Leave out ITF codes of other lengths, whose parts read as codes, and Code 128 that is not asked for."""
        return [code for code in codes if self._is_believable(code)]

    def _is_believable(self, code: Code) -> bool:
        if code.symbology == "ITF":
            return len(code.raw) in self.itf_digits
        return not (self.only_gs1_128 and code.symbology == "CODE128" and code.aim != _AIM_OF_GS1_128)
