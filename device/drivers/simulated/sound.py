"""The simulated microphone and loudspeaker: sound in real time, with noise, from and to the bench."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from msgspec import Meta

from device.drivers.base import DriverOptions, Microphone, Samples, Speaker
from device.drivers.keeper import StopSignal, now_ms
from device.drivers.pcm import Float, Int16, resample, to_float, to_int16
from device.drivers.simulated.control import Answer, Refused, Request
from device.drivers.simulated.device import Common, Fault, SimulatedDevice, SimulatedOptions

_NOISE_SAMPLES: Final = 1 << 17
_DROPPED_SHARE: Final = 0.3
_FAR_BEHIND_S: Final = 1.0
_KEPT_SOUND_S: Final = 30.0

Level = Annotated[float, Meta(ge=0, le=1)]
Rate = Annotated[int, Meta(ge=8000, le=192_000)]


class MicrophoneOptions(SimulatedOptions, frozen=True, kw_only=True):
    """Settings of the simulated microphone."""

    rate_hz: Rate = 48_000
    block: Annotated[int, Meta(ge=64, le=65_536)] = 1024
    """Samples of one piece."""
    noise: Level = 0.0005
    """Root mean square of the microphone's own noise; 1 is full scale."""
    shop_noise: Level = 0.0
    """Root mean square of the shop around it, stronger in the low tones."""
    seed: int = 1


class Play(Request, frozen=True, kw_only=True, tag="play"):
    """Play signed 16-bit little-endian mono samples into the microphone, over what is playing."""

    pcm: bytes
    rate_hz: Rate
    volume: Annotated[float, Meta(ge=0, le=10)] = 1.0


class ShopNoise(Request, frozen=True, kw_only=True, tag="shop-noise"):
    """Change the noise of the shop."""

    level: Level


class Hush(Request, frozen=True, kw_only=True, tag="hush"):
    """Stop what is playing."""


class Heard(Request, frozen=True, kw_only=True, tag="heard"):
    """Tell what the loudspeaker has played; forget it then if `forget`."""

    forget: bool = False


