"""Badges for supervisors and sales clerks: a random text on a code, and the hash by which a terminal knows it."""

from __future__ import annotations

import io
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from keys.badges import hash_badge
from keys.private_file import create_private
from protocol import ids, tokens
from provisioning.errors import AlreadyThere, BadName

_RANDOM_BYTES = 16
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Badge:
    """A new badge; its text is shown once and kept nowhere."""

    name: str
    text: str = field(repr=False)
    badge_hash: str = field(repr=False)


def make_badge(name: str) -> Badge:
    """Make a badge of 128 random bits for a person; BadName if the name does not fit a line of the settings."""
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadName(f"a badge is for a name of 1 to {_LONGEST_NAME} printable characters")
    text = tokens.BADGE_PREFIX + ids.encode_base32(secrets.token_bytes(_RANDOM_BYTES))
    return Badge(name, text, hash_badge(text))


def draw_badge(badge: Badge, path: Path) -> None:
    """Draw the badge as a QR code into a new .png or .svg file of mode 0600; AlreadyThere, BadName for other files."""
    import segno  # noqa: PLC0415  # only who draws needs it

    kind = path.suffix.lower().removeprefix(".")
    if kind not in {"png", "svg"}:
        raise BadName(f"{path.name}: a badge is drawn as .png or .svg")
    drawing = io.BytesIO()
    segno.make_qr(badge.text, error="m").save(drawing, kind=kind, scale=10, border=4)
    try:
        create_private(path, drawing.getvalue())
    except FileExistsError as error:
        raise AlreadyThere(path) from error
