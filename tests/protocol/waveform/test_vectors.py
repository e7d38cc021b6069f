"""The vectors of docs/waveform.md: what any other modulator has to give."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from protocol.waveform.convolution import code_of, encode
from protocol.waveform.forms import BANDS, FORMS, Direction
from protocol.waveform.frame import frame_bits
from protocol.waveform.layout import layout
from protocol.waveform.modulator import cells, token

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())


def _named(values, name):
    return next(value for value in values if value.name == name)


def described(payload: bytes, form, band, direction: Direction) -> dict[str, object]:
    """Give the steps from a payload to its sound."""
    bits = frame_bits(payload, form, direction)
    coded = encode(bits, code_of(form))
    filled = cells(coded, layout(band, direction, form), len(payload))
    quarters = np.rint(4 * np.angle(filled) / np.pi).astype(int) % 8
    samples = token(payload, form, band, direction)
    return {
        "payload": payload.hex(),
        "form": form.name,
        "band": band.name,
        "direction": direction.name,
        "check": np.packbits(bits)[-4:].tobytes().hex(),
        "coded_bits": len(coded),
        "coded_sha256": hashlib.sha256(np.packbits(coded).tobytes()).hexdigest(),
        "eighth_turns_sha256": hashlib.sha256(quarters.astype(np.uint8).tobytes()).hexdigest(),
        "samples": len(samples),
        "sample_100_to_107": [round(float(sample), 6) for sample in samples[100:108]],
        "middle_8": [round(float(sample), 6) for sample in samples[len(samples) // 2 : len(samples) // 2 + 8]],
        "energy": round(float(np.sum(samples**2)), 3),
    }


@pytest.mark.parametrize(
    "vector", VECTORS, ids=lambda vector: f"{vector['form']}-{vector['band']}-{vector['direction']}"
)
def test_every_step_is_the_one_of_the_vector(vector):
    payload = bytes.fromhex(vector["payload"])
    made = described(
        payload, _named(FORMS, vector["form"]), _named(BANDS, vector["band"]), Direction[vector["direction"]]
    )
    for step, expected in vector.items():
        assert made[step] == pytest.approx(expected, abs=2e-6 if step != "energy" else 1e-2), step
