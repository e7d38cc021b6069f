"""What the receiver makes of hard, wrong and hostile sound."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from protocol.waveform import modulator
from protocol.waveform.convolution import code_of, encode
from protocol.waveform.forms import AUDIBLE, FORMS, HIGH, LONG, NORMAL, SHORT, Direction
from protocol.waveform.frame import frame_bits, payload_of
from protocol.waveform.layout import layout
from protocol.waveform.modulator import cells, sound, token
from protocol.waveform.receiver import TokenReceiver

RATE = 48_000
PAYLOAD = bytes(range(100, 116))
OTHER = bytes(range(116, 100, -1))


def made(payload: bytes = PAYLOAD, form=NORMAL, band=AUDIBLE) -> np.ndarray:
    return token(payload, form, band, Direction.TOKEN)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE))


def pcm(*parts: np.ndarray, level: float = 0.3) -> np.ndarray:
    return (np.clip(np.concatenate(parts) * level, -1, 1) * 32767).astype(np.int16)


def heard(samples: np.ndarray, chunk: int = 960) -> list[bytes]:
    receiver = TokenReceiver(RATE)
    pieces = [samples[start : start + chunk] for start in range(0, len(samples), chunk)]
    return [payload for piece in pieces for payload in receiver.feed(piece)]


def noisy(samples: np.ndarray, snr_db: float, seed: int) -> np.ndarray:
    """White noise; the level is relative to the token's mean power over the whole band, 0 to 24 kHz."""
    power = np.mean(made() ** 2) / 10 ** (snr_db / 10)
    return samples + np.random.default_rng(seed).normal(0, np.sqrt(power), len(samples))


@pytest.mark.parametrize(("form", "snr_db"), [(SHORT, -13), (NORMAL, -16)])
def test_tokens_far_below_the_noise_are_heard(form, snr_db):
    for seed in range(5):
        payload = np.random.default_rng(seed).bytes(16)
        sound = noisy(np.concatenate([quiet(0.5), made(payload, form), quiet(0.3)]), snr_db, seed)
        assert heard(pcm(sound, level=0.03)) == [payload]


@pytest.mark.parametrize("stretch", [-1500e-6, -1000e-6, 300e-6, 1000e-6, 1500e-6])
@pytest.mark.parametrize("band", [AUDIBLE, HIGH])
def test_clock_that_is_off_and_phone_that_is_moved(stretch, band):
    sent = np.concatenate([quiet(0.3), made(band=band), quiet(0.5)])
    dense = np.fft.irfft(np.fft.rfft(sent, 1 << 17), 1 << 20)[: 8 * len(sent)] * 8
    places = np.arange(len(sent)) * 8 / (1 + stretch)
    assert heard(pcm(np.interp(places, np.arange(len(dense)), dense))) == [PAYLOAD]


@pytest.mark.parametrize(("head_s", "tail_s"), [(0.15, 0), (0, 0.05), (0.15, 0.05), (0.4, 0)])
def test_token_whose_ends_the_phone_swallowed_is_heard(head_s, tail_s):
    cut = made()
    cut[: int(head_s * RATE)] = 0
    cut[len(cut) - int(tail_s * RATE) :] = 0
    assert heard(pcm(quiet(0.2), cut, quiet(0.3))) == [PAYLOAD]


@pytest.mark.parametrize("offset_s", [0.02, 0.1, 0.45, 0.8, 0.99])
def test_overlapping_phones_are_both_heard(offset_s):
    first = np.concatenate([quiet(0.2), made(), quiet(1.3)])
    second = np.concatenate([quiet(0.2 + offset_s), made(OTHER), quiet(1.3 - offset_s)])
    assert sorted(heard(pcm(first + second))) == sorted([PAYLOAD, OTHER])


def test_all_forms_and_bands_at_once():
    sent = [
        (np.random.default_rng(form.code).bytes(form.longest), form, band) for form in FORMS for band in (AUDIBLE, HIGH)
    ]
    pieces = [np.concatenate([made(*each), quiet(0.05)]) for each in sent]
    assert sorted(heard(pcm(quiet(0.2), *pieces, quiet(0.3)))) == sorted(payload for payload, _, _ in sent)


def test_what_is_heard_does_not_depend_on_the_chunks():
    sound = noisy(np.concatenate([quiet(0.3), made(), made(OTHER, SHORT), quiet(0.4)]), -8, 3)
    samples = pcm(sound, level=0.1)
    for chunk in (1, 7, 480, 960, 4800, 100_000):
        assert heard(samples, chunk) == [PAYLOAD, OTHER]


def test_dropped_and_repeated_buffers_do_not_harm_the_next_token():
    samples = pcm(quiet(0.3), made(), quiet(0.3))
    torn = np.concatenate([samples[:20_000], samples[24_000:30_000], samples[28_000:]])
    assert set(heard(np.concatenate([torn, pcm(made(OTHER), quiet(0.3))]))) <= {PAYLOAD, OTHER}
    assert OTHER in heard(np.concatenate([torn, pcm(made(OTHER), quiet(0.3))]))


