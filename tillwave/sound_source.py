"""Sound for the commands: from a microphone by the driver of a terminal, piece by piece, or from a WAV file."""

from __future__ import annotations

import os
import queue
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device.drivers.errors import DeviceMissing
from device.ports import HealthState

if TYPE_CHECKING:
    from device.drivers.base import Microphone, Samples

PATIENCE_S = 10.0
"""So long a microphone may deliver nothing before it counts as missing."""
PIECE_S = 0.25

_MOST_WAITING = 400
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Choice:
    """Which microphone: one of a terminal's settings, or a sound device by a part of its name."""

    config: Path | None = None
    device: str = ""
    host_api: str = ""


def make_microphone(choice: Choice) -> Microphone:
    """Make the driver; raises a DriverError, or a SettingsProblem."""
    from device.drivers.base import Microphone
    from device.drivers.registry import make_driver

    name, driver, options = _from_settings(choice) if choice.config else _from_name(choice)
    made = make_driver("microphone", driver, name, options)
    assert isinstance(made, Microphone)
    return made


@contextmanager
def listening(microphone: Microphone) -> Iterator[Iterator[Samples]]:
    """Start a microphone and give its pieces; DeviceMissing once nothing has come for a while."""
    pieces: queue.Queue[Samples] = queue.Queue(_MOST_WAITING)

    def take(samples: Samples) -> None:
        try:
            pieces.put_nowait(samples)
        except queue.Full:
            microphone.overruns += 1

    microphone.listen(take)
    microphone.start()
    try:
        yield _delivered(microphone, pieces)
    finally:
        microphone.stop()


@contextmanager
def new_wav(path: Path, rate_hz: int, *, overwrite: bool) -> Iterator[wave.Wave_write]:
    """Open a new WAV file of 16-bit mono that only its owner may read; FileExistsError unless it may be overwritten."""
    if overwrite:
        path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        yield file


def _delivered(microphone: Microphone, pieces: queue.Queue[Samples]) -> Iterator[Samples]:
    silent_until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            yield pieces.get(timeout=_LOOK_S)
        except queue.Empty:
            if time.monotonic() > silent_until_s:
                detail = microphone.health.detail if microphone.health.state is not HealthState.WORKING else ""
                sentence = detail or f"the microphone has given nothing for {PATIENCE_S:.0f} s"
                raise DeviceMissing(microphone.name, sentence) from None
        else:
            silent_until_s = time.monotonic() + PATIENCE_S


def _from_name(choice: Choice) -> tuple[str, str, dict[str, Any]]:
    return "microphone", "sounddevice", {"device": choice.device, "host_api": choice.host_api}


def _from_settings(choice: Choice) -> tuple[str, str, dict[str, Any]]:
    from device.config import load_settings

    assert choice.config is not None
    microphones = [device for device in load_settings(choice.config).devices if device.kind == "microphone"]
    for device in microphones:
        if choice.device in ("", device.name):
            return device.name, device.driver, device.options
    names = ", ".join(device.name for device in microphones) or "none"
    raise DeviceMissing(choice.device or "microphone", f"{choice.config} has no such microphone; it has: {names}")
