"""Exit codes of all commands."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What scripts can tell apart; 0 is good, and 2 is wrong use."""

    FAILED = 1
    SETTINGS_WRONG = 3
    SOMETHING_MISSING = 4
    UNREACHABLE = 5
