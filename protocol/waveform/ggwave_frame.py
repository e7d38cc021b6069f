"""The frame inside a token of sound: the payload and a check over it.

    frame = payload | CRC-32 (IEEE 802.3, big endian) over (version byte, length byte, payload)

The sound library has no check of its own and now and then delivers what nobody sent. Version and length are checked
though they are not sent: the length is that of the frame, and a frame of another version fails its check.
"""

from __future__ import annotations

import zlib

from protocol.waveform.errors import PayloadLength

VERSION = 1
CHECK_BYTES = 4
SHORTEST = 1
LONGEST = 64
"""Bytes of payload; so many sound for five seconds already."""


def seal(payload: bytes) -> bytes:
    """Add the check; PayloadLength unless the payload has 1 to 64 bytes."""
    if not SHORTEST <= len(payload) <= LONGEST:
        raise PayloadLength(len(payload), SHORTEST, LONGEST)
    return payload + _check(payload)


def unseal(frame: bytes) -> bytes | None:
    """Give the payload of a heard frame, None if it is not one that somebody sent."""
    payload, check = frame[:-CHECK_BYTES], frame[-CHECK_BYTES:]
    if not SHORTEST <= len(payload) <= LONGEST or check != _check(payload):
        return None
    return payload


def _check(payload: bytes) -> bytes:
    return zlib.crc32(bytes([VERSION, len(payload)]) + payload).to_bytes(CHECK_BYTES, "big")