NOTHING = {
    "silence": quiet(4.0),
    "direct current": np.ones(4 * RATE),
    "full-scale noise": np.random.default_rng(1).uniform(-1, 1, 5 * RATE),
    "full-scale square": np.sign(np.sin(2 * np.pi * 3000 * np.arange(3 * RATE) / RATE)),
    "sweeps that are not ours": np.sin(2 * np.pi * np.cumsum(np.tile(np.linspace(1000, 11_000, 9600), 20)) / RATE),
    "clicks": np.bincount(np.arange(0, 4 * RATE, 4801), minlength=4 * RATE).astype(float),
    "alternating extremes": np.tile([1.0, -1.0], 2 * RATE),
}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_is_heard_where_nobody_sends(name):
    receiver = TokenReceiver(RATE)
    assert receiver.feed(pcm(NOTHING[name], level=1.0)) == []
    assert receiver.feed(pcm(quiet(0.5), made(), quiet(0.3))) == [PAYLOAD], "and the receiver still works"


@pytest.mark.parametrize("form", FORMS)
def test_frame_of_another_version_is_not_delivered(form):
    payload = bytes(form.longest)
    assert heard(pcm(quiet(0.2), token(payload, form, AUDIBLE, Direction.TOKEN, version=2), quiet(0.3))) == []


def test_frame_that_says_another_length_is_not_delivered():
    coded = encode(frame_bits(PAYLOAD, NORMAL, Direction.TOKEN), code_of(NORMAL))
    for told in (8, 15, 17, 64):
        filled = cells(coded, layout(AUDIBLE, Direction.TOKEN, NORMAL), told)
        assert heard(pcm(quiet(0.2), sound(filled, AUDIBLE, Direction.TOKEN), quiet(0.3))) == []


def test_frame_of_another_form_or_direction_fails_its_check():
    for form, direction in ((SHORT, Direction.TOKEN), (NORMAL, Direction.CHALLENGE)):
        assert payload_of(frame_bits(PAYLOAD, form, direction), NORMAL, Direction.TOKEN) is None
    assert payload_of(frame_bits(PAYLOAD, NORMAL, Direction.TOKEN), NORMAL, Direction.TOKEN) == PAYLOAD
    assert payload_of(frame_bits(bytes(65), LONG, Direction.TOKEN), LONG, Direction.TOKEN) == bytes(65)


def test_flood_of_preambles_is_bounded_in_time_and_memory():
    single = modulator.preamble(AUDIBLE, Direction.TOKEN)
    rng = np.random.default_rng(8)
    flood = pcm(*[piece for _ in range(60) for piece in (single, quiet(rng.uniform(0, 0.03)))])
    receiver = TokenReceiver(RATE)
    assert receiver.feed(flood) == []
    tracemalloc.start()
    try:
        started = time.process_time()
        for _ in range(3):
            assert receiver.feed(flood) == []
        spent = time.process_time() - started
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert spent < 3 * len(flood) / RATE, "it keeps up with the sound"
    assert kept < 2_000_000
    assert peak < 40_000_000
    assert receiver.feed(pcm(quiet(3.0), made(), quiet(0.3))) == [PAYLOAD], "and the budget fills up again"


def test_flood_of_headless_tokens_is_bounded():
    """Preambles and pilots of real tokens with data that never check."""
    tokens = [token(np.random.default_rng(n).bytes(64), NORMAL, AUDIBLE, Direction.TOKEN, version=9) for n in range(6)]
    samples = pcm(*tokens)
    receiver = TokenReceiver(RATE)
    started = time.process_time()
    assert receiver.feed(samples) == []
    assert time.process_time() - started < len(samples) / RATE, "it keeps up with the sound"


def test_receiver_tells_how_well_it_heard():
    told = []
    for snr_db in (20, 0):
        receiver = TokenReceiver(RATE)
        receiver.feed(pcm(noisy(np.concatenate([quiet(0.3), made(), quiet(0.3)]), snr_db, 1), level=0.1))
        told.append(receiver.last.snr_db)
        assert (receiver.last.payload, receiver.last.form, receiver.last.band) == (PAYLOAD, NORMAL, AUDIBLE)
        assert abs(receiver.last.stretch) < 20e-6
        assert str(PAYLOAD) not in repr(receiver.last)
        assert receiver.unread == 0
    # white noise over 24 kHz has 4.3 dB less in the 9 kHz of the band
    assert told[1] == pytest.approx(4.3, abs=1.5)
    assert told[0] > told[1] + 6


def test_receiver_counts_what_it_could_not_read():
    receiver = TokenReceiver(RATE)
    receiver.feed(pcm(quiet(0.3), token(PAYLOAD, NORMAL, AUDIBLE, Direction.TOKEN, version=2), quiet(0.6)))
    assert receiver.unread == 1
    assert receiver.last is None
