"""The simulated scanner: types codes as a scanner sends them, in pieces if the bench wants, or babbles."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from device.drivers.base import DriverOptions, Scanner
from device.drivers.keeper import StopSignal, now_ms
from device.drivers.scans import ScanAssembler, ScanningOptions, text_framer
from device.drivers.simulated.control import Answer, Refused, Request
from device.drivers.simulated.device import Common, Fault, SimulatedDevice
from device.drivers.simulated.line import Line
from device.ports import HealthState

_BABBLE_BYTES: Final = 512
_BABBLE_PAUSE_MS: Final = 20
_FLOODED: Final = b"6901234567892"
_FLOOD_CODES: Final = 20
_SUFFIX_SENT: Final = {"any": b"\r\n", "cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "tab": b"\t", "none": b""}


class ScannerOptions(ScanningOptions, frozen=True, kw_only=True):
    """Settings of the simulated scanner."""

    bench: str


class Type(Request, frozen=True, kw_only=True, tag="type"):
    """Send one code."""

    data: bytes
    aim: str = ""
    """AIM identifier sent before the code, such as "]Q1"."""
    pieces: tuple[Annotated[int, Meta(gt=0)], ...] = ()
    """Lengths of the pieces in which the bytes arrive; the rest comes as a last piece."""
    pause_ms: Annotated[int, Meta(ge=0, le=10_000)] = 5
    """Pause between pieces."""
    suffix: bytes | None = None
    """What ends the code instead of the configured suffix; empty tears the code off."""


@dataclass(frozen=True, slots=True)
class _Typing:
    pieces: tuple[bytes, ...]
    pause_ms: int


class SimulatedScanner(SimulatedDevice, Scanner):
    """A scanner whose codes come from the bench."""

    Options = ScannerOptions
    Requests = Common | Type
    faults: ClassVar[Mapping[str, Fault]] = {
        "babble": Fault("sends bytes without end and without sense", HealthState.FAILED),
        "flood": Fault("sends the same code without end", HealthState.FAILED),
        "deaf": Fault("sends nothing, and says nothing"),
    }
    _options: ScannerOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._line: Line[_Typing] | None = None
        self._scans: ScanAssembler | None = None

    def _begin(self) -> None:
        self._scans = ScanAssembler(
            self.name, text_framer(self._options), self._deliver, self._options.codes_per_second
        )
        self._line = Line(self.name, self._type, self._idle)
        self._line.start()

    def _end(self) -> None:
        if self._line is not None:
            self._line.end()
            self._line = None

    def _standing_changed(self) -> None:
        if self._line is not None:
            self._line.wake()

    def _obey(self, request: Any) -> Answer:
        match request:
            case Type():
                return self._enqueue(request)
        raise Refused("a scanner cannot do that")

    def _enqueue(self, request: Type) -> Answer:
        sent = self._on_the_line(request.aim, request.data, request.suffix)
        assert self._line is not None
        self._line.put(_Typing(_tear(sent, request.pieces), request.pause_ms))
        return {"at_ms": now_ms()}

    def _on_the_line(self, aim: str, data: bytes, suffix: bytes | None = None) -> bytes:
        end = _SUFFIX_SENT[self._options.suffix] if suffix is None else suffix
        return self._options.prefix.encode() + aim.encode() + data + end

    def _type(self, typing: _Typing, stop: StopSignal) -> None:
        for number, piece in enumerate(typing.pieces):
            if number and stop.wait(typing.pause_ms / 1000):
                return
            self._send(piece)

    def _idle(self) -> float | None:
        """Do what is due between codes; give the seconds until the next time."""
        assert self._scans is not None
        if not self.plugged:
            self._scans.clear()
            return None
        if self.fault == "babble":
            self._scans.feed(secrets.token_bytes(_BABBLE_BYTES).translate(None, b"\r\n\t"), now_ms())
            return _BABBLE_PAUSE_MS / 1000
        if self.fault == "flood":
            self._scans.feed(self._on_the_line("", _FLOODED) * _FLOOD_CODES, now_ms())
            return _BABBLE_PAUSE_MS / 1000
        self._scans.feed(b"", now_ms())
        return self._scans.seconds_to_wait(now_ms())

    def _send(self, piece: bytes) -> None:
        assert self._scans is not None
        if self.plugged and self.fault != "deaf":
            self._scans.feed(piece, now_ms())


def _tear(sent: bytes, lengths: tuple[int, ...]) -> tuple[bytes, ...]:
    pieces = []
    for length in lengths:
        pieces.append(sent[:length])
        sent = sent[length:]
    return tuple(piece for piece in (*pieces, sent) if piece)
