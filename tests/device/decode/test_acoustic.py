from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.decode.acoustic import AcousticDecoder, HeardToken
from device.ports import Source
from protocol.waveform import GGWAVE, TILLWAVE, ggwave_wave, modulate, modulate_challenge, modulate_long, modulate_short
from protocol.waveform.errors import UnknownWaveform

RATE = 48_000
TOKEN = bytes(range(60, 76))


@pytest.fixture
def decoder():
    with AcousticDecoder(RATE, "ear") as decoder:
        yield decoder


def silence(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.zeros(round(seconds * rate))


def pcm(*parts: np.ndarray, level: float = 0.3) -> np.ndarray:
    return (np.clip(np.concatenate(parts) * level, -1, 1) * 32767).astype(np.int16)


def babble(samples: int, seed: int) -> np.ndarray:
    """Many voices: noise that is loud below 1 kHz, swells and fades with the syllables."""
    generator = np.random.default_rng(seed)
    spectrum = np.fft.rfft(generator.normal(0, 1, samples))
    frequencies = np.fft.rfftfreq(samples, 1 / RATE)
    spectrum *= 1 / np.maximum(1, frequencies / 500)
    voices = np.fft.irfft(spectrum, samples)
    swell = 1 + 0.5 * np.sin(2 * np.pi * 4 * np.arange(samples) / RATE)
    return voices * swell / np.std(voices * swell)


def feed(decoder: AcousticDecoder, sound: np.ndarray, piece: int) -> list[bytes]:
    pieces = (sound[start : start + piece] for start in range(0, len(sound), piece))
    return [token.payload for part in pieces for token in decoder.feed(part)]


@pytest.mark.parametrize("piece", [1, 37, 256, 960, 1024, 4410, 4800, 1_000_000])
def test_token_in_pieces_of_any_length_is_heard_once(decoder, piece):
    sound = pcm(silence(0.1), modulate(TOKEN, RATE), silence(0.3))
    assert feed(decoder, sound, piece) == [TOKEN]


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_bytes_torn_inside_a_sample_are_put_together(rate):
    sound = pcm(silence(0.2, rate), modulate(TOKEN, rate), silence(0.3, rate)).tobytes()
    with AcousticDecoder(rate) as decoder:
        pieces = [sound[start : start + 1001] for start in range(0, len(sound), 1001)]
        assert [token.payload for piece in pieces for token in decoder.feed(piece)] == [TOKEN]


@pytest.mark.parametrize("snr_db", [20, 5, 0])
@pytest.mark.parametrize("kind", ["white", "babble"])
def test_tokens_are_heard_through_the_noise_of_a_shop(decoder, kind, snr_db):
    for seed in range(3):
        payload = np.random.default_rng(seed).bytes(16)
        clean = np.concatenate([silence(0.3), modulate(payload, RATE), silence(0.3)])
        power = np.sqrt(np.mean(modulate(payload, RATE) ** 2)) / 10 ** (snr_db / 20)
        noise = babble(len(clean), seed) if kind == "babble" else np.random.default_rng(seed).normal(0, 1, len(clean))
        assert feed(decoder, pcm(clean + power * noise), 960) == [payload]


@pytest.mark.parametrize(
    "sound",
    [
        silence(3.0),
        np.ones(3 * RATE),
        np.random.default_rng(1).uniform(-1, 1, 5 * RATE),
        np.sign(np.sin(2 * np.pi * 3000 * np.arange(3 * RATE) / RATE)),
        babble(5 * RATE, 2),
    ],
    ids=["silence", "direct current", "full-scale noise", "alarm", "babble"],
)
def test_nothing_is_heard_where_nobody_sends(decoder, sound):
    assert feed(decoder, pcm(sound, level=1.0), 960) == []
    after = pcm(silence(0.2), modulate(TOKEN, RATE), silence(0.3))
    assert feed(decoder, after, 960) == [TOKEN], "and the ear still works"


def test_token_over_an_offset_of_the_microphone_is_heard(decoder):
    sound = np.concatenate([silence(0.3), modulate(TOKEN, RATE), silence(0.3)]) * 0.3 + 0.5
    assert feed(decoder, pcm(sound, level=1.0), 960) == [TOKEN]


def test_token_that_clips_is_heard(decoder):
    sound = np.concatenate([silence(0.3), modulate(TOKEN, RATE), silence(0.3)])
    assert feed(decoder, pcm(sound, level=6.0), 960) == [TOKEN]


def test_quarter_of_a_token_is_no_token(decoder):
    token = modulate(TOKEN, RATE)
    assert feed(decoder, pcm(silence(0.3), token[: len(token) // 4], silence(1.0)), 960) == []
    assert feed(decoder, pcm(token[3 * len(token) // 4 :], silence(1.0)), 960) == []


def test_two_phones_at_once_are_both_heard(decoder):
    other = bytes(reversed(TOKEN))
    first = np.concatenate([silence(0.2), modulate(TOKEN, RATE), silence(0.8)])
    second = np.concatenate([silence(0.5), modulate(other, RATE), silence(0.5)])
    assert feed(decoder, pcm(first + second), 960) == [TOKEN, other]


def test_decoder_hears_every_form():
    short, long = os.urandom(16), os.urandom(160)
    sound = [silence(0.2), modulate_short(short, RATE), silence(0.1), modulate_long(long, RATE), silence(0.3)]
    with AcousticDecoder(RATE) as decoder:
        assert feed(decoder, pcm(*sound), 1024) == [short, long]


def test_terminal_does_not_hear_its_own_challenge(decoder):
    sound = pcm(silence(0.2), modulate_challenge(TOKEN, RATE), silence(0.6))
    assert feed(decoder, sound, 960) == []


def test_second_waveform_can_be_switched_on():
    pytest.importorskip("ggwave")
    other = bytes(reversed(TOKEN))
    sound = [modulate(TOKEN, RATE), silence(0.2), ggwave_wave.modulate(other, RATE), silence(0.3)]
    with AcousticDecoder(RATE, waveforms=(TILLWAVE, GGWAVE)) as decoder:
        tokens = decoder.feed(pcm(*sound))
    assert [(token.payload, token.waveform) for token in tokens] == [(TOKEN, "TILLWAVE"), (other, "GGWAVE")]


def test_unknown_waveform_is_refused():
    with pytest.raises(UnknownWaveform, match="choose one of TILLWAVE, GGWAVE"):
        AcousticDecoder(RATE, waveforms=("MORSE",))


def test_token_whose_start_the_phone_swallowed_is_heard(decoder):
    assert feed(decoder, pcm(silence(0.3), modulate(TOKEN, RATE)[RATE // 20 :], silence(0.3)), 960) == [TOKEN]


def test_two_tokens_back_to_back_are_two(decoder):
    other = bytes(reversed(TOKEN))
    sound = pcm(silence(0.2), modulate(TOKEN, RATE), modulate(other, RATE), silence(0.3))
    assert feed(decoder, sound, 960) == [TOKEN, other]


def test_phone_that_repeats_itself_is_heard_once(decoder):
    token = modulate(TOKEN, RATE)
    assert feed(decoder, pcm(token, token, token, silence(0.3)), 960) == [TOKEN]


def test_token_played_again_later_is_heard_again(decoder):
    token = modulate(TOKEN, RATE)
    assert feed(decoder, pcm(token, silence(2.0), token, silence(0.3)), 960) == [TOKEN, TOKEN]


def test_rearmed_decoder_hears_a_phone_that_goes_on_playing(decoder):
    token = pcm(modulate(TOKEN, RATE), silence(0.3))
    assert feed(decoder, token, 960) == [TOKEN]
    decoder.rearm()
    assert feed(decoder, token, 960) == [TOKEN]


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("piece_ms", [5, 20, 40])
def test_token_is_given_within_a_tenth_of_a_second_after_its_last_sample(rate, piece_ms):
    token = modulate(TOKEN, rate)
    sound = pcm(silence(0.2, rate), token, silence(0.5, rate))
    last = len(silence(0.2, rate)) + len(token)
    piece = rate * piece_ms // 1000
    with AcousticDecoder(rate) as decoder:
        ends = [start + piece for start in range(0, len(sound), piece) if decoder.feed(sound[start : start + piece])]
    assert len(ends) == 1
    assert (ends[0] - last) / rate < 0.1


@pytest.mark.parametrize("length", [8, 16, 32, 64])
def test_recording_that_ends_with_the_token_is_heard_to_the_end(decoder, length):
    payload = os.urandom(length)
    heard = decoder.feed(pcm(modulate(payload, RATE))) + decoder.flush()
    assert [token.payload for token in heard] == [payload]


def test_reading_says_where_and_when_and_keeps_the_payload_to_itself(decoder):
    (token,) = decoder.feed(pcm(silence(0.2), modulate(TOKEN, RATE), silence(0.3)), at_ms=4711)
    reading = token.reading()
    assert (reading.source, reading.device, reading.symbology) == (Source.ACOUSTIC, "ear", "TILLWAVE")
    assert (reading.raw, reading.at_ms, reading.aim) == (TOKEN, 4711, "")
    assert "<=>" not in repr(token)
    assert str(TOKEN) not in repr(token)


@given(st.lists(st.binary(max_size=5000), max_size=10))
@settings(max_examples=25, deadline=None)
def test_no_sound_is_an_error(pieces):
    with AcousticDecoder(44_100) as decoder:
        assert [token for piece in pieces for token in decoder.feed(piece)] == []


@pytest.mark.parametrize("wrong", [np.zeros(10), np.zeros((10, 2), np.int16), np.zeros(10, np.uint16)])
def test_array_of_another_type_is_refused(decoder, wrong):
    with pytest.raises(TypeError, match="int16"):
        decoder.feed(wrong)


def test_memory_does_not_grow_with_the_sound():
    noise = np.random.default_rng(5).integers(-3000, 3000, 10 * 44_100).astype(np.int16)
    with AcousticDecoder(44_100) as decoder:
        decoder.feed(noise)
        tracemalloc.start()
        try:
            for start in range(0, len(noise), 882):
                decoder.feed(noise[start : start + 882])
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert kept < 100_000


def test_closed_decoder_hears_nothing():
    decoder = AcousticDecoder(RATE)
    decoder.close()
    decoder.close()
    assert decoder.feed(pcm(modulate(TOKEN, RATE), silence(0.3))) == []


def test_heard_token_is_a_value():
    assert HeardToken(TOKEN, "TILLWAVE", "ear", 1) == HeardToken(TOKEN, "TILLWAVE", "ear", 1)
