"""An open receiver is small: it shares a little computer with everything else a terminal does."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from protocol.waveform import modulate, modulate_high, modulate_long, modulate_short

MOST_MB = 12.0
"""Its modules, numpy's Fourier transform and the sound it keeps: 6.4 to 6.7 MB with pages of 4 kB and a usual numpy."""
AS_IN_THE_TERMINAL = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

PROGRAM = """
import ctypes
import sys
import numpy as np

def resident_mb():
    ctypes.CDLL(None).malloc_trim(0)  # else what numpy's import left free hides what the receiver takes
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * __import__("resource").getpagesize() / 1e6

before = resident_mb()
from protocol.waveform import open_receiver
receiver = open_receiver(48_000)
heard = 0
with open(sys.argv[1], "rb") as sound:
    while piece := sound.read(2048):
        heard += len(receiver.feed(np.frombuffer(piece, np.int16)))
print(heard, resident_mb() - before, "numpy.ma" in sys.modules)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux: /proc and glibc's malloc_trim")
def test_a_receiver_that_has_heard_every_form_is_small(tmp_path: Path) -> None:
    tokens = [modulate_short(bytes(16), 48_000), modulate(bytes(64), 48_000)]
    tokens += [modulate_long(bytes(160), 48_000), modulate_high(bytes(32), 48_000)]
    sound = np.concatenate([np.concatenate([token, np.zeros(24_000)]) for token in tokens])
    noisy = 8000 * sound + 1000 * np.random.default_rng(3).standard_normal(len(sound))
    recording = tmp_path / "tokens.s16"
    noisy.astype(np.int16).tofile(recording)
    heard, megabytes, has_masked_arrays = _in_a_new_process(recording)
    assert heard == "4"
    assert float(megabytes) <= MOST_MB
    assert has_masked_arrays == "False"


def _in_a_new_process(recording: Path) -> list[str]:
    command = [sys.executable, "-c", PROGRAM, str(recording)]
    environment = {**os.environ, **AS_IN_THE_TERMINAL}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()
