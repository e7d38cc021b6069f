"""How loud the sound around may be before a terminal says that tokens drown in it.

    python -m benchmarks.jamming

Noises of `benchmarks.sound`, and a vacuum cleaner, a fire alarm and a song, for half a minute at every level; beside
them whether a faint token (-40 dB below full scale) is still heard in the same sound. A warning that comes before
tokens are lost would be false; one that comes much later would be late.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np

from benchmarks.noises import NOISES, RATE
from device.decode.disturbance import JammingSettings, Sound
from device.decode.jamming import JammingWatch
from protocol.waveform import modulate, open_receiver

LEVELS_DBFS = (-36, -30, -27, -24, -21, -18, -15, -12, -9, -6)
SECONDS = 30
FAINT_DBFS = -40.0


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print a line for each kind of sound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=4, help="faint tokens for each level; 0 for none")
    options = parser.parse_args(arguments)
    print(f"{'sound':>15}  told from dBFS on   faint tokens heard of {options.tokens}, by level")
    for name, make in SOUNDS.items():
        noise = make(SECONDS * RATE, np.random.default_rng(11))
        noise /= np.sqrt(np.mean(noise**2))
        told = [level for level in LEVELS_DBFS if _is_told(_pcm(noise, level))]
        heard = [f"{level}: {_heard(noise, level, options.tokens)}" for level in LEVELS_DBFS if options.tokens]
        print(f"{name:>15}  {min(told, default='never'):>17}   {', '.join(heard)}", flush=True)
    return 0


def _is_told(pcm: np.ndarray) -> bool:
    watch = JammingWatch(RATE, JammingSettings(token_dbfs=FAINT_DBFS))
    return any(
        watch.feed(pcm[start : start + 1024], 0, 0, 0, deaf=False) is Sound.NOISE for start in range(0, len(pcm), 1024)
    )


def _heard(noise: np.ndarray, level_dbfs: float, tokens: int) -> int:
    """Count the faint tokens that are read, at places spread over the noise."""
    heard = 0
    for number in range(tokens):
        payload = np.random.default_rng([3, number]).bytes(16)
        token = modulate(payload, RATE).astype(float)
        token *= 10 ** (FAINT_DBFS / 20) / np.sqrt(np.mean(token**2))
        begin = (1 + number * (SECONDS - 3) // max(1, tokens)) * RATE
        around = noise[begin - RATE // 2 : begin + 2 * RATE] * 10 ** (level_dbfs / 20)
        around = around.copy()
        around[RATE // 2 : RATE // 2 + len(token)] += token
        receiver = open_receiver(RATE)
        heard += payload in [*receiver.feed(_pcm(around, 0.0)), *receiver.flush()]
        receiver.close()
    return heard


def _pcm(samples: np.ndarray, level_dbfs: float) -> np.ndarray:
    return np.clip(np.rint(samples * 10 ** (level_dbfs / 20) * 32768), -32768, 32767).astype(np.int16)


def _vacuum_cleaner(count: int, rng: np.random.Generator) -> np.ndarray:
    """Air, falling by 4 dB an octave, and a motor at 317 Hz with its harmonics."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    air = np.fft.irfft(spectrum * (np.maximum(hertz, 100) / 100) ** (-4 / 6.02), count)
    seconds = np.arange(count) / RATE
    motor = sum(np.sin(2 * np.pi * 317 * k * seconds + k) / k for k in range(1, 12))
    return np.asarray(air / np.std(air) + 0.5 * np.asarray(motor))


def _fire_alarm(count: int, _rng: np.random.Generator) -> np.ndarray:
    """The sweep of a sounder with its harmonics: 800 to 970 Hz, once a second."""
    phase = 2 * np.pi * np.cumsum(800 + 170 * (np.arange(count) / RATE % 1.0)) / RATE
    return np.asarray(sum(np.sin(k * phase) / k for k in range(1, 9)))


def _song(count: int, rng: np.random.Generator) -> np.ndarray:
    """Chords of four notes with harmonics, and a drum, twice a second."""
    seconds, parts = np.arange(RATE // 2) / RATE, []
    for _ in range(-(-count // len(seconds))):
        notes = 220 * 2 ** (rng.choice(24, 4) / 12)
        chord = sum(np.sin(2 * np.pi * note * k * seconds) / k**2 for note in notes for k in range(1, 9))
        drum = 0.5 * rng.standard_normal(len(seconds)) * np.exp(-40 * seconds)
        parts.append(np.asarray(chord) * np.exp(-2 * seconds) + drum)
    return np.concatenate(parts)[:count]


SOUNDS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    **NOISES,
    "vacuum cleaner": _vacuum_cleaner,
    "fire alarm": _fire_alarm,
    "song": _song,
}


if __name__ == "__main__":
    sys.exit(main())
