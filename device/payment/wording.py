"""Texts that come from outside and end up in records: short, and without control characters."""

from __future__ import annotations

import unicodedata

LONGEST_LABEL = 80
LONGEST_NAME = 64
"""Ids of registers, article codes, sales clerks."""
_FOREIGN = frozenset({"Cc", "Cs"})
"""Control characters and halves of characters."""


def is_wording(text: str, longest: int) -> bool:
    """Tell whether a text has 1 to `longest` characters, all of which can be written."""
    return 0 < len(text) <= longest and all(unicodedata.category(letter) not in _FOREIGN for letter in text)
