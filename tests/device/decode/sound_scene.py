"""Sound for tests: noises of a mall at a level, and a stream that is heard as a terminal hears it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from device.decode.acoustic import AcousticDecoder
from device.decode.attention import Attention
from device.decode.disturbance import JammingSettings, Sound

RATE = 48_000


def at_level(samples: np.ndarray, dbfs: float) -> np.ndarray:
    """Give samples of this root mean square, as int16."""
    unit = samples / np.sqrt(np.mean(np.square(samples)))
    return np.clip(np.rint(unit * 10 ** (dbfs / 20) * 32768), -32768, 32767).astype(np.int16)


def white(seconds: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def shaped(seconds: float, slope_db: float, seed: int = 1) -> np.ndarray:
    """Give noise that falls by so many dB an octave from 100 Hz on."""
    spectrum = np.fft.rfft(white(seconds, seed))
    hertz = np.fft.rfftfreq(round(seconds * RATE), 1 / RATE)
    return np.fft.irfft(spectrum * (np.maximum(hertz, 100) / 100) ** (-slope_db / 6.02), round(seconds * RATE))


def vacuum_cleaner(seconds: float) -> np.ndarray:
    """Air, falling slowly, and a motor with its harmonics."""
    time = np.arange(round(seconds * RATE)) / RATE
    motor = sum(np.sin(2 * np.pi * 317 * k * time + k) / k for k in range(1, 12))
    return shaped(seconds, 4.0) + 0.02 * np.asarray(motor)


def fire_alarm(seconds: float) -> np.ndarray:
    """The sweep of a sounder with its harmonics: 800 to 970 Hz, once a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(800 + 170 * (time % 1.0)) / RATE
    return np.asarray(sum(np.sin(k * phase) / k for k in (1, 2, 3, 4, 5)))


def song(seconds: float, seed: int = 3) -> np.ndarray:
    """Chords of four notes with harmonics, and a drum, twice a second."""
    rng, parts = np.random.default_rng(seed), []
    for _ in range(round(2 * seconds)):
        time = np.arange(RATE // 2) / RATE
        notes = 220 * 2 ** (rng.choice(24, 4) / 12)
        chord = sum(np.sin(2 * np.pi * note * k * time) / k**2 for note in notes for k in range(1, 9))
        parts.append(np.asarray(chord) * np.exp(-2 * time) + 0.5 * rng.standard_normal(RATE // 2) * np.exp(-40 * time))
    return np.concatenate(parts)


def talkers(seconds: float, seed: int = 4) -> np.ndarray:
    """Noise as steep as speech, in syllables of several people."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    voices = [
        shaped(seconds, 7.0, seed + each) * np.interp(time * 5, np.arange(round(seconds * 5) + 2), loud)
        for each, loud in enumerate(rng.uniform(0, 1, (6, round(seconds * 5) + 2)) ** 2)
    ]
    return np.sum(voices, axis=0)


class Listener:
    """A decoder with its attention, fed in pieces of a sound card."""

    def __init__(self, rate_hz: int = RATE, jamming: JammingSettings | None = None, piece: int = 1024) -> None:
        self._decoder = AcousticDecoder(rate_hz)
        self._attention = Attention(rate_hz, jamming or JammingSettings())
        self._piece = piece
        self.tokens: list[bytes] = []
        self.news: list[Sound] = []

    def hear(self, pcm: np.ndarray, *, deaf: bool = False) -> None:
        for start in range(0, len(pcm), self._piece):
            piece = pcm[start : start + self._piece]
            self.tokens += [token.payload for token in self._decoder.feed(piece, 0)]
            self.news += self._attention.follow(piece, self._decoder, deaf=deaf)

    def told(self, *kinds: Sound) -> list[Sound]:
        return [sound for sound in self.news if sound in kinds]


def mixed(*sounds: tuple[float, np.ndarray], seconds: float) -> np.ndarray:
    """Give float sounds that begin at these seconds, added up."""
    mix = np.zeros(round(seconds * RATE))
    for start, sound in sounds:
        place = round(start * RATE)
        mix[place : place + len(sound)] += sound[: len(mix) - place]
    return mix


def as_pcm(sound: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)


def joined(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(parts))
