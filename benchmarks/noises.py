"""The noises of a shop, each of mean power 1, made of random numbers alone: the same generator gives the same noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RATE = 48_000
Noise = Callable[[int, np.random.Generator], np.ndarray]


def unit(samples: np.ndarray) -> np.ndarray:
    """Give samples of mean power 1."""
    return samples / np.sqrt(np.mean(samples**2))


def _white(count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(count)


def _pink(count: int, rng: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    return unit(np.fft.irfft(np.where(hertz > 20, spectrum / np.sqrt(np.maximum(hertz, 20)), 0), count))


def _babble(count: int, rng: np.random.Generator) -> np.ndarray:
    """24 talkers: buzz and breath, shaped like the long-term spectrum of speech, in syllables."""
    mix = sum(_talker(count, rng) * 10 ** (rng.uniform(-12, 0) / 20) for _ in range(24))
    return unit(unit(np.asarray(mix)) + 0.02 * _pink(count, rng))


def _talker(count: int, rng: np.random.Generator) -> np.ndarray:
    seconds = np.arange(count) / RATE
    pitch = rng.uniform(90, 240) * (
        1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.3, 1.5) * seconds + rng.uniform(0, 6.28))
    )
    phase = np.cumsum(pitch) / RATE % 1
    voice = (phase - 0.5) + 0.3 * rng.standard_normal(count)
    syllables = rng.uniform(0, 1, int(seconds[-1] * 5) + 3) ** 2
    voice *= np.interp(seconds * 5, np.arange(len(syllables)), syllables)
    spectrum, hertz = np.fft.rfft(voice), np.fft.rfftfreq(count, 1 / RATE)
    gain = 1 / (1 + (hertz / 700) ** 2) ** 0.6 * (hertz > 80) + 0.03 * (hertz < 11_000)
    for formant in (rng.uniform(300, 800), rng.uniform(1000, 2200), rng.uniform(2300, 3200)):
        gain *= 1 + 2 / (1 + ((hertz - formant) / 150) ** 2)
    return unit(np.fft.irfft(spectrum * gain, count))


def _music(count: int, rng: np.random.Generator) -> np.ndarray:
    """Three voices of plucked tones with overtones, a bass, and a drum on every beat."""
    mix = np.zeros(count)
    for octave, seconds in ((55, 0.8), (220, 0.4), (440, 0.2), (880, 0.3)):
        for start in range(0, count, int(seconds * RATE)):
            hertz = octave * 2 ** (rng.integers(0, 12) / 12)
            _add(mix, _plucked(hertz, seconds * 2, rng) * rng.uniform(0.2, 1), start)
    for start in range(0, count, RATE // 2):
        _add(mix, rng.standard_normal(RATE // 10) * np.exp(-np.arange(RATE // 10) / (RATE / 60)), start)
    return unit(mix)


def _plucked(hertz: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    tones = (
        np.sin(2 * np.pi * hertz * part * time + rng.uniform(0, 6.28)) / part
        for part in range(1, 9)
        if hertz * part < RATE / 2
    )
    return np.asarray(sum(tones)) * np.exp(-3 * time / seconds)


def _beeps(count: int, rng: np.random.Generator) -> np.ndarray:
    """Scanners and tills: tones of 60 to 300 ms between 1.5 and 4.5 kHz, now and then two at once."""
    mix = 0.01 * _pink(count, rng)
    for _ in range(max(1, count // (RATE // 2))):
        time = np.arange(int(rng.uniform(0.06, 0.3) * RATE)) / RATE
        _add(mix, np.sign(np.sin(2 * np.pi * rng.uniform(1500, 4500) * time)), int(rng.integers(0, count)))
    return unit(mix)


def _knocks(count: int, rng: np.random.Generator) -> np.ndarray:
    """Baskets, coins, drawers: damped strokes."""
    mix = 0.01 * _pink(count, rng)
    for _ in range(max(1, count // (RATE // 4))):
        length = int(rng.uniform(0.01, 0.15) * RATE)
        time = np.arange(length) / RATE
        ring = np.sin(2 * np.pi * rng.uniform(200, 9000) * time) + 0.5 * rng.standard_normal(length)
        _add(mix, ring * np.exp(-5 * np.arange(length) / length) * rng.uniform(0.2, 3), int(rng.integers(0, count)))
    return unit(mix)


def _shop(count: int, rng: np.random.Generator) -> np.ndarray:
    """All of it at once, the voices loudest."""
    return unit(_babble(count, rng) + 0.5 * _music(count, rng) + 0.3 * _beeps(count, rng) + 0.3 * _knocks(count, rng))


def _add(target: np.ndarray, samples: np.ndarray, start: int) -> None:
    count = min(len(samples), len(target) - start)
    target[start : start + count] += samples[:count]


NOISES: dict[str, Noise] = {
    "white": _white,
    "pink": _pink,
    "babble": _babble,
    "music": _music,
    "beeps": _beeps,
    "knocks": _knocks,
    "shop": _shop,
}
