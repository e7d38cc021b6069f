"""Where the log goes: to standard error, one line a message, in systemd's own form when it listens."""

from __future__ import annotations

import logging
import os
import sys

_PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
_FORM = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_FORM_FOR_SYSTEMD = "%(name)s: %(message)s"
_LONGEST_LINE = 2_000


def begin_log(*, verbose: bool) -> None:
    """Send the log of the whole process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    for_systemd = "JOURNAL_STREAM" in os.environ
    handler.setFormatter(_OneLine(_FORM_FOR_SYSTEMD if for_systemd else _FORM, with_priority=for_systemd))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)


class _OneLine(logging.Formatter):
    """Keeps a message from writing control characters, such as a terminal's escapes, into the log."""

    def __init__(self, form: str, *, with_priority: bool) -> None:
        super().__init__(form)
        self._with_priority = with_priority

    def format(self, record: logging.LogRecord) -> str:
        """Write one line; a traceback follows with its own line ends."""
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        record.exc_text, info, record.exc_info = None, record.exc_info, None
        line = _printable(super().format(record))[:_LONGEST_LINE]
        record.exc_info = info
        prefix = f"<{_PRIORITIES.get(record.levelno, 6)}>" if self._with_priority else ""
        return prefix + line + (f"\n{trace}" if trace else "")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
