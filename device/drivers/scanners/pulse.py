"""Whether a silent scanner is still there: a heartbeat, or, for one that knows none, a setting sent once more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from device.drivers.scanners.commands import Command


class Pulse:
    """Knows what to ask a scanner that has been silent for `every_ms`.

    A scanner that has never answered the heartbeat may not know it. It is asked to do its first setting again then,
    and only one that does not answer that either is gone.
    """

    def __init__(self, heartbeat: Command, every_ms: int, instead: Command | None) -> None:
        self.every_ms = every_ms
        self._command: Command | None = replace(heartbeat, needed=False)
        self._instead = instead

    @property
    def command(self) -> Command | None:
        """What to ask; None if the scanner answers nothing."""
        return self._command

    def answered(self, command: Command) -> None:
        """Notice that a command was answered."""
        if self._command is not None and command.about == self._command.about:
            self._command = replace(self._command, needed=True)

    def refused(self, refusals: Collection[str]) -> None:
        """Notice what the scanner would not do."""
        if self._command is not None and not self._command.needed and self._command.about in refusals:
            self._command = replace(self._instead, needed=True) if self._instead is not None else None
