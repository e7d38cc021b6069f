"""The microphone, through sounddevice."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta

from device.drivers import portaudio
from device.drivers.base import DriverOptions, Microphone, Samples
from device.drivers.errors import DeviceMissing
from device.drivers.keeper import Keeper, now_ms

_LOOK_S: Final = 0.5
_SILENT_MS: Final = 4000


class MicrophoneOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of the microphone."""

    device: str = ""
    """Part of the sound device's name, such as "USB PnP"; empty for the default device."""
    rates_hz: Annotated[tuple[portaudio.Rate, ...], Meta(min_length=1)] = portaudio.RATES_HZ
    """Rates to try, best first."""
    block: Annotated[int, Meta(ge=64, le=16_384)] = 1024
    """Samples of one piece."""


class SoundMicrophone(Microphone):
    """A microphone that PortAudio knows. One that was unplugged is looked for again."""

    Options = MicrophoneOptions
    _options: MicrophoneOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._keeper: Keeper | None = None
        self._heard_ms = 0

    def _open(self) -> None:
        sound = portaudio.load(self.name)
        self._keeper = Keeper(self.name, lambda keeper: self._session(sound, keeper), self._report)
        self._keeper.start()

    def _close(self) -> None:
        if self._keeper is not None:
            self._keeper.end()
            self._keeper = None

    def _session(self, sound: Any, keeper: Keeper) -> None:
        options = self._options
        with portaudio.stream(sound, self.name), portaudio.translated(sound, self.name):
            number = portaudio.find(sound, self.name, options.device, "input")
            rate_hz = portaudio.choose_rate(sound, self.name, number, "input", options.rates_hz)
            with sound.RawInputStream(
                samplerate=rate_hz,
                blocksize=options.block,
                device=number,
                channels=1,
                dtype="int16",
                callback=lambda data, _frames, _time, _flags: self._hear(bytes(data), rate_hz),
            ) as opened:
                self._heard_ms = now_ms()
                keeper.working(f"{rate_hz} Hz")
                self._watch(opened, keeper)

    def _watch(self, opened: Any, keeper: Keeper) -> None:
        """Wait until the driver is stopped; a device that falls silent without a word has been unplugged."""
        while not keeper.stop.wait(_LOOK_S) and not portaudio.is_outdated():
            if not opened.active or now_ms() > self._heard_ms + _SILENT_MS:
                raise DeviceMissing(self.name, "the sound device delivers nothing any more: unplugged?")

    def _hear(self, pcm: bytes, rate_hz: int) -> None:
        self._heard_ms = now_ms()
        self._deliver(Samples(pcm, rate_hz, self._heard_ms))
