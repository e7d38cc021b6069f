from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.waveform import GGWAVE
from protocol.waveform import open_receiver as open_any_receiver
from protocol.waveform.errors import (
    PayloadLength,
    SampleRate,
    TooManyReceivers,
    WaveformError,
    WaveformUnavailable,
)
from protocol.waveform.ggwave_frame import seal, unseal
from protocol.waveform.ggwave_wave import modulate

pytest.importorskip("ggwave")

TOKEN = bytes(range(100, 116))


def open_receiver(sample_rate: int):
    return open_any_receiver(sample_rate, GGWAVE)


@given(st.binary(min_size=1, max_size=64))
def test_frame_comes_back(payload):
    assert unseal(seal(payload)) == payload


@given(st.binary(min_size=1, max_size=64), st.data())
def test_frame_with_wrong_bits_is_refused(payload, data):
    frame = bytearray(seal(payload))
    for _ in range(data.draw(st.integers(1, 3))):
        frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    assert unseal(bytes(frame)) in (None, payload)
    if bytes(frame) != seal(payload):
        assert unseal(bytes(frame)) is None


@given(st.binary(max_size=200))
def test_chance_is_not_taken_for_a_frame(noise):
    assert unseal(noise) is None


def test_frame_cannot_be_shortened_or_lengthened():
    frame = seal(TOKEN)
    assert unseal(frame[1:]) is None
    assert unseal(frame[:-1]) is None
    assert unseal(frame + b"\x00") is None


def test_frame_is_the_one_of_the_specification():
    # CRC-32 of 01 03 61 62 63, the polynomial of IEEE 802.3, computed bit by bit
    remainder = 0xFFFFFFFF
    for byte in b"\x01\x03abc":
        remainder ^= byte
        for _ in range(8):
            remainder = (remainder >> 1) ^ (0xEDB88320 if remainder & 1 else 0)
    assert seal(b"abc") == b"abc" + (remainder ^ 0xFFFFFFFF).to_bytes(4, "big")


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("length", [1, 8, 16, 17, 64])
def test_every_length_is_heard_at_every_rate(length, rate):
    payload = os.urandom(length)
    samples = modulate(payload, rate)
    assert samples.dtype == np.float32
    assert 0.8 < np.abs(samples).max() <= 1.0
    receiver = open_receiver(rate)
    try:
        heard = receiver.feed((samples * 20_000).astype(np.int16)) + receiver.flush()
    finally:
        receiver.close()
    assert set(heard) == {payload}


def test_token_of_a_wallet_sounds_for_less_than_one_and_a_half_seconds():
    assert len(modulate(TOKEN, 48_000)) / 48_000 < 1.5


@pytest.mark.parametrize("length", [0, 65, 1000])
def test_payload_that_does_not_fit_is_refused(length):
    with pytest.raises(PayloadLength, match=f"1 to 64 bytes, not {length}"):
        modulate(bytes(length), 48_000)


@pytest.mark.parametrize("rate", [0, -1, 8_000, 1_000_000])
def test_rate_that_cannot_carry_the_tones_is_refused(rate):
    with pytest.raises(SampleRate, match="16000 to 192000"):
        modulate(TOKEN, rate)
    with pytest.raises(SampleRate):
        open_receiver(rate)


def test_third_receiver_is_refused_until_another_is_closed():
    receivers = [open_receiver(48_000), open_receiver(48_000)]
    with pytest.raises(TooManyReceivers, match="close a receiver"):
        open_receiver(48_000)
    with pytest.raises(TooManyReceivers):
        modulate(TOKEN, 48_000)
    for receiver in receivers:
        receiver.close()
        receiver.close()
    assert receivers[0].feed(np.zeros(4096, np.int16)) == []
    assert len(modulate(TOKEN, 48_000)) > 0


def test_forgotten_receivers_give_their_instances_back():
    for _ in range(10):
        open_receiver(48_000)
    open_receiver(48_000).close()


def _in_a_new_process(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip()


def test_missing_library_is_a_sentence_with_the_remedy():
    # None in sys.modules is Python's own way to say that a module cannot be imported
    program = (
        "import sys; sys.modules['ggwave'] = None\n"
        "from protocol.waveform import open_receiver\n"
        "from protocol.waveform.ggwave_wave import modulate\n"
        "from protocol.waveform.errors import WaveformUnavailable\n"
        "for call in (lambda: modulate(bytes(16), 48000), lambda: open_receiver(48000, 'GGWAVE')):\n"
        "    try: call()\n"
        "    except WaveformUnavailable as missing: print(missing.package, 'tillwave[sound]' in str(missing))\n"
    )
    assert _in_a_new_process(program).split("\n") == ["ggwave True"] * 2
    assert issubclass(WaveformUnavailable, (WaveformError, ImportError))
