"""What a microphone tells besides tokens: that one is coming, was not understood, or cannot be heard at all."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta


class Sound(Enum):
    """News of one microphone."""

    BEGINS = "begins"
    """A token is probably being heard; followed by OVER."""
    OVER = "over"
    UNCLEAR = "unclear"
    """Something began as a token and could not be read."""
    NOISE = "noise"
    """Tokens drown in the sound around, for so long that it is no accident."""
    PREAMBLES = "preambles"
    """Beginnings of tokens come in masses, and no token with them."""
    QUIET = "quiet"
    """NOISE or PREAMBLES is over."""


class JammingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the sound around counts as jamming."""

    token_dbfs: Annotated[float, Meta(ge=-90, le=0)] = -40.0
    """How loud a faint token arrives, in dB below full scale (root mean square)."""
    after_s: Annotated[int, Meta(ge=3, le=600)] = 10
    """So long a disturbance has to last."""
