"""Plays through the real loudspeaker driver and listens with real microphone drivers; run by test_driver_sound_loop.

Reads commands from its standard input, a line each, and answers each with a line of JSON. PortAudio and ALSA look at
their environment once in a process, so the drivers that shall meet a sound server of their own live in here.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import sounddevice
from driver_stand import wait_until
from sound_server import MICROPHONE, SPEAKER

from device.decode.acoustic import AcousticDecoder
from device.drivers.base import Samples
from device.drivers.registry import make_driver
from protocol.waveform import modulate_short

WARMED_UP = 60
PATIENCE_S = 20.0
TIMES = 3
"""A sound server on a busy machine may tear a sound: it is played again then."""
LOUD = 1000
QUIET_S = 0.8
MICROPHONES: dict[str, dict[str, Any]] = {
    "mic": {},
    "mic-44": {"rates_hz": [44_100]},
    "mic-16": {"rates_hz": [16_000]},
    "right": {"channel": 2},
}


class Loop:
    def __init__(self) -> None:
        self.pieces: dict[str, list[Samples]] = {name: [] for name in MICROPHONES}
        self.microphones = []
        for name, options in MICROPHONES.items():
            microphone = make_driver("microphone", "sounddevice", name, {"device": MICROPHONE} | options)
            microphone.listen(self.pieces[name].append)
            self.microphones.append(microphone)
        self.speaker = make_driver("speaker", "sounddevice", "speaker", {"device": SPEAKER, "volume": 0.5})

    def start(self) -> None:
        for driver in (*self.microphones, self.speaker):
            driver.start()

    def stop(self) -> None:
        for driver in (*self.microphones, self.speaker):
            driver.stop()

    def health(self) -> dict[str, list[str]]:
        return {
            driver.name: [driver.health.state.value, driver.health.detail]
            for driver in (*self.microphones, self.speaker)
        }

    def tone(self, hertz: float, rate_hz: int) -> dict[str, float]:
        self._wait_for_sound()
        self.speaker.play(_sine(hertz, rate_hz, 0.5).astype(np.float32), rate_hz)
        heard = self._hear_out("mic")
        spectrum = np.abs(np.fft.rfft(heard))
        rate = self.pieces["mic"][0].rate_hz
        return {
            "hertz": float(np.argmax(spectrum) * rate / len(heard)),
            "loudest": float(np.abs(heard).max() / 32767),
            "loud_seconds": float((np.abs(heard[: len(heard) // 96 * 96]).reshape(-1, 96).max(1) > LOUD).sum() * 0.002),
        }

    def on_the_right(self) -> dict[str, float]:
        """Play on the right channel only; give how loud each microphone hears it."""
        self._wait_for_sound()
        sides = np.zeros((48_000, 2), np.float32)
        sides[:, 1] = 0.4 * _sine(1000, 48_000, 1.0)
        device = next(each["index"] for each in sounddevice.query_devices() if each["name"] == SPEAKER)
        with sounddevice.OutputStream(samplerate=48_000, device=device, channels=2, dtype="float32") as stream:
            stream.write(sides)
        return {name: float(np.abs(self._listen(name, 1.5)).max() / 32767) for name in ("mic", "right")}

    def token(self, payload: bytes) -> dict[str, Any]:
        """Play a token; give what each microphone heard, by its rate."""
        self._wait_for_sound()
        decoders: dict[str, AcousticDecoder] = {}
        heard: dict[str, str] = {}
        fed = dict.fromkeys(MICROPHONES, 0)

        def everyone_has_heard() -> bool:
            for name, pieces in self.pieces.items():
                while fed[name] < len(pieces):
                    piece = pieces[fed[name]]
                    fed[name] += 1
                    decoder = decoders.setdefault(name, AcousticDecoder(piece.rate_hz, name))
                    for token in decoder.feed(piece.pcm, piece.at_ms):
                        heard[f"{name} {piece.rate_hz}"] = token.payload.hex()
            return len(heard) == len(MICROPHONES)

        for _ in range(TIMES):
            self.speaker.play(modulate_short(payload, 48_000), 48_000)
            if wait_until(everyone_has_heard, PATIENCE_S):
                break
        return heard

    def _wait_for_sound(self) -> None:
        """Wait until all microphones deliver: a sound server begins late and in bursts."""
        self._forget()
        wait_until(lambda: all(len(pieces) > WARMED_UP // 3 for pieces in self.pieces.values()), PATIENCE_S)
        self._forget()

    def _forget(self) -> None:
        for pieces in self.pieces.values():
            del pieces[:]

    def _hear_out(self, name: str) -> np.ndarray:
        """Wait until something was loud and silence has followed, and give all of it."""

        def is_over() -> bool:
            heard, rate_hz = self._heard(name), self.pieces[name][0].rate_hz if self.pieces[name] else 0
            loud = np.flatnonzero(np.abs(heard) > LOUD)
            return bool(len(loud)) and len(heard) - loud[-1] > QUIET_S * rate_hz

        wait_until(lambda: is_over() or time.sleep(0.1), PATIENCE_S)
        return self._heard(name)

    def _listen(self, name: str, seconds: float) -> np.ndarray:
        """Wait until so much sound has come, and give all of it."""
        pieces = self.pieces[name]

        def is_enough() -> bool:
            return sum(len(piece.pcm) // 2 / piece.rate_hz for piece in tuple(pieces)) >= seconds

        wait_until(is_enough, PATIENCE_S)
        return self._heard(name)

    def _heard(self, name: str) -> np.ndarray:
        return np.frombuffer(b"".join(piece.pcm for piece in tuple(self.pieces[name])), "<i2").astype(float)


def _sine(hertz: float, rate_hz: int, seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate_hz)) / rate_hz)


def say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    loop = Loop()
    loop.start()
    for line in sys.stdin:
        match line.split():
            case ["health"]:
                say(loop.health())
            case ["tone", hertz, rate_hz]:
                say(loop.tone(float(hertz), int(rate_hz)))
            case ["right"]:
                say(loop.on_the_right())
            case ["token", payload]:
                say(loop.token(bytes.fromhex(payload)))
            case _:
                raise SystemExit(f"unknown: {line!r}")
    began = time.monotonic()
    loop.stop()
    say({"stopped": loop.health(), "took_s": time.monotonic() - began})


main()
