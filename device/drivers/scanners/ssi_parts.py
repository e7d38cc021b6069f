"""Puts codes together that a Zebra scanner sends in several packets.

Two ways: DECODE_DATA packets whose status says that more follow, each with its type byte; and numbered segments
(MULTIPACKET_SEGMENT), of which the first carries a whole header: F3 00 00, length, type, 01, length of the code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from device.drivers.scanners.ssi_packets import Opcode, Packet

_SEGMENT_HEADER: Final = 10
"""Segment number, opcode, source, status, length (2), type, 01, length of the code (2)."""
_INNER_HEADER: Final = 3
"""What the first length counts beside the code."""


class OutOfStep(ValueError):
    """A packet does not continue what came before."""


@dataclass(frozen=True, slots=True)
class Code:
    """A whole code, and the byte that says its type."""

    type: int
    raw: bytes = field(repr=False)


class Assembly:
    """The code that is being received; at most `longest` bytes of it."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self.clear()

    @property
    def is_open(self) -> bool:
        """Whether a code has begun and not ended."""
        return self._type is not None

    def clear(self) -> None:
        """Forget what was received."""
        self._type: int | None = None
        self._data = bytearray()
        self._next_segment = 0
        self._wanted = 0

    def take(self, packet: Packet) -> Code | None:
        """Take DECODE_DATA or a segment; gives the code when it is whole, raises OutOfStep if it cannot be."""
        try:
            return self._segment(packet) if packet.opcode == Opcode.MULTIPACKET_SEGMENT else self._part(packet)
        except OutOfStep:
            self.clear()
            raise

    def _part(self, packet: Packet) -> Code | None:
        if len(packet.data) < 1 or self._wanted or (self._type is not None and packet.data[0] != self._type):
            raise OutOfStep("a part of another code")
        self._type = packet.data[0]
        self._add(packet.data[1:])
        return None if packet.is_continued else self._finish()

    def _segment(self, packet: Packet) -> Code | None:
        if not packet.data or packet.data[0] != self._next_segment or (self._type is not None) != bool(self._wanted):
            raise OutOfStep("a segment is missing")
        if self._next_segment == 0:
            self._begin(packet.data)
        else:
            self._add(packet.data[1:])
        self._next_segment += 1
        if len(self._data) > self._wanted:
            raise OutOfStep("the segments are longer than the code")
        return self._finish() if len(self._data) == self._wanted else None

    def _begin(self, data: bytes) -> None:
        if len(data) < _SEGMENT_HEADER or data[1] != Opcode.DECODE_DATA:
            raise OutOfStep("the first segment is not about a code")
        wanted = int.from_bytes(data[8:10], "big")
        if int.from_bytes(data[4:6], "big") != wanted + _INNER_HEADER or not 0 < wanted <= self._longest:
            raise OutOfStep("the lengths of the first segment are wrong")
        self._type, self._wanted = data[6], wanted
        self._add(data[_SEGMENT_HEADER:])

    def _add(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > self._longest:
            raise OutOfStep("the code is too long")

    def _finish(self) -> Code:
        assert self._type is not None
        code = Code(self._type, bytes(self._data))
        self.clear()
        return code
