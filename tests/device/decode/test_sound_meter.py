from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.decode.sound_meter import SILENCE_DB, WINDOW_S, SoundMeter, levels_of


def tone(hertz: float, amplitude: float, rate_hz: int, seconds: float = 0.5) -> np.ndarray:
    wave = amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate_hz)) / rate_hz)
    return np.clip(np.rint(32_768 * wave), -32_768, 32_767).astype("<i2")


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_tone_is_seen_where_and_as_loud_as_it_is(rate_hz: int) -> None:
    levels = levels_of(tone(3000, 0.1, rate_hz), rate_hz)
    assert levels.peak_dbfs == pytest.approx(-20, abs=0.1)
    assert levels.rms_dbfs == pytest.approx(-23, abs=0.1)
    loudest = int(np.argmax(levels.bands_dbfs))
    assert levels.bands_hz[loudest] / 2 ** (1 / 6) < 3000 < levels.bands_hz[loudest] * 2 ** (1 / 6)
    assert levels.bands_dbfs[loudest] == pytest.approx(-23, abs=0.3)
    assert all(level < -60 for band, level in enumerate(levels.bands_dbfs) if abs(band - loudest) > 1)
    assert not levels.is_clipped


def test_bands_go_as_far_as_the_rate_carries() -> None:
    assert levels_of(tone(1000, 0.1, 48_000), 48_000).bands_hz[-1] == pytest.approx(18_000, rel=0.15)
    assert levels_of(tone(1000, 0.1, 16_000), 16_000).bands_hz[-1] < 8000


def test_bands_of_noise_add_up_to_its_level() -> None:
    noise = np.random.default_rng(1).normal(0, 1000, 24_000)
    levels = levels_of(noise, 48_000)
    together = 10 * np.log10(sum(10 ** (level / 10) for level in levels.bands_dbfs))
    assert together == pytest.approx(levels.rms_dbfs, abs=1.2)  # the bands end before half the rate


def test_sound_at_the_end_of_the_scale_is_clipped() -> None:
    assert levels_of(tone(440, 1.3, 48_000), 48_000).is_clipped
    assert not levels_of(tone(440, 0.98, 48_000), 48_000).is_clipped
    assert levels_of(np.full(4000, -32_768, "<i2"), 48_000).is_clipped


def test_silence_has_the_lowest_level_and_no_warning() -> None:
    levels = levels_of(np.zeros(4800, "<i2"), 48_000)
    assert (levels.peak_dbfs, levels.rms_dbfs, set(levels.bands_dbfs)) == (SILENCE_DB, SILENCE_DB, {SILENCE_DB})


def test_meter_looks_at_the_last_moment_only() -> None:
    meter = SoundMeter()
    assert meter.levels() is None
    meter.take(tone(1000, 0.9, 48_000).tobytes(), 48_000)
    for _ in range(20):
        meter.take(tone(1000, 0.01, 48_000, 0.03).tobytes(), 48_000)
    levels = meter.levels()
    assert levels is not None
    assert levels.peak_dbfs == pytest.approx(-40, abs=0.1)


def test_meter_begins_anew_at_another_rate() -> None:
    meter = SoundMeter()
    meter.take(tone(1000, 0.9, 48_000).tobytes(), 48_000)
    meter.take(tone(1000, 0.1, 16_000, 0.1).tobytes(), 16_000)
    levels = meter.levels()
    assert levels is not None
    assert (levels.rate_hz, levels.peak_dbfs) == (16_000, pytest.approx(-20, abs=0.1))


@given(pieces=st.lists(st.binary(max_size=3000), max_size=40))
def test_any_pieces_are_measured_and_little_is_kept(pieces: list[bytes]) -> None:
    meter = SoundMeter()
    for piece in pieces:
        meter.take(piece, 16_000)
    assert sum(map(len, meter._pieces)) < WINDOW_S * 16_000 + 1500
    levels = meter.levels()
    assert levels is None or SILENCE_DB <= levels.rms_dbfs <= levels.peak_dbfs <= 0
