"""What jams and what does not: levels as a microphone of everyday gain delivers them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sound_scene import (
    RATE,
    Listener,
    as_pcm,
    at_level,
    fire_alarm,
    joined,
    mixed,
    shaped,
    song,
    talkers,
    vacuum_cleaner,
    white,
)

from device.decode.disturbance import JammingSettings, Sound
from device.decode.jamming import JammingWatch
from protocol.waveform import modulate, modulate_long

JAMS = (Sound.NOISE, Sound.PREAMBLES, Sound.QUIET)
SETTINGS = JammingSettings()


def watch(pcm: np.ndarray, rate_hz: int = RATE, piece: int = 1024, settings: JammingSettings = SETTINGS) -> list[Sound]:
    """Let a watch alone hear a stream without tokens."""
    made = JammingWatch(rate_hz, settings)
    told = (made.feed(pcm[at : at + piece], 0, 0, 0, deaf=False) for at in range(0, len(pcm), piece))
    return [sound for sound in told if sound is not None]


@pytest.mark.parametrize("piece", [160, 1024, 48_000])
def test_loud_noise_in_the_whole_band_is_told_once_with_its_end(piece: int) -> None:
    pcm = joined([at_level(white(5), -60), at_level(white(30), -15), at_level(white(12, 2), -60)])
    assert watch(pcm, piece=piece) == [Sound.NOISE, Sound.QUIET]


def test_every_episode_is_told() -> None:
    loud, soft = at_level(white(12), -15), at_level(white(8, 2), -60)
    assert watch(joined([loud, soft, loud, soft])) == [Sound.NOISE, Sound.QUIET] * 2


def test_noise_that_passes_by_is_no_jamming() -> None:
    loud, soft = at_level(white(7), -15), at_level(white(4, 2), -60)
    assert watch(joined([soft, loud, soft, loud, soft])) == []


@pytest.mark.parametrize(
    ("noise", "dbfs"),
    [
        (lambda: white(25), -30),
        (lambda: shaped(25, 3.0), -20),
        (lambda: talkers(25), -12),
        (lambda: song(25), -12),
        (lambda: vacuum_cleaner(25), -20),
        (lambda: fire_alarm(25), -6),
    ],
    ids=["white", "pink", "talkers", "song", "vacuum cleaner", "fire alarm"],
)
def test_what_a_mall_is_full_of_is_no_jamming(noise: Callable[[], np.ndarray], dbfs: float) -> None:
    assert watch(at_level(noise(), dbfs)) == []


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_other_rates_see_the_same(rate_hz: int) -> None:
    rng = np.random.default_rng(5)
    level = -15 if rate_hz == 44_100 else -20
    assert watch(at_level(rng.standard_normal(rate_hz * 14), level), rate_hz) == [Sound.NOISE]
    assert watch(at_level(rng.standard_normal(rate_hz * 14), -40), rate_hz) == []


def test_a_terminal_whose_tokens_arrive_louder_bears_more() -> None:
    pcm = at_level(white(14), -15)
    assert watch(pcm, settings=JammingSettings(token_dbfs=-25)) == []
    assert watch(pcm, settings=JammingSettings(token_dbfs=-25, after_s=3)) == []
    assert watch(pcm, settings=JammingSettings(after_s=3)) == [Sound.NOISE]


def test_while_the_terminal_plays_itself_nothing_is_judged() -> None:
    made, pcm = JammingWatch(RATE, SETTINGS), at_level(white(0.5), -10)
    assert [made.feed(pcm, 0, 0, 0, deaf=True) for _ in range(60)] == [None] * 60


@pytest.mark.parametrize("content", [np.zeros(RATE * 12, np.int16), np.full(RATE * 12, 32767, np.int16)])
def test_silence_and_a_stuck_converter_are_no_noise(content: np.ndarray) -> None:
    assert watch(content) == []


# with the receiver


def test_tokens_that_are_read_are_no_jamming() -> None:
    """A phone that plays one token after another, and others between: seven in ten seconds."""
    sound = mixed(*((1.5 * n, 0.3 * modulate(bytes([n]) * 16, RATE)) for n in range(9)), seconds=14)
    listener = Listener(jamming=JammingSettings(after_s=5))
    listener.hear(as_pcm(sound + 0.0005 * white(14)))
    assert len(listener.tokens) == 9
    assert listener.told(*JAMS) == []


def test_a_flood_of_preambles_is_told_with_its_end() -> None:
    preamble = modulate(bytes(16), RATE)[21_888:26_032]
    flood = mixed(*((0.5 + 0.2 * n, 0.3 * preamble) for n in range(30)), seconds=12)
    listener = Listener(jamming=JammingSettings(after_s=4))
    listener.hear(as_pcm(flood + 0.0005 * white(12)))
    assert listener.tokens == []
    assert listener.told(*JAMS) == [Sound.PREAMBLES, Sound.QUIET]


def test_a_flood_of_spoiled_tokens_is_told_and_bounded() -> None:
    """Five tokens at exactly the same time: preamble and pilots are whole, and no bit is."""
    rng = np.random.default_rng(8)
    spoiled = np.mean([modulate_long(rng.bytes(180), RATE) for _ in range(5)], axis=0)
    flood = mixed(*((0.5 + 0.7 * n, 0.03 * spoiled) for n in range(12)), seconds=10)
    listener = Listener(jamming=JammingSettings(after_s=5))
    listener.hear(as_pcm(flood + 0.0005 * white(10)))
    assert listener.tokens == []
    assert Sound.PREAMBLES in listener.told(*JAMS)
