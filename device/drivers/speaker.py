"""The loudspeaker, through sounddevice: opened for each sound, so that it may be unplugged in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Annotated, Any, Final

import numpy as np
from msgspec import Meta

from device.drivers import portaudio
from device.drivers.base import DriverOptions, Speaker
from device.drivers.errors import DeviceFailed, DriverError, health_of
from device.drivers.keeper import Jobs, Keeper
from device.drivers.pcm import on_all_channels, resample, to_float, to_int16
from device.ports import Health, HealthState

_MOST_WAITING: Final = 8
_FINISH_S: Final = 2.0
_LOOK_S: Final = 2.0
_LONGEST_SOUND_S: Final = 60.0
_PIECE: Final = 1024
# Silence around each sound: sound servers lose the first and the last milliseconds of a stream.
_LEAD_S: Final = 0.06
_TAIL_S: Final = 0.2


class SpeakerOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of the loudspeaker."""

    device: str = ""
    """Part of the sound device's name; empty for the default device."""
    host_api: str = ""
    """Part of the name of PortAudio's way to the device, such as "ALSA", where it is offered by several."""
    rates_hz: Annotated[tuple[portaudio.Rate, ...], Meta(min_length=1)] = portaudio.RATES_HZ
    """Rates to try if the device does not take that of a sound."""
    volume: Annotated[float, Meta(ge=0, le=1)] = 1.0


class SoundSpeaker(Speaker):
    """A loudspeaker that PortAudio knows."""

    Options = SpeakerOptions
    _options: SpeakerOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._sound: Any = None
        self._jobs: Jobs[tuple[np.ndarray, int, int]] | None = None
        self._keeper: Keeper | None = None
        self._breath = 0
        """Rises when everything so far is to be broken off."""
        self._at_the_device = threading.Lock()
        self._began_s = 0.0

    def play(self, samples: np.ndarray, rate_hz: int) -> None:
        """Play after what is playing now, and return at once; what does not fit into the queue is dropped."""
        jobs = self._jobs
        if jobs is not None and not jobs.put((samples, rate_hz, self._breath)):
            self._report(Health(HealthState.FAILED, "too many sounds wait for the loudspeaker; one was dropped"))

    def hush(self) -> None:
        """Break off what is playing, and forget what waits."""
        jobs = self._jobs
        if jobs is not None:
            self._breath += 1
            jobs.drop_waiting()

    def _open(self) -> None:
        self._sound = portaudio.load(self.name)
        self._jobs = Jobs(self.name, self._play, _MOST_WAITING)
        self._keeper = Keeper(self.name, self._look, self._report)
        self._jobs.start()
        self._keeper.start()

    def _close(self) -> None:
        if self._jobs is not None:
            self._jobs.drop_waiting()
            self._jobs.end(_FINISH_S)
        if self._keeper is not None:
            self._keeper.end()
        self._jobs = self._keeper = None

    def _look(self, keeper: Keeper) -> None:
        while not keeper.stop.is_set():
            if self._at_the_device.acquire(blocking=False):  # what is playing needs no look
                try:
                    with portaudio.stream(self._sound, self.name):
                        found, form = self._negotiate(self._options.rates_hz)
                finally:
                    self._at_the_device.release()
                keeper.working(f"{form.rate_hz} Hz, {found.name if found else 'default device'}")
            elif time.monotonic() > self._began_s + _LONGEST_SOUND_S:
                raise DeviceFailed(self.name, "a sound does not end, PortAudio hangs: restart the terminal")
            keeper.stop.wait(_LOOK_S)

    def _negotiate(self, rates_hz: Sequence[int]) -> tuple[portaudio.SoundDevice | None, portaudio.Format]:
        options = self._options
        found = portaudio.find(self._sound, self.name, options.device, "output", options.host_api)
        number = found.number if found else None
        return found, portaudio.choose_format(self._sound, self.name, number, "output", rates_hz)

    def _play(self, job: tuple[np.ndarray, int, int]) -> None:
        samples, wanted_hz, breath = job
        self._began_s = time.monotonic()
        try:
            with (
                self._at_the_device,
                portaudio.stream(self._sound, self.name),
                portaudio.translated(self._sound, self.name),
            ):
                self._play_through(samples, wanted_hz, breath)
        except DriverError as error:
            self._report(health_of(error))

    def _play_through(self, samples: np.ndarray, wanted_hz: int, breath: int) -> None:
        found, form = self._negotiate((wanted_hz, *self._options.rates_hz))
        number = found.number if found else None
        sounding = samples if samples.dtype.kind == "f" else to_float(samples)
        whole = to_int16(resample(sounding, wanted_hz, form.rate_hz) * self._options.volume)
        whole = np.pad(whole, (round(_LEAD_S * form.rate_hz), round(_TAIL_S * form.rate_hz)))
        opened = self._sound.RawOutputStream(
            samplerate=form.rate_hz, device=number, channels=form.channels, dtype="int16"
        )
        try:
            opened.start()
            for at in range(0, len(whole), _PIECE):
                if breath != self._breath:
                    return
                piece = on_all_channels(whole[at : at + _PIECE], form.channels).astype("<i2").tobytes()
                if opened.write(piece):
                    self.underruns += 1
            opened.stop()  # plays to the end
        finally:
            opened.close(ignore_errors=True)  # breaks off what a device that has gone would never finish
