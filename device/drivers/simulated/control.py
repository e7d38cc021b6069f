"""How a bench and a simulated device talk: one JSON request a connection, one JSON answer, over a Unix socket.

SimulationError
+-- NoSuchDevice      no device of that kind and name listens on the bench (also a LookupError)
+-- Refused           the device understood nothing, or cannot do what was asked (also a ValueError)
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from device.drivers.errors import DeviceMissing
from device.drivers.keeper import StopSignal

log = logging.getLogger(__name__)

LONGEST_REQUEST: Final = 8 * 1024 * 1024
_LONGEST_ANSWER: Final = 64 * 1024 * 1024
_PATIENCE_WITH_BENCH_S: Final = 2.0
_PATIENCE_WITH_DEVICE_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.05
_CHUNK: Final = 65536

Answer = dict[str, Any]


class SimulationError(Exception):
    """A bench and a simulated device do not understand each other."""


class NoSuchDevice(SimulationError, LookupError):
    """Nothing listens there."""

    def __init__(self, kind: str, name: str, folder: Path) -> None:
        self.kind = kind
        self.name = name
        super().__init__(f'no simulated {kind} "{name}" listens in {folder}: is a terminal with this bench running?')


class Refused(SimulationError, ValueError):
    """A request that a device does not take."""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """What a bench asks of a device."""


class Describe(Request, frozen=True, kw_only=True, tag="describe"):
    """Tell kind, name, state and what can be broken."""


class Unplug(Request, frozen=True, kw_only=True, tag="unplug"):
    """Pull the device out."""


class Plug(Request, frozen=True, kw_only=True, tag="plug"):
    """Put the device in again."""


class Break(Request, frozen=True, kw_only=True, tag="break"):
    """Break the device in one of the ways it knows."""

    how: str


class Mend(Request, frozen=True, kw_only=True, tag="mend"):
    """Repair the device."""


class Standing(msgspec.Struct, frozen=True):
    """What of a simulated device outlasts a restart."""

    plugged: bool = True
    fault: str = ""


def read_standing(folder: Path, kind: str, name: str) -> Standing:
    """Read how a device was left; a device that nobody touched is plugged in and whole."""
    try:
        return msgspec.json.decode(state_path(folder, kind, name).read_bytes(), type=Standing)
    except FileNotFoundError:
        return Standing()
    except msgspec.DecodeError as error:
        raise Refused(f"{state_path(folder, kind, name)} is not a state of a simulated device: {error}") from error


def write_standing(folder: Path, kind: str, name: str, standing: Standing) -> None:
    """Keep how a device is left."""
    path = state_path(folder, kind, name)
    draft = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
    draft.write_bytes(msgspec.json.encode(standing))
    draft.replace(path)


def listening(folder: Path) -> list[tuple[str, str]]:
    """Name kind and name of the devices whose socket stands in the folder."""
    found = []
    for path in sorted(folder.glob("*.sock")):
        kind, _, name = path.stem.partition("-")
        found.append((kind, name))
    return found


def ask(folder: Path, kind: str, name: str, request: Request, patience_s: float = 0.0) -> Answer:
    """Send a request and give the answer; waits so long for the device to listen. Raises SimulationError."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return _ask_once(folder, kind, name, msgspec.json.encode(request))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            if time.monotonic() >= deadline:
                raise NoSuchDevice(kind, name, folder) from error
        time.sleep(_LOOK_AGAIN_S)


class ControlServer:
    """Listens for a simulated device, in a thread of its own, one connection after another."""

    def __init__(self, folder: Path, kind: str, name: str, obey: Callable[[bytes], Answer]) -> None:
        self._folder = folder
        self._kind = kind
        self._name = name
        self._obey = obey
        self._stop = StopSignal()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name=f"bench-{kind}-{name}", daemon=True)

    def start(self) -> None:
        """Begin to listen; raises DeviceMissing if another process listens for the same device."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._socket = self._listen()
        self._thread.start()

    def end(self) -> None:
        """End the thread and take the socket away."""
        self._stop.set()
        self._thread.join()
        self._stop.close()
        if self._socket is not None:
            self._socket.close()
        _socket_path(self._folder, self._kind, self._name).unlink(missing_ok=True)

    def _listen(self) -> socket.socket:
        path = _socket_path(self._folder, self._kind, self._name)
        if _answers(path):
            raise DeviceMissing(self._name, f"{path} is in use by another terminal")
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _short(path) as address:
                listener.bind(address)
            path.chmod(0o600)
            listener.listen()
        except OSError:
            listener.close()
            raise
        return listener

    def _run(self) -> None:
        assert self._socket is not None
        while self._stop.wait_for(self._socket.fileno(), None):
            connection, _ = self._socket.accept()
            with connection:
                try:
                    connection.sendall(msgspec.json.encode(self._answer(connection)) + b"\n")
                except OSError as error:
                    log.info("%s: the bench went away: %s", self._name, error)

    def _answer(self, connection: socket.socket) -> Answer:
        try:
            return {"ok": True} | self._obey(_read_line(connection, LONGEST_REQUEST, _PATIENCE_WITH_BENCH_S))
        except (Refused, msgspec.DecodeError) as error:
            log.info("%s: a request of the bench was refused: %s", self._name, error)
            return {"error": str(error)}
        except OSError:
            raise
        except Exception as error:
            log.exception("%s: a request of the bench failed", self._name)
            return {"error": f"unexpected {type(error).__name__} in the device"}


def _socket_path(folder: Path, kind: str, name: str) -> Path:
    return folder / f"{kind}-{name}.sock"


def state_path(folder: Path, kind: str, name: str) -> Path:
    """Name the file that keeps how a device was left."""
    return folder / f"{kind}-{name}.state"


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """Name a socket through a descriptor of its folder, because an address holds no more than 107 bytes."""
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def _connect(path: Path) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        peer.settimeout(_PATIENCE_WITH_DEVICE_S)
        with _short(path) as address:
            peer.connect(address)
    except OSError:
        peer.close()
        raise
    return peer


def _answers(path: Path) -> bool:
    try:
        _connect(path).close()
    except OSError:
        return False
    return True


def _ask_once(folder: Path, kind: str, name: str, line: bytes) -> Answer:
    if len(line) >= LONGEST_REQUEST:
        raise Refused(f"the request has {len(line)} bytes, a device takes {LONGEST_REQUEST}: show or play less at once")
    with _connect(_socket_path(folder, kind, name)) as peer:
        try:
            peer.sendall(line + b"\n")
            answer: Answer = msgspec.json.decode(_read_line(peer, _LONGEST_ANSWER, _PATIENCE_WITH_DEVICE_S))
        except (TimeoutError, BrokenPipeError, ConnectionResetError) as error:
            raise SimulationError(f'the simulated {kind} "{name}" does not answer: {error}') from error
    if "error" in answer:
        raise Refused(f'the simulated {kind} "{name}" refuses: {answer["error"]}')
    return answer


def _read_line(peer: socket.socket, limit: int, patience_s: float) -> bytes:
    line = bytearray()
    deadline = time.monotonic() + patience_s
    while not line.endswith(b"\n"):
        peer.settimeout(max(0.001, deadline - time.monotonic()))
        if len(line) > limit:
            raise Refused(f"a line of more than {limit} bytes")
        piece = peer.recv(_CHUNK)
        if not piece:
            raise Refused("the line ended without a line feed")
        line += piece
    return bytes(line)
