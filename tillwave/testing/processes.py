"""Programs that a mall in a box starts, watches and ends; only by their own process ids."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_END_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")
"""Of util-linux: the program is asked to end when the thread that started it ends, even by SIGKILL."""
_STARTER = ThreadPoolExecutor(1, "program starter")
"""Starts all programs, because it lives as long as this process."""
_STOP_S = 20.0
_LAST_LINES = 15


class ProgramFailed(RuntimeError):
    """A program did not start or ended too early; the text ends with the last lines of its log."""


class Program:
    """One program with its log file. `start` and `stop` may be called again and again."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        self._command = tuple(command)
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; ProgramFailed when it is not running."""
        if self._process is None or self._process.poll() is not None:
            raise ProgramFailed(f"{self.name} is not running{self._last_lines()}")
        return self._process.pid

    def start(self, is_ready: Callable[[], bool], patience_s: float = 20.0) -> None:
        """Start the program and wait until it is ready; harmless when running."""
        if self._process is not None and self._process.poll() is None:
            return
        self._process = _STARTER.submit(self._launch).result()
        self.wait_for(is_ready, patience_s)

    def wait_for(self, condition: Callable[[], bool], patience_s: float = 20.0) -> None:
        """Wait for something that the running program brings about."""
        deadline = time.monotonic() + patience_s
        while not condition():
            if self._process is None or self._process.poll() is not None:
                raise ProgramFailed(f"{self.name} ended by itself{self._last_lines()}")
            if time.monotonic() > deadline:
                raise ProgramFailed(f"{self.name} is not ready after {patience_s:.0f} s{self._last_lines()}")
            time.sleep(0.02)

    def stop(self) -> int | None:
        """Ask the program to end (SIGTERM), and insist after 20 s; gives its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the program without a warning (SIGKILL)."""
        self._end(signal.SIGKILL)

    def _launch(self) -> subprocess.Popen[bytes]:
        command = (*_END_WITH_US, *self._command) if shutil.which(_END_WITH_US[0]) else self._command
        with self.log.open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment)

    def _end(self, number: signal.Signals) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _last_lines(self) -> str:
        if not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return f"; last words in {self.log}:\n" + "\n".join(lines)


def find_program(name: str) -> str | None:
    """Find a program, also where Debian keeps services: users other than root have no /usr/sbin on their path."""
    return shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin")


def free_port() -> int:
    """Find a port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Tell whether somebody listens on a port of loopback."""
    with socket.socket() as caller:
        caller.settimeout(0.5)
        return caller.connect_ex(("127.0.0.1", port)) == 0
