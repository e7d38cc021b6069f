"""Identifiers of sales, attempts, refunds and questions: 16 characters of a-z and 2-7, 80 random bits."""

from __future__ import annotations

import base64
import re

ID_BYTES = 10
_ID = re.compile(r"[a-z2-7]{16}", re.ASCII)
_NAME = re.compile(r"[a-z0-9-]{1,20}", re.ASCII)


def make_id(random_bytes: bytes) -> str:
    """Write 10 random bytes as an identifier."""
    if len(random_bytes) != ID_BYTES:
        raise ValueError(f"an identifier is made of {ID_BYTES} bytes")
    return base64.b32encode(random_bytes).decode().lower()


def is_id(text: str) -> bool:
    """Tell whether `text` is an identifier."""
    return _ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Tell whether `text` may name a terminal or a mall: 1 to 20 of a-z, 0-9 and the hyphen."""
    return _NAME.fullmatch(text) is not None


def encode_base32(data: bytes) -> str:
    """Write bytes in upper-case base32 without padding (RFC 4648), which QR codes carry in alphanumeric mode."""
    return base64.b32encode(data).decode().rstrip("=")


def decode_base32(text: str) -> bytes:
    """Read base32 of either case without padding; ValueError if it is not exactly what `encode_base32` writes."""
    if not text.isascii():
        raise ValueError("base32 text has letters of other scripts")
    data = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    if encode_base32(data) != text.upper():
        raise ValueError("base32 text has trailing bits")
    return data
