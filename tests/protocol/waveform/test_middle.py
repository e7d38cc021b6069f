"""Medians agree with numpy's."""

import numpy as np
import pytest

from protocol.waveform.middle import median, median_of, median_where


@pytest.mark.parametrize("shape", [(8, 384), (7, 5), (1, 3), (2, 2)])
@pytest.mark.parametrize("axis", [0, 1])
def test_median_is_that_of_numpy(shape: tuple[int, int], axis: int) -> None:
    values = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    middles = median(values, axis)
    assert middles.dtype == np.float32
    assert np.array_equal(middles, np.median(values, axis=axis))
    assert median_of(values) == float(np.median(values))


@pytest.mark.parametrize("axis", [0, 1])
def test_unknown_values_do_not_count(axis: int) -> None:
    random = np.random.default_rng(2)
    values = random.standard_normal((18, 384)).astype(np.float32)
    known = random.random(values.shape) < 0.4
    expected = np.nanmedian(np.where(known, values, np.nan), axis=axis)
    assert np.array_equal(median_where(values, known, axis), expected)
