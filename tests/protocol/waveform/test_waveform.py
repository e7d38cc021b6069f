"""The waveform as its users see it."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from protocol.waveform import (
    modulate,
    modulate_challenge,
    modulate_high,
    modulate_long,
    modulate_short,
    open_receiver,
)
from protocol.waveform.errors import PayloadLength, SampleRate, UnknownWaveform
from protocol.waveform.forms import Direction
from protocol.waveform.receiver import TokenReceiver

TOKEN = bytes(range(100, 116))
FORMS = {modulate_short: (8, 24), modulate: (8, 64), modulate_long: (65, 192)}


def heard(samples: np.ndarray, rate: int) -> list[bytes]:
    receiver = open_receiver(rate)
    return receiver.feed((samples * 12_000).astype(np.int16)) + receiver.flush()


@pytest.mark.parametrize(("make", "lengths"), FORMS.items())
def test_every_form_is_heard_at_its_ends(make, lengths):
    for length in (*lengths, sum(lengths) // 2):
        payload = os.urandom(length)
        assert heard(make(payload, 48_000), 48_000) == [payload]


@pytest.mark.parametrize("rate", [16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("make", [modulate_short, modulate])
def test_token_is_heard_at_every_rate(make, rate):
    samples = make(TOKEN, rate)
    assert samples.dtype == np.float32
    assert 0.5 < np.abs(samples).max() <= 1.0
    assert heard(samples, rate) == [TOKEN]


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_high_band_is_heard_and_stays_above_fourteen_kilohertz(rate):
    samples = modulate_high(TOKEN, rate)
    assert heard(samples, rate) == [TOKEN]
    power = np.abs(np.fft.rfft(samples)) ** 2
    audible = power[: int(14_000 * len(samples) / rate)].sum()
    assert audible < 1e-4 * power.sum()


def test_forms_last_as_long_as_they_say():
    assert len(modulate_short(bytes(16), 48_000)) <= 24_000
    assert len(modulate(bytes(16), 48_000)) <= 48_000
    assert len(modulate_long(bytes(160), 48_000)) <= 72_000


def test_challenge_is_heard_by_phones_alone():
    challenge = (modulate_challenge(TOKEN, 48_000) * 12_000).astype(np.int16)
    quiet = np.zeros(24_000, np.int16)
    terminal, phone = TokenReceiver(48_000), TokenReceiver(48_000, Direction.CHALLENGE)
    assert terminal.feed(np.concatenate([challenge, quiet])) == []
    assert phone.feed(np.concatenate([challenge, quiet])) == [TOKEN]
    token = (modulate(TOKEN, 48_000) * 12_000).astype(np.int16)
    assert phone.feed(np.concatenate([token, quiet])) == []


@pytest.mark.parametrize(("make", "lengths"), FORMS.items())
def test_payload_that_does_not_fit_is_refused(make, lengths):
    for length in (0, lengths[0] - 1, lengths[1] + 1):
        with pytest.raises(PayloadLength, match=f"{lengths[0]} to {lengths[1]} bytes, not {length}"):
            make(bytes(length), 48_000)


@pytest.mark.parametrize("rate", [0, -1, 8_000, 1_000_000])
def test_rate_that_cannot_carry_the_band_is_refused(rate):
    with pytest.raises(SampleRate, match="16000 to 192000"):
        modulate(TOKEN, rate)
    with pytest.raises(SampleRate):
        open_receiver(rate)
    with pytest.raises(SampleRate):
        modulate_high(TOKEN, 32_000)


def test_unknown_waveform_is_refused():
    with pytest.raises(UnknownWaveform, match="MORSE"):
        open_receiver(48_000, "MORSE")


def test_many_receivers_may_be_open_and_a_closed_one_hears_nothing():
    receivers = [open_receiver(48_000) for _ in range(8)]
    for receiver in receivers:
        receiver.close()
        receiver.close()
    samples = np.concatenate([modulate(TOKEN, 48_000) * 12_000, np.zeros(24_000)]).astype(np.int16)
    assert receivers[0].feed(samples) == []


def test_import_alone_loads_nothing_heavy():
    program = "import sys, protocol.waveform; print([name for name in ('numpy', 'ggwave') if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "[]"
