"""A scanner on a pseudo-terminal, which the serial driver takes for a port: speaks a protocol, and has moods."""

from __future__ import annotations

import os
import secrets
import threading
import time
import tty
from collections import deque
from enum import Enum
from pathlib import Path
from typing import Final

from device.drivers.keeper import StopSignal, now_ms
from device.drivers.simulated.voices import Sighting, Voice

_TICK_S: Final = 0.01
_ANSWERS_S: Final = 0.5
_BABBLE_BYTES: Final = 512
_READ: Final = 4096


class Mood(Enum):
    """How the scanner behaves."""

    GOOD = "good"
    TORN = "torn"
    """Sends everything in pieces of a few bytes."""
    DAMAGED = "damaged"
    """Changes a byte of every second thing that it sends."""
    DEAF = "deaf"
    """Hears nothing, so it answers nothing."""
    BABBLING = "babbling"
    """Sends bytes without end and without sense."""
    FLOODING = "flooding"
    """Sends the same short code without end."""


class PtyScanner:
    """Speaks over a pseudo-terminal whose name is a link at `path`, as `/dev/serial/by-id` has them."""

    def __init__(self, voice: Voice, path: Path) -> None:
        self.voice = voice
        self.path = path
        self.mood = Mood.GOOD
        self.sent_bytes = 0
        self._codes: deque[Sighting] = deque()
        self._own = -1
        self._turns = 0
        self._stop: StopSignal | None = None
        self._thread: threading.Thread | None = None

    def plug(self) -> None:
        """Appear under the path."""
        own, terminals = os.openpty()
        try:
            tty.setraw(terminals)
            os.set_blocking(own, False)
            self.path.symlink_to(os.ttyname(terminals))
        except OSError:
            os.close(own)
            raise
        finally:
            os.close(terminals)
        self._own = own
        self._stop = StopSignal()
        self._thread = threading.Thread(target=self._run, args=(self._stop,), name="pty-scanner", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Vanish; harmless when unplugged."""
        if self._thread is None or self._stop is None:
            return
        self._stop.set()
        self._thread.join()
        self._stop.close()
        self._thread = None
        self.path.unlink()
        os.close(self._own)

    def scan(self, raw: bytes, aim: str = "", kind: int = 0x1C) -> None:
        """Let it read a code; `kind` is the type byte of SSI."""
        self._codes.append(Sighting(raw, aim, kind))

    def finish(self, seconds: float = 2.0) -> None:
        """Wait until what it was to read was sent, at most so long, and a moment for the answers."""
        deadline = time.monotonic() + seconds
        while self._codes and time.monotonic() < deadline:
            time.sleep(_TICK_S)
        time.sleep(_ANSWERS_S)

    def _run(self, stop: StopSignal) -> None:
        while not stop.is_set():
            heard = self._read()
            if self.mood is Mood.DEAF:
                heard = b""
            self._write(self._words(heard), stop)
            stop.wait(_TICK_S)

    def _words(self, heard: bytes) -> bytes:
        if self.mood is Mood.BABBLING:
            return secrets.token_bytes(_BABBLE_BYTES)
        if self.mood is Mood.FLOODING:
            return b"".join(self.voice.see(Sighting(b"6901234567892"), now_ms()) for _ in range(100))
        said = self.voice.hear(heard, now_ms()) if heard else b""
        said += self.voice.idle(now_ms())
        if self._codes:
            said += self.voice.see(self._codes.popleft(), now_ms())
        return self._damage(said)

    def _damage(self, said: bytes) -> bytes:
        if not said or self.mood is not Mood.DAMAGED:
            return said
        self._turns += 1
        if self._turns % 2 == 0:
            return said
        at = len(said) // 2
        return said[:at] + bytes([said[at] ^ 0x20]) + said[at + 1 :]

    def _read(self) -> bytes:
        try:
            return os.read(self._own, _READ)
        except OSError:  # nobody has opened the line, or nothing was sent
            return b""

    def _write(self, said: bytes, stop: StopSignal) -> None:
        step = 3 if self.mood is Mood.TORN else max(1, len(said))
        for at in range(0, len(said), step):
            try:
                self.sent_bytes += os.write(self._own, said[at : at + step])
            except OSError:  # the buffer is full, as a UART's that nobody empties: what does not fit is lost
                return
            if self.mood is Mood.TORN and stop.wait(_TICK_S / 5):
                return
