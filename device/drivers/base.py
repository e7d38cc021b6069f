"""The ports of the device: what a driver promises to the rest of the terminal.

A driver is made from its name and its own settings (`Options`, a msgspec struct that refuses unknown keys). The
constructor only stores. `start` opens the device and begins to deliver, `stop` ends both; each may be called twice.
`start` raises a DriverError for what a technician must change. What passes by itself (not plugged in yet, unplugged) is
no error: the driver reports `Health` MISSING and looks again until it is stopped.

Blocking work lives in threads or processes of the driver. Callbacks are called from those threads, must return at once
and must not raise.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

import msgspec

from device.drivers.errors import DriverError
from device.ports import Health, HealthState

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)


class DriverOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one driver; a driver with settings subclasses this, and names it as its `Options`."""


class Driver(ABC):
    """One device of any kind.

    Subclasses write `_open` and `_close`, call `_report` when the health changes, and set `Options` to their settings.
    """

    kind: ClassVar[str]
    """The word of the configuration for this port, for example "scanner"."""
    Options: ClassVar[type[DriverOptions]] = DriverOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        self.name = name
        self._options = options
        self._lifecycle = threading.Lock()
        self._started = False
        self._health = Health(HealthState.STOPPED)
        self._on_health: Callable[[str, Health], None] | None = None

    @property
    def health(self) -> Health:
        """How the device is doing."""
        return self._health

    def watch(self, on_health: Callable[[str, Health], None]) -> None:
        """Call `on_health(name, health)` at every change of health; set before `start`."""
        self._on_health = on_health

    def start(self) -> None:
        """Open the device and begin to deliver; harmless when started."""
        with self._lifecycle:
            if self._started:
                return
            self._report(Health(HealthState.STARTING))
            try:
                self._open()
            except DriverError as error:
                self._report(Health(HealthState.FAILED, error.detail))
                raise
            self._started = True

    def stop(self) -> None:
        """End delivery and close the device; harmless when stopped."""
        with self._lifecycle:
            if not self._started:
                return
            self._started = False
            self._close()
            self._report(Health(HealthState.STOPPED))

    def __repr__(self) -> str:
        """Name the driver, its device and its state."""
        return f"<{type(self).__name__} {self.name!r} {self._health.state.value}>"

    @abstractmethod
    def _open(self) -> None:
        """Open the device, or start the thread that does."""

    @abstractmethod
    def _close(self) -> None:
        """End every thread and close the device."""

    def _report(self, health: Health) -> None:
        if health == self._health:
            return
        self._health = health
        unwell = health.state in (HealthState.MISSING, HealthState.FAILED)
        log.log(logging.WARNING if unwell else logging.INFO, "%s %s: %s", self.name, health.state.value, health.detail)
        if self._on_health is not None:
            self._on_health(self.name, health)


@dataclass(frozen=True, slots=True)
class Scan:
    """One code as a scanner sent it: framed, without prefix and suffix, otherwise untouched."""

    raw: bytes = field(repr=False)
    device: str
    at_ms: int
    """CLOCK_MONOTONIC in milliseconds when the last byte arrived."""
    identifier: str = ""
    """What the code is, where the scanner's protocol says it beside the text: an AIM identifier such as "]Q1", a name
    of the house such as "EAN13", or "UPCA" for 12 digits. Empty: the text may begin with an AIM identifier."""


class Scanner(Driver):
    """A scanner that decodes by itself and sends text (serial, HID).

    Delivers each code once, in order. Frames that are too long, torn or not text of a code are dropped with a count in
    the log, never delivered in part.
    """

    kind = "scanner"

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._deliver: Callable[[Scan], None] = _nobody

    def listen(self, deliver: Callable[[Scan], None]) -> None:
        """Call `deliver` for each code; set before `start`."""
        self._deliver = deliver


class Camera(Driver):
    """A source of pictures. Lives in the camera's own process; `read` may block, so nothing else lives there.

    After `start`, `read` gives the newest picture not yet given, as uint8 luma of height x width (C-contiguous), or
    None when none came within the time. It raises DeviceMissing when the camera is gone for good until reopened.
    """

    kind = "camera"

    @abstractmethod
    def read(self, timeout_s: float) -> np.ndarray | None:
        """Wait for the next picture."""


