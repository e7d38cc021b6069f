"""The frame inside a token: payload and check.

    frame = payload | CRC-32 (IEEE 802.3, big endian) over (version, direction, form, length, payload)

Version, direction, form and length are checked though the frame does not carry them: a receiver knows them from the
signals around it, and a frame that was meant otherwise fails its check.
"""

from __future__ import annotations

import zlib

import numpy as np

from protocol.waveform.forms import VERSION, Direction, Form

CHECK_BYTES = 4


def frame_bits(payload: bytes, form: Form, direction: Direction, version: int = VERSION) -> np.ndarray:
    """Give payload and check as bits, most significant first; PayloadLength if it does not fit the form."""
    form.check(len(payload))
    check = _check(payload, form, direction, version)
    return np.unpackbits(np.frombuffer(payload + check, np.uint8))


def payload_of(bits: np.ndarray, form: Form, direction: Direction) -> bytes | None:
    """Give the payload of received bits, None if the check does not agree."""
    frame = np.packbits(bits).tobytes()
    payload, check = frame[:-CHECK_BYTES], frame[-CHECK_BYTES:]
    return payload if check == _check(payload, form, direction, VERSION) else None


def _check(payload: bytes, form: Form, direction: Direction, version: int) -> bytes:
    checked = bytes([version, direction.value, form.code, len(payload)]) + payload
    return zlib.crc32(checked).to_bytes(CHECK_BYTES, "big")
