"""The protocol of GROW's modules: GM65, GM861, GM8xx and those that Waveshare sells.

Commands and answers are frames with a CRC-16 (polynomial 0x1021, initial value 0). A module answers a command before it
sends what the command made it read, on the same line as the codes.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from device.drivers.framing import LONGEST_CODE, Dropped, Frame

ACKNOWLEDGED: Final = bytes.fromhex("02000001003331")
ALIVE: Final = bytes.fromhex("03000001003331")
UNCHECKED: Final = b"\xab\xcd"
"""Stands instead of a CRC that nobody shall check."""

_COMMAND: Final = b"\x7e\x00"
_REPLY: Final = b"\x02\x00"
_WRAPPER: Final = 0x03
_WRAPPER_HEAD: Final = 3


class BadGrowFrame(ValueError):
    """Bytes that are no frame of this protocol."""


class GrowType(IntEnum):
    """What a command does."""

    READ = 0x07
    WRITE = 0x08
    SAVE = 0x09
    HEARTBEAT = 0x0A


@dataclass(frozen=True, slots=True)
class GrowCommand:
    """What a host sends."""

    type: GrowType
    zone: int
    data: bytes

    def encode(self) -> bytes:
        """Give the frame with its CRC."""
        body = bytes([self.type, len(self.data)]) + self.zone.to_bytes(2, "big") + self.data
        return _COMMAND + body + crc16(body).to_bytes(2, "big")


def write_zone(zone: int, data: bytes) -> GrowCommand:
    """Set bytes of the module's settings from a zone on; forgotten without power unless saved."""
    return GrowCommand(GrowType.WRITE, zone, data)


def read_zone(zone: int, count: int) -> GrowCommand:
    """Ask for bytes of the settings."""
    return GrowCommand(GrowType.READ, zone, bytes([count]))


SAVE: Final = GrowCommand(GrowType.SAVE, 0, b"\x00")
HEARTBEAT: Final = GrowCommand(GrowType.HEARTBEAT, 0, b"\x00")


def crc16(body: bytes) -> int:
    """Give the CRC over type, length, zone and data."""
    return binascii.crc_hqx(body, 0)


def read_command(frame: bytes) -> GrowCommand:
    """Read a host's frame; BadGrowFrame if it is none or its CRC is wrong (a placeholder counts as right)."""
    if len(frame) < len(_COMMAND) + 6 or not frame.startswith(_COMMAND):
        raise BadGrowFrame("a command begins with 7E 00 and has 9 bytes or more")
    body, check = frame[2:-2], frame[-2:]
    if check not in (crc16(body).to_bytes(2, "big"), UNCHECKED):
        raise BadGrowFrame("the CRC is wrong")
    if body[1] != len(body) - 4 or body[0] not in set(GrowType):
        raise BadGrowFrame("the length or the type is wrong")
    return GrowCommand(GrowType(body[0]), int.from_bytes(body[2:4], "big"), body[4:])


def reply(data: bytes, *, head: bytes = _REPLY) -> bytes:
    """Give a module's answer of data."""
    body = bytes([0, len(data)]) + data
    return head + body + crc16(body).to_bytes(2, "big")


def read_reply(frame: bytes) -> bytes:
    """Give the data of a module's answer; BadGrowFrame if it is none, or says no."""
    body, check = frame[2:-2], frame[-2:]
    if frame[:2] not in (_REPLY, ALIVE[:2]) or len(body) < 2 or body[1] != len(body) - 2:  # noqa: PLR2004  type, length
        raise BadGrowFrame("an answer begins with 02 00 or 03 00 and has a length")
    if check != crc16(body).to_bytes(2, "big"):
        raise BadGrowFrame("the CRC is wrong")
    if body[0] != 0:
        raise BadGrowFrame(f"the module says no: {body[0]:02X}")
    return body[2:]


class WrappedFramer:
    """Cuts codes out of frames `03 LEN16 data` (zone 0060 = 81); after nonsense it waits for a pause."""

    def __init__(self, *, patience_ms: int = 1000, longest: int = LONGEST_CODE) -> None:
        self.dropped = Dropped()
        self._patience_ms = patience_ms
        self._longest = longest
        self._pending = bytearray()
        self._is_lost = False
        self._last_ms = 0

    @property
    def due_ms(self) -> int | None:
        """When a silence ends what is pending."""
        return self._last_ms + self._patience_ms if self._pending or self._is_lost else None

    def feed(self, piece: bytes, at_ms: int) -> list[Frame]:
        """Take what the module sent and give the codes that are now complete."""
        if self.due_ms is not None and at_ms >= self.due_ms:
            self.dropped.torn += not self._is_lost
            self.clear()
        if piece:
            self._last_ms = at_ms
        self._pending += piece
        return self._cut(at_ms)

    def clear(self) -> None:
        """Forget what is pending."""
        self._pending.clear()
        self._is_lost = False

    def _cut(self, at_ms: int) -> list[Frame]:
        frames: list[Frame] = []
        while not self._is_lost and self._pending:
            length = int.from_bytes(self._pending[1:_WRAPPER_HEAD], "big")
            is_whole_head = len(self._pending) >= _WRAPPER_HEAD
            if self._pending[0] != _WRAPPER or (is_whole_head and not 0 < length <= self._longest):
                self.dropped.damaged += 1
                self._is_lost = True
            elif not is_whole_head or len(self._pending) < _WRAPPER_HEAD + length:
                break
            else:
                frames.append(Frame(bytes(self._pending[_WRAPPER_HEAD : _WRAPPER_HEAD + length]), at_ms))
                del self._pending[: _WRAPPER_HEAD + length]
        if self._is_lost:
            self._pending.clear()
        return frames
