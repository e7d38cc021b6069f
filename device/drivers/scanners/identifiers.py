"""What a scanner says of the kind of a code, by its profile's rules."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from device.drivers.framing import Frame
from device.drivers.scanners.profile import Identifiers

UNKNOWN: Final = "UNKNOWN"
"""The identifier of a code of which nothing is known, though its text may look otherwise."""

_AIM: Final = re.compile(rb"\][A-Za-z][0-9A-Za-z]")


class Identifier:
    """Takes the maker's identifier off a code."""

    def __init__(self, rules: Identifiers) -> None:
        self._kind = rules.kind
        self._table = {key.encode("latin-1"): meaning for key, meaning in rules.table.items()}
        self._lengths = sorted({len(key) for key in self._table}, reverse=True)

    def read(self, frame: Frame) -> Frame | None:
        """Give the code with what it is; None for one that lacks the identifier which it must have."""
        if frame.identifier:
            return frame
        match self._kind:
            case "aim":
                return frame if _AIM.match(frame.raw) else None
            case "none":
                return replace(frame, identifier=UNKNOWN)
            case "table":
                return self._by_table(frame)
            case _:
                return frame

    def of_type(self, number: int) -> str:
        """Say what a type byte of a protocol means."""
        return self._table.get(b"%02X" % number, UNKNOWN)

    def _by_table(self, frame: Frame) -> Frame | None:
        for length in self._lengths:
            meaning = self._table.get(frame.raw[:length])
            if meaning is not None:
                return replace(frame, raw=frame.raw[length:], identifier=meaning)
        return None
