"""Half a token, a token that cannot be read, and the terminal's own challenge in the terminal's own ear."""

from __future__ import annotations

import numpy as np
import pytest
from sound_scene import RATE, Listener, as_pcm, mixed, white

from device.decode.disturbance import Sound
from device.decode.unclear import UnclearWatch
from protocol.tokens import Challenge
from protocol.waveform import modulate, modulate_challenge, modulate_challenge_high, modulate_long

TOKEN, OTHER = bytes(range(16)), bytes(range(16, 32))
CHALLENGE = Challenge("till-1", "abcdefghijklmnop", bytes(16)).to_sound()
QUIET = 0.0005
NEWS = (Sound.UNCLEAR, Sound.NOISE, Sound.PREAMBLES)


def heard(sound: np.ndarray, noise: float = QUIET) -> Listener:
    listener = Listener()
    listener.hear(as_pcm(sound + noise * white(len(sound) / RATE)))
    return listener


@pytest.mark.parametrize("part", ["first", "second"])
def test_half_a_token_is_a_token_where_it_is_quiet(part: str) -> None:
    """Each bit is sent many times on both sides of the preamble, and the check says that it is right."""
    token = 0.3 * modulate(TOKEN, RATE)
    middle = len(token) // 2
    token[slice(middle + 2048, None) if part == "first" else slice(0, middle - 2048)] = 0
    listener = heard(mixed((0.5, token), seconds=2.5))
    assert listener.tokens == [TOKEN]
    assert listener.told(*NEWS) == []


def test_a_quarter_of_a_token_is_nothing() -> None:
    token = 0.3 * modulate(TOKEN, RATE)
    token[len(token) // 4 :] = 0
    listener = heard(mixed((0.5, token), seconds=2.5))
    assert (listener.tokens, listener.told(*NEWS)) == ([], [])


def test_a_token_that_cannot_be_read_is_told_once_however_often_it_comes() -> None:
    """A signed token 25 dB below noise as wide as itself: its pilots are seen, its bits are not."""
    faint = 0.01 * modulate_long(bytes(range(181)), RATE)
    listener = heard(mixed((0.5, faint), (2.2, faint), seconds=5), noise=0.02)
    assert listener.tokens == []
    assert listener.told(*NEWS) == [Sound.UNCLEAR]
    assert Sound.BEGINS in listener.news


def test_a_phone_that_was_not_understood_is_told_again_after_a_while() -> None:
    watch = UnclearWatch(RATE)
    told = [watch.feed(RATE // 10, 0, tenth // 20, deaf=False) for tenth in range(200)]
    assert 2 <= sum(told) <= 4


def test_a_token_that_is_read_after_all_is_not_told() -> None:
    watch = UnclearWatch(RATE)
    assert not watch.feed(1024, 0, 1, deaf=False)
    assert not any(watch.feed(1024, 1, 1 + late, deaf=False) for late in (0, 0, 1, 1) for _ in range(12))


def test_what_the_terminal_plays_itself_is_not_told() -> None:
    watch = UnclearWatch(RATE)
    assert not watch.feed(1024, 0, 1, deaf=True)
    assert not any(watch.feed(1024, 0, 1, deaf=False) for _ in range(100))


@pytest.mark.parametrize("modulated", [modulate_challenge, modulate_challenge_high])
def test_the_terminals_own_challenge_is_nothing_to_its_ear(modulated: type) -> None:
    """As loud as the microphone can bear, clipped, and over and over."""
    sound = mixed(*((1.1 * n, 1.5 * modulated(CHALLENGE, RATE)) for n in range(4)), seconds=5)
    listener = heard(sound)
    assert (listener.tokens, listener.news) == ([], [])


@pytest.mark.parametrize("louder_db", [0, 10])
def test_a_token_over_the_terminals_own_challenge_is_heard(louder_db: int) -> None:
    challenge = 0.9 * modulate_challenge(CHALLENGE, RATE)
    token = 0.9 * 10 ** (-louder_db / 20) * modulate(TOKEN, RATE)
    listener = heard(0.5 * mixed((0.4, challenge), (0.4, token), seconds=2.2))
    assert listener.tokens == [TOKEN]


@pytest.mark.parametrize("louder_db", [0, 10, 20])
def test_the_token_after_the_terminals_own_challenge_is_heard_at_once(louder_db: int) -> None:
    challenge = 0.9 * modulate_challenge(CHALLENGE, RATE)
    token = 0.9 * 10 ** (-louder_db / 20) * modulate(TOKEN, RATE)
    during = 0.9 * 10 ** (-louder_db / 20) * modulate(OTHER, RATE)
    end = 0.4 + len(challenge) / RATE
    listener = heard(0.5 * mixed((0.4, challenge), (0.4, during), (end, token), seconds=end + 1.4))
    assert listener.tokens[-1] == TOKEN


def test_a_token_is_followed_from_its_middle_until_it_is_read() -> None:
    listener = heard(mixed((0.5, 0.3 * modulate(TOKEN, RATE)), seconds=2.0))
    assert [sound for sound in listener.news if sound in (Sound.BEGINS, Sound.OVER)] == [Sound.BEGINS, Sound.OVER]
