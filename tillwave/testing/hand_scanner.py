"""The other end of a serial line: a hand scanner on a pseudo-terminal, which the serial driver takes for a port."""

from __future__ import annotations

import os
import pty
import time
import tty
from collections.abc import Sequence


class HandScanner:
    """A scanner that sends what it read as text with a carriage return."""

    def __init__(self) -> None:
        self._own, self._terminals = pty.openpty()
        tty.setraw(self._terminals)
        self.port = os.ttyname(self._terminals)
        """The device file for the terminal's settings."""

    def send(self, text: str, pieces: Sequence[int] = (), pause_s: float = 0.01) -> None:
        """Send a code, torn into pieces of these lengths with a pause between them; the rest comes last."""
        data = text.encode() + b"\r"
        for length in pieces:
            os.write(self._own, data[:length])
            data = data[length:]
            time.sleep(pause_s)
        os.write(self._own, data)

    def close(self) -> None:
        """Pull the plug."""
        os.close(self._own)
        os.close(self._terminals)
