"""The real microphone and loudspeaker drivers on a sound card whose second device hears its first one."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from device.drivers.registry import make_driver
from device.ports import HealthState

RATE_HZ = 48_000


class Ear:
    """All that the microphone has delivered."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.rate_hz = 0
        self.changed = threading.Condition()

    def hear(self, samples) -> None:
        with self.changed:
            self.pieces.append(samples.pcm)
            self.rate_hz = samples.rate_hz
            self.changed.notify_all()

    def sound(self) -> np.ndarray:
        with self.changed:
            return np.frombuffer(b"".join(self.pieces), "<i2").astype(float)

    def wait_for(self, seconds: float) -> None:
        deadline = time.monotonic() + 120
        with self.changed:
            while sum(map(len, self.pieces)) / 2 < seconds * (self.rate_hz or RATE_HZ):
                assert self.changed.wait(deadline - time.monotonic()), "the microphone hears nothing"


@pytest.fixture
def ear():
    ear = Ear()
    microphone = make_driver("microphone", "sounddevice", "ear", {"device": "hw:0,1"})
    microphone.listen(ear.hear)
    microphone.start()
    yield ear
    assert microphone.health.state is HealthState.WORKING, microphone.health
    microphone.stop()


@pytest.fixture
def speaker():
    speaker = make_driver("speaker", "sounddevice", "mouth", {"device": "hw:0,0", "volume": 0.5})
    speaker.start()
    yield speaker
    speaker.stop()


def test_microphone_hears_what_the_loudspeaker_plays(ear, speaker):
    ear.wait_for(0.5)
    tone = np.sin(2 * np.pi * 1875 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    before = len(ear.sound())
    speaker.play(tone, RATE_HZ)
    deadline = time.monotonic() + 120
    while (loud := np.abs(ear.sound()[before:]) > 3000).sum() < RATE_HZ // 4:
        assert time.monotonic() < deadline, f"{loud.sum()} loud samples"
        time.sleep(0.5)
    heard = ear.sound()[before:]
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert abs(spectrum.argmax() * ear.rate_hz / len(heard) - 1875) < 20
