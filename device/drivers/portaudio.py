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
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from device.drivers.errors import DeviceFailed, DeviceMissing, DriverError, DriverUnsupported

RATES_HZ: Final = (48_000, 44_100, 16_000)
"""What to try, best first."""

_CARDS: Final = Path("/proc/asound/cards")
_RENEW_S: Final = 10.0

_STEREO: Final = 2
_GONE: Final = (-9999, -9996, -9985)
"""Unanticipated host error, invalid device, device unavailable (PaErrorCode): unplugged, or in use elsewhere."""

Direction = Literal["input", "output"]
Rate = Annotated[int, Meta(ge=8000, le=192_000)]
"""A rate in the settings, in Hz."""


@dataclass(frozen=True, slots=True)
class SoundDevice:
    """One device as PortAudio lists it."""

    number: int
    name: str
    host_api: str
    inputs: int
    outputs: int
    """Channels."""
    rate_hz: int
    """What it prefers."""

    def channels(self, direction: Direction) -> int:
        """Give the channels of one direction."""
        return self.inputs if direction == "input" else self.outputs


@dataclass(frozen=True, slots=True)
class Format:
    """What was agreed with a device."""

    rate_hz: int
    channels: int


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


def leave_behind() -> None:
    """Count a stream that cannot be closed as open for ever: to look for new devices would wait for it."""
    with _streams.lock:
        _streams.open += 1


def is_outdated() -> bool:
    """Tell whether sound cards came or went since PortAudio looked."""
    return _cards() != _streams.cards


def list_devices(sound: Any, device: str) -> tuple[SoundDevice, ...]:
    """List what PortAudio found; raises a DriverError."""
    with translated(sound, device):
        apis = [str(api["name"]) for api in sound.query_hostapis()]
        return tuple(
            SoundDevice(
                number=int(one["index"]),
                name=str(one["name"]),
                host_api=apis[one["hostapi"]],
                inputs=int(one["max_input_channels"]),
                outputs=int(one["max_output_channels"]),
                rate_hz=round(one["default_samplerate"]),
            )
            for one in sound.query_devices()
        )


def find(sound: Any, device: str, wanted: str, direction: Direction, host_api: str = "") -> SoundDevice | None:
    """Give the first device whose name holds `wanted`, of a host API if one is named; None is the default device."""
    present = [one for one in list_devices(sound, device) if one.channels(direction) > 0]
    if not present:
        raise DeviceMissing(device, f"there is no sound {direction}: is the sound device plugged in?")
    if not wanted and not host_api:
        return None
    for one in present:
        if wanted.lower() in one.name.lower() and host_api.lower() in one.host_api.lower():
            return one
    names = ", ".join(f'"{one.name}" ({one.host_api})' for one in present)
    called = " ".join([*([f'called "{wanted}"'] if wanted else []), *([f"of {host_api}"] if host_api else [])])
    raise DeviceMissing(device, f"no sound {direction} is {called}; there are {names}")


def choose_format(
    sound: Any, device: str, number: int | None, direction: Direction, rates_hz: Sequence[int], *, least: int = 1
) -> Format:
    """Give the first rate that a device takes for 16-bit samples, with as few channels as it takes from `least` on.

    Raises DeviceFailed if it takes none of them, DeviceMissing if it cannot even be asked.
    """
    check = sound.check_input_settings if direction == "input" else sound.check_output_settings
    refusal = ""
    for rate_hz in rates_hz:
        for channels in dict.fromkeys((least, max(least, _STEREO))):
            try:
                check(device=number, channels=channels, dtype="int16", samplerate=rate_hz)
            except (sound.PortAudioError, ValueError) as error:
                if _error_code(error) in _GONE:
                    raise DeviceMissing(device, str(error)) from error
                refusal = str(error)
            else:
                return Format(rate_hz, channels)
    tried = ", ".join(str(rate_hz) for rate_hz in rates_hz)
    raise DeviceFailed(device, f"the sound device takes none of the rates {tried}: {refusal}")


def _error_code(error: Exception) -> int:
    """Give PortAudio's PaErrorCode, 0 if there is none."""
    code = error.args[1] if len(error.args) > 1 else 0
    return code if isinstance(code, int) else 0


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
