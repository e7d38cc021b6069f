"""Badges of supervisors and sales clerks are kept as scrypt hashes (RFC 7914), never as they are.

A hash is one line: `scrypt:<N>:<r>:<p>:<salt>:<hash>`, salt and hash in URL-safe base64 without padding.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

_N, _R, _P = 2**14, 8, 1
_SALT_BYTES, _HASH_BYTES = 16, 32
_HEAD = f"scrypt:{_N}:{_R}:{_P}:"


class BadBadgeHash(ValueError):
    """A line of the settings is not what `hash_badge` writes."""


def hash_badge(text: str) -> str:
    """Hash the text of a badge with a new random salt; takes some 50 ms and 16 MB, on purpose."""
    salt = os.urandom(_SALT_BYTES)
    return f"{_HEAD}{_write(salt)}:{_write(_hash(text, salt))}"


def is_badge(text: str, badge_hash: str) -> bool:
    """Tell whether `text`, of either case, is the badge; BadBadgeHash if `badge_hash` is not of `hash_badge`."""
    salt, expected = _parse(badge_hash)
    return hmac.compare_digest(_hash(text, salt), expected)


def is_badge_hash(text: str) -> bool:
    """Tell whether `text` is a line that `hash_badge` may have written."""
    try:
        _parse(text)
    except BadBadgeHash:
        return False
    return True


def _hash(text: str, salt: bytes) -> bytes:
    normal = text.strip().upper().encode("utf-8", "surrogatepass")
    return hashlib.scrypt(normal, salt=salt, n=_N, r=_R, p=_P, dklen=_HASH_BYTES)


def _parse(badge_hash: str) -> tuple[bytes, bytes]:
    salt_text, colon, hash_text = badge_hash.removeprefix(_HEAD).partition(":")
    try:
        salt, expected = _read(salt_text), _read(hash_text)
    except ValueError as error:
        raise BadBadgeHash(_advice()) from error
    if not (badge_hash.startswith(_HEAD) and colon and len(salt) == _SALT_BYTES and len(expected) == _HASH_BYTES):
        raise BadBadgeHash(_advice())
    return salt, expected


def _advice() -> str:
    return f"a badge hash begins with {_HEAD!r}; make one with: tillwave provision badge NAME"


def _write(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _read(text: str) -> bytes:
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
