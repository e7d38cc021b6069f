from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.waveform.resample import Resampler


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 48_000), (16_000, 48_000), (96_000, 48_000), (48_000, 44_100)])
@pytest.mark.parametrize("piece", [1, 7, 441, 100_000])
def test_tone_keeps_its_pitch_and_phase_at_another_rate(from_hz, to_hz, piece):
    seconds = 0.1
    tone = np.sin(2 * np.pi * 3000 * np.arange(round(from_hz * seconds)) / from_hz)
    resampler = Resampler(from_hz, to_hz)
    pieces = [resampler.push(tone[start : start + piece]) for start in range(0, len(tone), piece)]
    output = np.concatenate([*pieces, resampler.flush()])
    assert len(output) == round(to_hz * seconds)
    expected = np.sin(2 * np.pi * 3000 * np.arange(len(output)) / to_hz)
    assert np.abs(output - expected)[100:-100].max() < 1e-3


def test_tone_above_the_new_band_is_filtered_out():
    tone = np.sin(2 * np.pi * 30_000 * np.arange(96_000) / 96_000)
    assert np.abs(Resampler(96_000, 48_000).push(tone)[100:]).max() < 0.01


@given(st.lists(st.integers(0, 3000), max_size=20))
@settings(max_examples=30, deadline=None)
def test_pieces_of_any_length_give_the_same_stream(lengths):
    noise = np.random.default_rng(3).normal(0, 1, sum(lengths)).astype(np.float32)
    whole, torn = Resampler(44_100, 48_000), Resampler(44_100, 48_000)
    expected = whole.push(noise)
    pieces = [torn.push(piece) for piece in np.split(noise, np.cumsum(lengths))]
    np.testing.assert_allclose(np.concatenate([*pieces, torn.push(noise[:0])]), expected, atol=1e-5)
