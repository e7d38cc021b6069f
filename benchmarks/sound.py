"""How many tokens of sound arrive: the figures of the README, on a slim model of a shop.

    python benchmarks/sound.py --tokens 100
    python benchmarks/sound.py --tokens 200 --cell short --cell normal --ggwave
    python benchmarks/sound.py --idle-minutes 10

The model needs numpy alone: a loudspeaker (limits of bass and treble, random peaks), a room (a direct path and decaying
noise of half its energy), noise (white, pink, music, beeps, knocks, babble: 24 random talkers with pitch, formants and
syllables), a clock offset, muted ends, gain control, a second phone, quantisation. The signal-to-noise ratio is mean
power over mean power, 0 to 24 kHz.

A benchmark with image-source rooms and spoken words gives other figures: babble here has less low-frequency energy than
real speech, and rooms are more diffuse. Compare waveforms within one run of one model.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from benchmarks.noises import NOISES, RATE
from protocol.waveform import GGWAVE, modulate, modulate_high, modulate_long, modulate_short, open_receiver
from protocol.waveform.resample import Resampler


@dataclass(frozen=True, slots=True)
class Cell:
    """One operating point."""

    name: str
    form: str = "normal"
    payload_bytes: int = 16
    noise: str = "babble"
    snr_db: float = 15.0
    rt60_s: float = 0.3
    clock_ppm: float = 0.0
    head_cut_s: float = 0.0
    tail_cut_s: float = 0.0
    second_phone_db: float | None = None
    level_dbfs: float = -20.0
    clip_dbfs: float = 0.0
    has_gain_control: bool = False
    playback_hz: int = RATE
    capture_hz: int = RATE
    chunk: int = 1024


CELLS = (
    Cell("normal, babble -15 dB", snr_db=-15, rt60_s=0.6),
    Cell("normal, babble -20 dB", snr_db=-20, rt60_s=0.6),
    Cell("short, babble -12 dB", "short", snr_db=-12, rt60_s=0.6),
    Cell("short, babble -15 dB", "short", snr_db=-15, rt60_s=0.6),
    Cell("long 160 bytes, babble +5 dB", "long", 160, snr_db=5),
    Cell("long 160 bytes, babble 0 dB", "long", 160, snr_db=0),
    Cell("high band, pink 0 dB", "high", noise="pink", snr_db=0),
    Cell("clock +1000 ppm", clock_ppm=1000),
    Cell("clock -1000 ppm", clock_ppm=-1000),
    Cell("moved at 0.3 m/s", clock_ppm=875),
    Cell("head cut 150 ms", head_cut_s=0.15),
    Cell("tail cut 50 ms", tail_cut_s=0.05),
    Cell("-70 dBFS", level_dbfs=-70),
    Cell("clipped by 6 dB", level_dbfs=-6, clip_dbfs=-12),
    Cell("gain control", has_gain_control=True),
    Cell("played at 44.1 kHz", playback_hz=44_100),
    Cell("second phone 0 dB", second_phone_db=0),
    Cell("captured at 16 kHz", capture_hz=16_000, chunk=341),
    Cell("chunks of 4800", chunk=4800),
)
FORMS = {"normal": modulate, "short": modulate_short, "long": modulate_long, "high": modulate_high}


class Hearing(Protocol):
    """What is needed of a receiver."""

    def feed(self, pcm: np.ndarray) -> list[bytes]:
        """Give the payloads that are complete."""

    def close(self) -> None:
        """Give everything back."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What the microphone delivered."""

    pcm: np.ndarray
    end: int
    """Just after the last sample of the token's direct path."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A waveform that is measured."""

    name: str
    modulate: Callable[[bytes, str, int], np.ndarray]
    open: Callable[[int], Hearing]


