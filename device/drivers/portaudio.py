"""PortAudio through sounddevice: finding a device by name, a rate that it takes, and seeing new devices.

PortAudio lists the devices once. To see what was plugged in later it must be ended and begun again, which would break
every open stream: so the streams of the process are counted here, and the list is renewed only when there is none. Who
keeps a stream open for long asks `is_outdated` now and then, and opens it anew if so.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from device.drivers.errors import DeviceFailed, DeviceMissing, DriverError, DriverUnsupported

RATES_HZ: Final = (48_000, 44_100, 16_000)
"""What to try, best first."""

_CARDS: Final = Path("/proc/asound/cards")
_RENEW_S: Final = 10.0

Direction = Literal["input", "output"]
Rate = Annotated[int, Meta(ge=8000, le=192_000)]
"""A rate in the settings, in Hz."""


class _Streams:
    """How many streams of this process are open."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.open = 0
        self.renewed_s = -_RENEW_S
        self.cards = ""


_streams: Final = _Streams()  # PortAudio itself is one for the whole process


def load(device: str) -> Any:
    """Import sounddevice; raises DriverUnsupported."""
    try:
        return importlib.import_module("sounddevice")
    except (ImportError, OSError) as error:
        detail = f"PortAudio cannot be loaded ({error}): apt install libportaudio2, pip install sounddevice"
        raise DriverUnsupported(device, detail) from error


@contextlib.contextmanager
def stream(sound: Any, device: str) -> Iterator[None]:
    """Count a stream while it is opened and used, renewing the list of devices if it is the only one."""
    with _streams.lock:
        if _streams.open == 0:
            _renew(sound, device)
        _streams.open += 1
    try:
        yield
    finally:
        with _streams.lock:
            _streams.open -= 1


def is_outdated() -> bool:
    """Tell whether sound cards came or went since PortAudio looked."""
    return _cards() != _streams.cards


def find(sound: Any, device: str, wanted: str, direction: Direction) -> int | None:
    """Give the number of the first device whose name holds `wanted`; None, the default device, if that is empty."""
    channels = f"max_{direction}_channels"
    with translated(sound, device):
        present = [one for one in sound.query_devices() if one[channels] > 0]
    if not present:
        raise DeviceMissing(device, f"there is no sound {direction}: is the sound device plugged in?")
    if not wanted:
        return None
    for one in present:
        if wanted.lower() in one["name"].lower():
            return int(one["index"])
    names = ", ".join(f'"{one["name"]}"' for one in present)
    raise DeviceMissing(device, f'no sound {direction} is called "{wanted}"; there are {names}')


def choose_rate(sound: Any, device: str, number: int | None, direction: Direction, rates_hz: Sequence[int]) -> int:
    """Give the first rate that a device takes for 16-bit mono; raises DeviceFailed."""
    check = sound.check_input_settings if direction == "input" else sound.check_output_settings
    refusal = ""
    for rate_hz in rates_hz:
        try:
            check(device=number, channels=1, dtype="int16", samplerate=rate_hz)
        except (sound.PortAudioError, ValueError) as error:
            refusal = str(error)
        else:
            return rate_hz
    tried = ", ".join(str(rate_hz) for rate_hz in rates_hz)
    raise DeviceFailed(device, f"the sound device takes none of the rates {tried}: {refusal}")


def _renew(sound: Any, device: str) -> None:
    """Let PortAudio look again if there is reason to; costs some hundred milliseconds."""
    now_s = time.monotonic()
    if not is_outdated() and now_s < _streams.renewed_s + _RENEW_S:
        return
    _streams.renewed_s, _streams.cards = now_s, _cards()
    with translated(sound, device):
        sound._terminate()  # noqa: SLF001  the only way to make PortAudio look again
        sound._initialize()  # noqa: SLF001


def _cards() -> str:
    try:
        return _CARDS.read_text()
    except OSError:
        return ""  # a kernel without ALSA


@contextlib.contextmanager
def translated(sound: Any, device: str) -> Iterator[None]:
    """Turn what sounddevice raises into our errors; a device that fails has most likely been unplugged."""
    try:
        yield
    except DriverError:
        raise
    except (sound.PortAudioError, OSError, ValueError) as error:
        raise DeviceMissing(device, str(error)) from error