@dataclass(frozen=True, slots=True)
class Samples:
    """A piece of sound: signed 16-bit little-endian mono."""

    pcm: bytes
    rate_hz: int
    at_ms: int
    """CLOCK_MONOTONIC in milliseconds when the last sample arrived."""


class Microphone(Driver):
    """A source of sound. Delivers pieces of any length in order; a gap is delivered as it is, not filled."""

    kind = "microphone"

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._deliver: Callable[[Samples], None] = _nobody
        self.overruns = 0
        """How often sound was lost because nobody took it in time, as far as the device tells."""

    def listen(self, deliver: Callable[[Samples], None]) -> None:
        """Call `deliver` for each piece; set before `start`."""
        self._deliver = deliver


class Speaker(Driver):
    """A loudspeaker."""

    kind = "speaker"

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self.underruns = 0
        """How often a sound was torn because it was not given in time, as far as the device tells."""

    @abstractmethod
    def play(self, samples: np.ndarray, rate_hz: int) -> None:
        """Play float samples in [-1, 1] after what is playing now, and return at once."""

    @abstractmethod
    def hush(self) -> None:
        """Break off what is playing, forget what waits, and return at once."""


class Lamp(Enum):
    """The three lamps of a terminal."""

    READY = "ready"
    """Green: paid, or ready for the next."""
    WORKING = "working"
    """Amber: something is going on."""
    TROUBLE = "trouble"
    """Red: declined, or out of service."""


class Light(Enum):
    """What a lamp does."""

    OFF = "off"
    ON = "on"
    BLINK = "blink"


class Lamps(Driver):
    """Three lamps."""

    kind = "lamps"

    @abstractmethod
    def show(self, lamp: Lamp, light: Light) -> None:
        """Set one lamp; returns at once."""


class Illumination(Driver):
    """A lamp that lights what is held before the camera."""

    kind = "illumination"

    @property
    def dimmable(self) -> bool:
        """Whether it knows more than on and off."""
        return False

    @abstractmethod
    def shine(self, level: float) -> None:
        """Shine so brightly from now on: 0 is off, 1 is all it has; returns at once. Counts before `start`, too."""


class Aim(Driver):
    """A small light beside the camera that shows where to hold a code, and whether it is seen."""

    kind = "aim"

    @abstractmethod
    def show(self, light: Light) -> None:
        """Light up, blink or go out; returns at once. Counts before `start`, too."""


class Chime(Enum):
    """What the buzzer can say."""

    SEEN = "seen"
    """A short tick: a code was read."""
    PAID = "paid"
    DECLINED = "declined"
    ATTENTION = "attention"


class Buzzer(Driver):
    """A buzzer."""

    kind = "buzzer"

    @abstractmethod
    def sound(self, chime: Chime) -> None:
        """Sound one chime; returns at once."""


class Button(Driver):
    """The button on the case."""

    kind = "button"

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._pressed: Callable[[], None] = _nothing

    def listen(self, pressed: Callable[[], None]) -> None:
        """Call `pressed` at each press; set before `start`."""
        self._pressed = pressed


class Tamper(Driver):
    """The switch that feels the case open.

    Delivers the state once after start and then at every change: True is open. A switch that cannot be read counts as
    open.
    """

    kind = "tamper"

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._changed: Callable[[bool], None] = _nobody

    def listen(self, changed: Callable[[bool], None]) -> None:
        """Call `changed(open)` at each change; set before `start`."""
        self._changed = changed


class Style(Enum):
    """How a line of a slip looks."""

    NORMAL = "normal"
    BOLD = "bold"
    LARGE = "large"
    """Double width and height, centred."""
    CENTRED = "centred"
    RULE = "rule"
    """A line across the paper; its text is not printed."""
    QR = "qr"
    """The text as a QR code, centred."""


@dataclass(frozen=True, slots=True)
class SlipLine:
    """One line of a slip; `right` is set flush right on the same line."""

    text: str = ""
    right: str = ""
    style: Style = Style.NORMAL


@dataclass(frozen=True, slots=True)
class Slip:
    """What the printer gives to shopper or merchant."""

    lines: tuple[SlipLine, ...]


class Printer(Driver):
    """A slip printer."""

    kind = "printer"

    @abstractmethod
    def print(self, slip: Slip) -> None:
        """Print after what is printing now, and return at once; a failure is reported as health."""


def _nobody(_: object) -> None:
    pass


def _nothing() -> None:
    pass