@dataclass(slots=True)
class Tally:
    """What became of the tokens of a cell."""

    tokens: int = 0
    ok: int = 0
    second: int = 0
    wrong: int = 0
    repeated: int = 0
    audio_s: float = 0.0
    cpu_s: float = 0.0
    longest_feed_ms: float = 0.0
    latency_ms: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float | int | None]:
        """Give the figures."""
        return {
            "n": self.tokens,
            "ok": self.ok,
            "second": self.second,
            "wrong": self.wrong,
            "repeated": self.repeated,
            "latency_ms": round(float(np.median(self.latency_ms)), 1) if self.latency_ms else None,
            "longest_feed_ms": round(self.longest_feed_ms, 1),
            "cpu_s_per_s": round(self.cpu_s / max(self.audio_s, 1e-9), 4),
        }


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print a table or a JSON object a line."""
    options = _options(arguments)
    contenders = [_own()] + ([_ggwave()] if options.ggwave else [])
    if options.idle_minutes:
        rows = _idle(contenders, options.idle_minutes)
    else:
        wanted = [cell for cell in CELLS if not options.cell or any(part in cell.name for part in options.cell)]
        rows = (
            {"waveform": each.name, "cell": cell.name, **measure(each, cell, options.tokens).row()}
            for cell in wanted
            for each in contenders
            if each.name == "tillwave" or cell.form == "normal"
        )
    _print(rows, as_json=options.json)
    return 0


def measure(contender: Contender, cell: Cell, tokens: int) -> Tally:
    """Send tokens through the model; token i is the same for all."""
    tally = Tally()
    for seed in range(tokens):
        rng = np.random.default_rng([20, seed])
        payload, other = rng.bytes(cell.payload_bytes), rng.bytes(cell.payload_bytes)
        second = _played(contender, other, cell) if cell.second_phone_db is not None else None
        capture = simulate(_played(contender, payload, cell), second, cell, rng)
        _listen(contender.open(cell.capture_hz), capture, (payload, other), cell, tally)
    return tally


def _played(contender: Contender, payload: bytes, cell: Cell) -> np.ndarray:
    token = contender.modulate(payload, cell.form, cell.playback_hz)
    return Resampler(cell.playback_hz, RATE).push(token).astype(float)


def _listen(receiver: Hearing, capture: Capture, sent: tuple[bytes, bytes], cell: Cell, tally: Tally) -> None:
    payload, other = sent
    heard: list[bytes] = []
    for start in range(0, len(capture.pcm), cell.chunk):
        began = time.process_time()
        got = receiver.feed(capture.pcm[start : start + cell.chunk])
        spent = time.process_time() - began
        tally.cpu_s += spent
        if payload in got and payload not in heard:
            tally.latency_ms.append((min(start + cell.chunk, len(capture.pcm)) - capture.end) / cell.capture_hz * 1000)
        if got:
            tally.longest_feed_ms = max(tally.longest_feed_ms, 1000 * spent)
        heard += got
    receiver.close()
    tally.tokens += 1
    tally.ok += payload in heard
    tally.second += cell.second_phone_db is not None and other in heard
    tally.wrong += any(each not in sent for each in heard)
    tally.repeated += heard.count(payload) > 1
    tally.audio_s += len(capture.pcm) / cell.capture_hz


# ------------------------------------------------------------------------------------------------------------ the model
def simulate(token: np.ndarray, second: np.ndarray | None, cell: Cell, rng: np.random.Generator) -> Capture:
    """Give what the microphone delivers."""
    lead = int(rng.uniform(0.4, 1.0) * RATE)
    ppm = cell.clock_ppm + rng.uniform(-40, 40)
    length = round(len(token) * (1 + ppm * 1e-6))
    mix = np.zeros(lead + length + int(0.6 * RATE))
    add(mix, through(token, cell, ppm, rng), lead)
    if second is not None and cell.second_phone_db is not None:
        offset = lead + int(rng.uniform(-0.6, 0.6) * length)
        add(mix, through(second, cell, rng.uniform(-40, 40), rng) * 10 ** (cell.second_phone_db / 20), max(0, offset))
    mix += NOISES[cell.noise](len(mix), rng) * 10 ** (-cell.snr_db / 20)
    if cell.has_gain_control:
        mix = _levelled(mix)
    limit = 10 ** (cell.clip_dbfs / 20)
    mix = np.clip(mix * 10 ** (cell.level_dbfs / 20), -limit, limit)
    if cell.capture_hz != RATE:
        mix = Resampler(RATE, cell.capture_hz).push(mix)
    end = round((lead + length) * cell.capture_hz / RATE)
    return Capture(np.clip(np.rint(mix * 32768), -32768, 32767).astype(np.int16), end)


def _levelled(samples: np.ndarray) -> np.ndarray:
    """Follow the level as a phone's or sound card's gain control does: down in 10 ms, up in 300 ms."""
    block = RATE // 100
    levels = np.sqrt(np.mean(samples[: len(samples) // block * block].reshape(-1, block) ** 2, axis=1))
    held, heard = np.empty_like(levels), levels[0]
    for place, level in enumerate(levels):
        heard = level if level > heard else heard + (level - heard) / 30
        held[place] = heard
    return samples / np.interp(np.arange(len(samples)), np.arange(len(held)) * block, held)


def through(token: np.ndarray, cell: Cell, ppm: float, rng: np.random.Generator) -> np.ndarray:
    """Muted ends, soft clipping, clock, loudspeaker, room; mean power 1 over the air time."""
    samples = np.tanh(token / np.abs(token).max()) / np.tanh(1)
    samples[: int(cell.head_cut_s * RATE)] = 0
    samples[len(samples) - int(cell.tail_cut_s * RATE) :] = 0
    samples = _stretched(samples, 1 + ppm * 1e-6)
    length = len(samples)
    response = _convolved(_loudspeaker(rng), _room(cell.rt60_s, rng))
    samples = _convolved(samples, response)
    return samples / np.sqrt(np.mean(samples[:length] ** 2))


def _stretched(samples: np.ndarray, ratio: float) -> np.ndarray:
    """Read a four times denser copy between its samples."""
    size = 1 << (len(samples) + 64).bit_length()
    dense = np.fft.irfft(np.fft.rfft(samples, size), 4 * size) * 4
    places = np.arange(round(len(samples) * ratio)) * (4 / ratio)
    below = places.astype(np.int64)
    part = places - below
    before, here, after, beyond = (dense[below + step] for step in (-1, 0, 1, 2))
    bend = 3 * (here - after) + beyond - before
    slope = 2 * before - 5 * here + 4 * after - beyond
    return here + 0.5 * part * (after - before + part * (slope + part * bend))


def _loudspeaker(rng: np.random.Generator) -> np.ndarray:
    """Give 1024 taps: bass from 450 to 900 Hz on, treble to 15 to 19 kHz, six peaks or dips."""
    hertz = np.fft.rfftfreq(1024, 1 / RATE)
    gain = 1 / np.sqrt(1 + (rng.uniform(450, 900) / np.maximum(hertz, 1)) ** 4)
    gain /= np.sqrt(1 + (hertz / rng.uniform(15_000, 19_000)) ** 12)
    for _ in range(6):
        centre, width = np.exp(rng.uniform(np.log(700), np.log(17_000))), rng.uniform(0.15, 0.6)
        gain *= 10 ** (rng.uniform(-6, 5) / 20 / (1 + ((hertz - centre) / (width * centre)) ** 2))
    return np.roll(np.fft.irfft(gain), 200)


def _room(rt60_s: float, rng: np.random.Generator) -> np.ndarray:
    """Give a direct path, and decaying noise of half its energy from 2 ms on."""
    seconds = np.arange(int(rt60_s * RATE)) / RATE
    tail = rng.standard_normal(len(seconds)) * 10 ** (-3 * seconds / rt60_s) * (seconds > 0.002)
    tail *= np.sqrt(0.5 / np.sum(tail**2))
    tail[0] = 1
    return tail


def _convolved(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    length = len(first) + len(second) - 1
    size = 1 << length.bit_length()
    return np.fft.irfft(np.fft.rfft(first, size) * np.fft.rfft(second, size), size)[:length]


def add(target: np.ndarray, samples: np.ndarray, start: int) -> None:
    """Add samples from a place on; what reaches beyond the end is left out."""
    count = min(len(samples), len(target) - start)
    target[start : start + count] += samples[:count]


# ----------------------------------------------------------------------------------------- contenders and output
def _idle(contenders: list[Contender], minutes: float) -> Iterator[dict[str, float | str]]:
    """Noise alone: what is delivered though nobody sends, and what listening costs."""
    for contender in contenders:
        for kind, make in NOISES.items():
            receiver, rng, delivered, spent, heard_s = contender.open(RATE), np.random.default_rng(5), 0, 0.0, 0.0
            while heard_s < 60 * minutes:
                sound = np.clip(make(10 * RATE, rng) * 10 ** rng.uniform(-2.25, -0.6) * 32768, -32768, 32767)
                began = time.process_time()
                for start in range(0, len(sound), 1024):
                    delivered += len(receiver.feed(sound[start : start + 1024].astype(np.int16)))
                spent += time.process_time() - began
                heard_s += 10
            receiver.close()
            yield {
                "waveform": contender.name,
                "noise": kind,
                "minutes": round(heard_s / 60, 1),
                "delivered": delivered,
                "cpu_s_per_s": round(spent / heard_s, 4),
            }


def _own() -> Contender:
    return Contender("tillwave", lambda payload, form, rate: FORMS[form](payload, rate), open_receiver)


def _ggwave() -> Contender:
    from protocol.waveform import ggwave_wave  # noqa: PLC0415 - only when asked for

    return Contender(
        "ggwave",
        lambda payload, _form, rate: ggwave_wave.modulate(payload, rate),
        lambda rate: open_receiver(rate, GGWAVE),
    )


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=50, help="per cell")
    parser.add_argument("--cell", action="append", metavar="TEXT", help="only cells whose name holds this; repeatable")
    parser.add_argument("--ggwave", action="store_true", help="measure ggwave too, in the cells of normal tokens")
    parser.add_argument("--idle-minutes", type=float, default=0, metavar="N", help="listen to N minutes of each noise")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _print(rows: Iterable[dict[str, object]], *, as_json: bool) -> None:
    titled = False
    for row in rows:
        if as_json:
            print(json.dumps(row), flush=True)
            continue
        if not titled:
            print("  ".join(f"{name:>{_width(name)}}" for name in row))
            titled = True
        cells = [f"{'' if value is None else value!s:>{_width(name)}}" for name, value in row.items()]
        print("  ".join(cells), flush=True)


def _width(name: str) -> int:
    return 30 if name == "cell" else max(len(name), 8)


if __name__ == "__main__":
    sys.exit(main())
