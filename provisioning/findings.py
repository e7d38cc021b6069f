"""What a check of a terminal finds: one sentence a part, good or not, that tells what to do."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import msgspec


class Trouble(IntEnum):
    """What is wrong, as the exit code of the command line tells it."""

    NONE = 0
    SETTINGS = 3
    MISSING = 4
    NETWORK = 5


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at."""

    part: str
    good: bool
    text: str
    trouble: Trouble = Trouble.NONE


def fine(part: str, text: str) -> Finding:
    """Say that a part is as it should be."""
    return Finding(part, good=True, text=text)


def faulty(part: str, text: str, trouble: Trouble) -> Finding:
    """Say what is wrong with a part and what to do."""
    return Finding(part, good=False, text=text, trouble=trouble)


def exit_code(findings: Sequence[Finding]) -> int:
    """Give 0 if all is good, else the code of the first that is not."""
    return next((int(finding.trouble) for finding in findings if not finding.good), 0)
