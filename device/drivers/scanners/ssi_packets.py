"""Packets of Zebra's Simple Serial Interface (guide 72E-40451): length, opcode, source, status, data, checksum."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

HEADER_BYTES: Final = 4
CHECKSUM_BYTES: Final = 2
LONGEST_PACKET: Final = 255 + CHECKSUM_BYTES
_BYTE: Final = 255

FROM_DECODER: Final = 0
FROM_HOST: Final = 4

RETRANSMIT: Final = 0x01
CONTINUATION: Final = 0x02
PERMANENT: Final = 0x08


class Opcode(IntEnum):
    """What a packet is about."""

    MULTIPACKET_SEGMENT = 0x73
    MULTIPACKET_ACK = 0x74
    SSI_MGMT = 0x80
    REQUEST_REVISION = 0xA3
    REPLY_REVISION = 0xA4
    PARAM_SEND = 0xC6
    PARAM_REQUEST = 0xC7
    ACK = 0xD0
    NAK = 0xD1
    CAPABILITIES_REQUEST = 0xD3
    CAPABILITIES_REPLY = 0xD4
    START_SESSION = 0xE4
    STOP_SESSION = 0xE5
    BEEP = 0xE6
    LED_ON = 0xE7
    LED_OFF = 0xE8
    SCAN_ENABLE = 0xE9
    SCAN_DISABLE = 0xEA
    DECODE_DATA = 0xF3
    EVENT = 0xF6


class Cause(IntEnum):
    """Why a packet was not taken."""

    RESEND = 0x01
    BAD_CONTEXT = 0x02
    DENIED = 0x06
    CANCEL = 0x0A


class BadPacket(ValueError):
    """Bytes that are no packet."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; the opcode may be one that has no name here."""

    opcode: int
    data: bytes = field(default=b"", repr=False)
    source: int = FROM_DECODER
    status: int = 0

    def encode(self) -> bytes:
        """Give the bytes on the wire."""
        body = bytes([HEADER_BYTES + len(self.data), self.opcode, self.source, self.status]) + self.data
        return body + checksum(body).to_bytes(2, "big")

    @property
    def is_repeated(self) -> bool:
        """Whether it was sent before."""
        return bool(self.status & RETRANSMIT)

    @property
    def is_continued(self) -> bool:
        """Whether more packets of the same message follow."""
        return bool(self.status & CONTINUATION)


def host_packet(opcode: Opcode, data: bytes = b"", status: int = 0) -> bytes:
    """Give the bytes of a packet of the terminal."""
    return Packet(opcode, data, FROM_HOST, status).encode()


def checksum(body: bytes) -> int:
    """Give the two's complement of the sum of all bytes, 16 bits."""
    return -sum(body) & 0xFFFF


def read_packet(raw: bytes) -> Packet:
    """Read one whole packet; BadPacket if its length or its checksum is wrong."""
    if len(raw) < HEADER_BYTES + CHECKSUM_BYTES or raw[0] != len(raw) - CHECKSUM_BYTES:
        raise BadPacket("the length is wrong")
    body, check = raw[:-CHECKSUM_BYTES], raw[-CHECKSUM_BYTES:]
    if int.from_bytes(check, "big") != checksum(body):
        raise BadPacket("the checksum is wrong")
    return Packet(body[1], body[HEADER_BYTES:], body[2], body[3])


def read_parameters(data: bytes) -> dict[int, int]:
    """Read what follows the beep byte of PARAM_SEND: number and value pairs; BadPacket if it breaks off."""
    found: dict[int, int] = {}
    rest = data
    while rest:
        is_word = rest[0] == _WORD
        number, rest = _read_number(rest[1:] if is_word else rest)
        width = 2 if is_word else 1
        if len(rest) < width:
            raise BadPacket("a parameter has no value")
        found[number], rest = int.from_bytes(rest[:width], "big"), rest[width:]
    return found


def write_parameter(number: int, value: int) -> bytes:
    """Give one number and value pair; values over 255 are words."""
    prefix, low = divmod(number, 256)
    named = bytes([low]) if prefix == 0 else bytes([_EXTENDED + prefix - 1, low])
    return named + bytes([value]) if value <= _BYTE else bytes([_WORD]) + named + value.to_bytes(2, "big")


_EXTENDED: Final = 0xF0
_LAST_EXTENDED: Final = 0xF2
_WORD: Final = 0xF4


def _read_number(rest: bytes) -> tuple[int, bytes]:
    if rest and _EXTENDED <= rest[0] <= _LAST_EXTENDED:
        if len(rest) < 2:  # noqa: PLR2004  prefix and number
            raise BadPacket("a parameter has no number")
        return 256 * (rest[0] - _EXTENDED + 1) + rest[1], rest[2:]
    if not rest:
        raise BadPacket("a parameter has no number")
    return rest[0], rest[1:]
