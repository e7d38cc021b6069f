"""What the ears tell besides tokens, from the samples of a simulated microphone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.decode.disturbance import JammingSettings, Sound
from device.drivers.base import Samples
from device.drivers.simulated.bench import Bench
from device.drivers.simulated.sound import MicrophoneOptions, SimulatedMicrophone
from device.ears import Ears
from device.ports import Reading
from protocol.waveform import modulate

RATE = 48_000
PATIENCE_S = 60.0
TOKEN = bytes(range(16))
LOUD = np.clip(np.random.default_rng(1).standard_normal(RATE) * 0.3, -1, 1)


def wait_until(true: Callable[[], Any]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not (held := true()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(held)


class Listening:
    """Ears at a simulated microphone, and what they said."""

    def __init__(self, folder: Path) -> None:
        self.read: list[Reading] = []
        self.told: list[Sound] = []
        self.microphone = SimulatedMicrophone("mic", MicrophoneOptions(bench=str(folder)))
        self.ears = Ears(
            self.microphone,
            self.read.append,
            tell=lambda _device, sound: self.told.append(sound),
            jamming=JammingSettings(after_s=3),
        )
        self.bench = Bench(folder)


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    made = Listening(tmp_path)
    made.ears.start()
    yield made
    made.ears.stop()


def test_a_token_is_told_before_it_is_read(listening: Listening) -> None:
    listening.bench.play_samples(0.3 * modulate(TOKEN, RATE), RATE)
    assert wait_until(lambda: listening.read)
    assert wait_until(lambda: Sound.OVER in listening.told)
    assert [reading.raw for reading in listening.read] == [TOKEN]
    assert listening.told == [Sound.BEGINS, Sound.OVER]


def test_jamming_ends_with_the_stream_that_was_jammed(tmp_path: Path) -> None:
    """Pieces are put in by hand here: a microphone that comes back with another rate begins anew."""
    listening = Listening(tmp_path)
    microphone = listening.microphone
    listening.ears.start()
    try:
        pcm = np.rint(LOUD * 32_767).astype("<i2").tobytes()
        for _ in range(5):
            microphone._deliver(Samples(pcm, RATE, 0))
        assert wait_until(lambda: Sound.NOISE in listening.told)
        microphone._deliver(Samples(bytes(3_200), 16_000, 0))
        assert wait_until(lambda: Sound.QUIET in listening.told)
    finally:
        listening.ears.stop()


def test_deaf_ears_judge_nothing_and_yet_read_tokens(listening: Listening) -> None:
    listening.ears.deafen(time.monotonic_ns() // 1_000_000 + 3_600_000)
    end_ms = listening.bench.play_samples(np.tile(LOUD, 5), RATE)
    assert wait_until(lambda: time.monotonic_ns() // 1_000_000 > end_ms)
    listening.bench.play_samples(0.3 * modulate(TOKEN, RATE), RATE)
    assert wait_until(lambda: listening.read)
    assert not {Sound.NOISE, Sound.PREAMBLES, Sound.UNCLEAR} & set(listening.told)


def test_ears_that_were_stopped_hear_again(tmp_path: Path) -> None:
    listening = Listening(tmp_path)
    for _ in range(2):
        listening.ears.start()
        listening.bench.play_samples(0.3 * modulate(TOKEN, RATE), RATE)
        assert wait_until(lambda: listening.read)
        listening.ears.stop()
        assert [reading.raw for reading in listening.read] == [TOKEN]
        listening.read.clear()


def test_unexpected_error_does_not_leave_the_terminal_deaf(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read: list[Reading] = []

    def deliver(reading: Reading) -> None:
        read.append(reading)
        if len(read) == 1:
            raise RuntimeError("of a library")

    ears = Ears(SimulatedMicrophone("mic", MicrophoneOptions(bench=str(tmp_path))), deliver)
    ears.start()
    try:
        for token in (TOKEN, TOKEN[::-1]):
            Bench(tmp_path).play_samples(0.3 * modulate(token, RATE), RATE)
            assert wait_until(lambda token=token: token in [reading.raw for reading in read])
    finally:
        ears.stop()
    assert "begins anew" in caplog.text
