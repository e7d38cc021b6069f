"""The sound section of the technician's page, with simulated microphones and real sound."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.config import DeviceSettings
from device.devices import Devices
from device.drivers.simulated.bench import Bench
from device.ears import Ears
from device.listening import SoundSection
from device.ports import Health, HealthState, Reading
from protocol.waveform import GGWAVE, TILLWAVE, modulate, modulate_short

TOKEN = bytes(range(200, 216))
PATIENCE_S = 20.0


def wait_until(true: Callable[[], Any]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not (held := true()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(held)


class Counter:
    """Devices with one microphone and one loudspeaker on a bench."""

    def __init__(self, folder: Path, waveforms: tuple[str, ...] = (TILLWAVE,), **options: Any) -> None:
        self.read: list[Reading] = []
        self.healths: dict[str, Health] = {}
        bench = {"bench": str(folder)}
        self.devices = Devices(
            (
                DeviceSettings(kind="microphone", name="ear", driver="simulated", options=bench | options),
                DeviceSettings(kind="speaker", name="mouth", driver="simulated", options=bench),
            ),
            read=self.read.append,
            pressed=lambda: None,
            tampered=lambda _open: None,
            health=self.healths.__setitem__,
            waveforms=waveforms,
        )
        self.bench = Bench(folder)
        self.section = SoundSection(self.devices.ears, self.devices.speakers)

    @property
    def ear(self) -> Ears:
        return self.devices.ears[0]

    def figures(self) -> dict[str, Any]:
        return self.section.figures()["microphones"][0]


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    made = Counter(tmp_path)
    made.ear.start()
    yield made
    made.ear.stop()


def test_nothing_is_measured_while_nobody_looks(counter: Counter) -> None:
    assert wait_until(lambda: counter.figures()["rate_hz"])
    assert counter.figures()["levels"] is None
    with counter.section.watched():
        with counter.section.watched():
            assert wait_until(lambda: counter.figures()["levels"])
        assert counter.ear._meter is not None
        assert counter.figures()["levels"]["rms_dbfs"] < -50
    assert counter.ear._meter is None


def test_last_token_is_told_without_what_it_said(counter: Counter) -> None:
    assert wait_until(lambda: counter.figures()["rate_hz"])
    assert counter.figures()["last"] is None
    counter.bench.play_samples(modulate_short(TOKEN, 48_000), 48_000, microphone="ear", volume=0.5)
    assert wait_until(lambda: counter.figures()["heard"] == 1)
    last = counter.figures()["last"]
    assert (last["waveform"], last["form"], last["band"]) == (TILLWAVE, "short", "audible")
    assert last["snr_db"] > 5
    assert abs(last["clock_ppm"]) < 200
    assert 0 <= last["ago_s"] < PATIENCE_S
    shown = json.dumps(counter.section.figures())
    for secret in (TOKEN.hex(), TOKEN.decode("latin-1"), str(list(TOKEN))):
        assert secret not in shown
    assert repr(TOKEN) not in repr(counter.ear.earshot())


def test_sound_that_is_too_loud_is_said(counter: Counter) -> None:
    with counter.section.watched():
        loud = np.tile(modulate(TOKEN, 48_000), 5)  # long enough for whoever looks seldom
        counter.bench.play_samples(loud, 48_000, microphone="ear", volume=5.0)
        assert wait_until(lambda: (counter.figures()["levels"] or {}).get("clipped"))


def test_unplugged_microphone_shows_no_old_level(counter: Counter) -> None:
    with counter.section.watched():
        assert wait_until(lambda: counter.figures()["levels"])
        counter.bench.unplug("microphone", "ear")
        assert wait_until(lambda: counter.figures()["levels"] is None)


def test_loudspeakers_are_listed(counter: Counter) -> None:
    assert counter.section.figures()["speakers"] == [{"name": "mouth", "state": "stopped", "underruns": 0}]


def test_missing_library_of_a_second_waveform_is_said_and_the_first_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ggwave", None)  # as on a machine without the package
    counter = Counter(tmp_path, (TILLWAVE, GGWAVE))
    counter.ear.start()
    try:
        assert wait_until(lambda: "ear GGWAVE" in counter.healths)
        trouble = counter.healths["ear GGWAVE"]
        assert trouble.state is HealthState.FAILED
        assert 'pip install "tillwave[sound]"' in trouble.detail
        counter.bench.play_samples(modulate_short(TOKEN, 48_000), 48_000, microphone="ear", volume=0.5)
        assert wait_until(lambda: counter.read)
        assert counter.read[0].raw == TOKEN
    finally:
        counter.ear.stop()


def test_second_waveform_is_heard_when_it_is_switched_on(tmp_path: Path) -> None:
    pytest.importorskip("ggwave", reason="the optional package ggwave is not installed")
    from protocol.waveform import ggwave_wave  # noqa: PLC0415 - needs the package

    counter = Counter(tmp_path, (TILLWAVE, GGWAVE))
    counter.ear.start()
    try:
        assert wait_until(lambda: counter.figures()["rate_hz"])
        counter.bench.play_samples(ggwave_wave.modulate(TOKEN, 48_000), 48_000, microphone="ear", volume=0.5)
        assert wait_until(lambda: counter.read)
        assert (counter.read[0].symbology, counter.read[0].raw) == (GGWAVE, TOKEN)
        assert counter.figures()["last"]["waveform"] == GGWAVE
        assert counter.figures()["last"]["snr_db"] is None
        assert "ear GGWAVE" not in counter.healths
    finally:
        counter.ear.stop()


def test_rate_that_carries_no_token_is_said(tmp_path: Path) -> None:
    counter = Counter(tmp_path, rate_hz=8000)
    counter.ear.start()
    try:
        assert wait_until(lambda: "ear TILLWAVE" in counter.healths)
        assert "16000 to 192000 samples a second" in counter.healths["ear TILLWAVE"].detail
        assert wait_until(lambda: counter.figures()["rate_hz"] == 8000)
    finally:
        counter.ear.stop()
