"""The microphone, through sounddevice."""

from __future__ import annotations

import logging
import threading
from typing import Annotated, Any, Final

from msgspec import Meta

from device.drivers import portaudio
from device.drivers.base import DriverOptions, Microphone, Samples
from device.drivers.channels import one_channel
from device.drivers.errors import DeviceMissing
from device.drivers.keeper import Keeper, now_ms

_LOOK_S: Final = 0.5
log = logging.getLogger(__name__)

# Sound servers take their time to begin; afterwards sound comes all the time.
_FIRST_SOUND_MS: Final = 4000
_SILENT_MS: Final = 2000
_NOT_LATELY_MS: Final = 1000
_FIRST_LOOK_S: Final = 0.05
_ENDING_S: Final = 3.0


class MicrophoneOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of the microphone."""

    device: str = ""
    """Part of the sound device's name, such as "USB PnP"; empty for the default device."""
    host_api: str = ""
    """Part of the name of PortAudio's way to the device, such as "ALSA", where it is offered by several."""
    rates_hz: Annotated[tuple[portaudio.Rate, ...], Meta(min_length=1)] = portaudio.RATES_HZ
    """Rates to try, best first."""
    block: Annotated[int, Meta(ge=64, le=16_384)] = 1024
    """Samples of one piece."""
    channel: Annotated[int, Meta(ge=1, le=8)] = 1
    """Which one to hear of a device that cannot give one alone: a single I2S microphone may be the second."""


class SoundMicrophone(Microphone):
    """A microphone that PortAudio knows. One that was unplugged is looked for again."""

    Options = MicrophoneOptions
    _options: MicrophoneOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._keeper: Keeper | None = None
        self._heard_ms = 0
        self._is_heard = False

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
            found = portaudio.find(sound, self.name, options.device, "input", options.host_api)
            number = found.number if found else None
            form = portaudio.choose_format(sound, self.name, number, "input", options.rates_hz, least=options.channel)
            opened = sound.RawInputStream(
                samplerate=form.rate_hz,
                blocksize=options.block,
                device=number,
                channels=form.channels,
                dtype="int16",
                callback=lambda data, _frames, _time, flags: self._hear(bytes(data), form, flags),
            )
            try:
                self._heard_ms, self._is_heard = now_ms(), False
                opened.start()
                self._watch(opened, keeper, f"{form.rate_hz} Hz, {found.name if found else 'default device'}")
            finally:
                self._end(opened)

    def _watch(self, opened: Any, keeper: Keeper, detail: str) -> None:
        """Say that it works once sound comes, and wait until the driver is stopped.

        A device that falls silent without a word has been unplugged.
        """
        is_told = False
        while not keeper.stop.wait(_LOOK_S if is_told else _FIRST_LOOK_S) and not portaudio.is_outdated():
            if not opened.active or self._is_silent():
                raise DeviceMissing(self.name, "the sound device delivers nothing any more: unplugged?")
            if self._is_heard and not is_told:
                keeper.working(detail)
                is_told = True

    def _is_silent(self) -> bool:
        return now_ms() > self._heard_ms + (_SILENT_MS if self._is_heard else _FIRST_SOUND_MS)

    def _end(self, opened: Any) -> None:
        """Stop and close a stream, in a thread of its own.

        PortAudio's own thread spins for ever when an ALSA device goes before its first sound, and then neither stop nor
        abort returns. Rather than be deaf, the driver leaves it behind and looks for the device again.
        """
        ending = threading.Thread(target=self._close_stream, args=(opened,), name=f"end-{self.name}", daemon=True)
        ending.start()
        ending.join(_ENDING_S)
        if ending.is_alive():
            portaudio.leave_behind()
            log.error("%s: PortAudio does not let go of a device that went away; restart the terminal soon", self.name)

    def _close_stream(self, opened: Any) -> None:
        """End a stream; to abort cancels PortAudio's thread, which must not happen while that is in our callback."""
        if now_ms() > self._heard_ms + _NOT_LATELY_MS:
            opened.abort(ignore_errors=True)
        else:
            opened.stop(ignore_errors=True)
        opened.close(ignore_errors=True)

    def _hear(self, pcm: bytes, form: portaudio.Format, flags: Any) -> None:
        self._heard_ms, self._is_heard = now_ms(), True
        if flags.input_overflow:
            self.overruns += 1
        self._deliver(Samples(one_channel(pcm, form.channels, self._options.channel), form.rate_hz, self._heard_ms))