class SimulatedMicrophone(SimulatedDevice, Microphone):
    """A microphone that hears what the bench plays."""

    Options = MicrophoneOptions
    Requests = Common | Play | ShopNoise | Hush
    faults: ClassVar[Mapping[str, Fault]] = {
        "drops": Fault("loses about every third piece"),
        "deaf": Fault("hears nothing but zeros, and says nothing"),
        "stuck": Fault("delivers nothing any more, and no error either; a new start heals it", lasts=False),
    }
    _options: MicrophoneOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._air: _Air | None = None
        self._stop: StopSignal | None = None
        self._thread: threading.Thread | None = None
        self._blocks = 0
        self._begun_s = 0.0

    def _begin(self) -> None:
        self._air = _Air(self._options)
        self._stop = StopSignal()
        self._blocks = 0
        self._begun_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, args=(self._stop, self._air), daemon=True)
        self._thread.name = f"simulated-{self.name}"
        self._thread.start()

    def _end(self) -> None:
        if self._stop is None or self._thread is None:
            return
        self._stop.set()
        self._thread.join()
        self._stop.close()
        self._stop = self._thread = None

    def _obey(self, request: Any) -> Answer:
        assert self._air is not None
        match request:
            case Play(pcm=pcm):
                if len(pcm) % 2:
                    raise Refused("16-bit samples have an even number of bytes")
                sound = resample(to_float(np.frombuffer(pcm, "<i2")), request.rate_hz, self._options.rate_hz)
                return {"begins_at_ms": now_ms(), "ends_at_ms": self._ends_at_ms(self._air.play(sound, request.volume))}
            case ShopNoise(level=level):
                self._air.shop_noise = level
                return {}
            case Hush():
                self._air.hush()
                return {}
        raise Refused("a microphone cannot do that")

    def _ends_at_ms(self, samples_left: int) -> int:
        blocks = self._blocks + -(-samples_left // self._options.block)
        return round(1000 * (self._begun_s + blocks * self._block_s()))

    def _block_s(self) -> float:
        return self._options.block / self._options.rate_hz

    def _run(self, stop: StopSignal, air: _Air) -> None:
        while not stop.wait(self._begun_s + (self._blocks + 1) * self._block_s() - time.monotonic()):
            sound = air.next_block()
            self._blocks += 1
            self._catch_up()
            if self.plugged and self.fault != "stuck" and not (self.fault == "drops" and air.chance(_DROPPED_SHARE)):
                heard = np.zeros_like(sound) if self.fault == "deaf" else sound
                self._deliver(Samples(heard.astype("<i2").tobytes(), self._options.rate_hz, now_ms()))

    def _catch_up(self) -> None:
        """Let time that a stalled machine lost be lost, instead of delivering it in one burst."""
        behind_s = time.monotonic() - self._begun_s - self._blocks * self._block_s()
        if behind_s > _FAR_BEHIND_S:
            self._begun_s += behind_s


class _Air:
    """The sound around the microphone: noise, the shop, and what is played."""

    def __init__(self, options: MicrophoneOptions) -> None:
        self.shop_noise = options.shop_noise
        self._block = options.block
        self._random = np.random.default_rng(options.seed)
        self._own = self._random.normal(0, options.noise, _NOISE_SAMPLES).astype(np.float32)
        self._shop = _pink(self._random)
        self._lock = threading.Lock()
        self._playing: list[tuple[Float, int]] = []

    def play(self, sound: Float, volume: float) -> int:
        """Begin a sound with the next block; gives its length in samples."""
        with self._lock:
            self._playing.append(((sound * volume).astype(np.float32), 0))
        return len(sound)

    def hush(self) -> None:
        """Forget what is playing."""
        with self._lock:
            self._playing.clear()

    def chance(self, share: float) -> bool:
        """Throw dice."""
        return bool(self._random.random() < share)

    def next_block(self) -> Int16:
        """Mix the next block."""
        mixed = self._cut(self._own) + self.shop_noise * self._cut(self._shop)
        with self._lock:
            self._playing = [self._mix(mixed, sound, at) for sound, at in self._playing if at < len(sound)]
        return to_int16(mixed)

    def _mix(self, mixed: Float, sound: Float, at: int) -> tuple[Float, int]:
        piece = sound[at : at + self._block]
        mixed[: len(piece)] += piece
        return sound, at + self._block

    def _cut(self, noise: Float) -> Float:
        at = int(self._random.integers(_NOISE_SAMPLES - self._block))
        return noise[at : at + self._block]


def _pink(random: np.random.Generator) -> Float:
    """Make noise whose power falls with the frequency, of root mean square 1."""
    spectrum = np.fft.rfft(random.normal(0, 1, _NOISE_SAMPLES))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 100))
    noise = np.fft.irfft(spectrum, _NOISE_SAMPLES)
    level = float(np.sqrt(np.mean(noise**2)))
    even: Float = (noise / level).astype(np.float32)
    return even


@dataclass(frozen=True, slots=True)
class _Played:
    pcm: bytes
    rate_hz: int
    at_ms: int

    def until(self, at_ms: int) -> _Played:
        """Give what has sounded before a moment."""
        samples = max(0, at_ms - self.at_ms) * self.rate_hz // 1000
        return _Played(self.pcm[: 2 * samples], self.rate_hz, self.at_ms)


class SimulatedSpeaker(SimulatedDevice, Speaker):
    """A loudspeaker that remembers the last half minute of what it played."""

    Requests = Common | Heard
    faults: ClassVar[Mapping[str, Fault]] = {"mute": Fault("plays nothing, and says nothing")}

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._lock = threading.Lock()
        self._played: deque[_Played] = deque()
        self._free_at_ms = 0

    def play(self, samples: np.ndarray, rate_hz: int) -> None:
        """Play after what is playing now."""
        if not self._started or not self.plugged or self.fault == "mute":
            return
        with self._lock:
            at_ms = max(now_ms(), self._free_at_ms)
            self._free_at_ms = at_ms + round(1000 * len(samples) / rate_hz)
            self._played.append(_Played(to_int16(np.asarray(samples)).astype("<i2").tobytes(), rate_hz, at_ms))
            while sum(len(one.pcm) / 2 / one.rate_hz for one in self._played) > _KEPT_SOUND_S and len(self._played) > 1:
                self._played.popleft()

    def hush(self) -> None:
        """Break off what is playing."""
        with self._lock:
            now = now_ms()
            left = [one.until(now) for one in self._played]
            self._played = deque(one for one in left if one.pcm)
            self._free_at_ms = min(self._free_at_ms, now)

    def _obey(self, request: Any) -> Answer:
        match request:
            case Heard(forget=forget):
                with self._lock:
                    played = [{"pcm": one.pcm, "rate_hz": one.rate_hz, "at_ms": one.at_ms} for one in self._played]
                    if forget:
                        self._played.clear()
                return {"played": played}
        raise Refused("a loudspeaker cannot do that")
