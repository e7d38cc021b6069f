"""Counters that speak and listen: real samples from loudspeaker to phone and from phone to microphone."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from scene import OFFLINE, Counter, alarms_of, balances, money_of, of_sale, wait_until

from protocol.tokens import Challenge
from protocol.waveform import modulate, modulate_long
from protocol.waveform.forms import Direction
from protocol.waveform.receiver import TokenReceiver
from provisioning.layout import Device
from tillwave.testing.mall import BoxedMall, TerminalPlan
from tillwave.testing.shopper import Shopper

pytestmark = pytest.mark.broker

RATE = 48_000
LOUDNESS = 0.3
SOUND = """
[sound.jamming]
after_s = 3
"""


class SpeakingCounter(Counter):
    """A terminal with a microphone and a loudspeaker, and its register."""

    def __init__(self, mall: BoxedMall, name: str) -> None:
        self.mall, self.name = mall, f"{name}-{os.getpid() % 10_000}"
        bench = {"bench": str(mall.folder / self.name / "bench")}
        devices = [Device("microphone", "mic", "simulated", bench), Device("speaker", "speaker", "simulated", bench)]
        self.terminal = mall.add_terminal(self.name, TerminalPlan(devices=devices, offline=OFFLINE))
        self.terminal.stop()
        with self.terminal.settings.open("a", encoding="utf-8") as settings:
            settings.write(SOUND)
        self.terminal.start()
        self.terminal.wait_for_devices()
        self.register = self.terminal.pair_register()

    def challenge(self, payment: dict[str, Any]) -> Challenge:
        """Hear with a phone what the loudspeaker plays for a payment."""
        found: list[Challenge] = []

        def is_heard() -> bool:
            for sound in self.terminal.bench.heard():
                phone = TokenReceiver(sound.rate_hz, Direction.CHALLENGE)
                payloads = [*phone.feed(np.asarray(sound.samples)), *phone.flush()]
                found.extend(each for each in map(Challenge.from_sound, payloads) if each.sale == payment["sale"])
            return bool(found)

        wait_until(is_heard, 30.0, lambda: "no challenge was played")
        return found[0]

    def play(self, *sounds: np.ndarray) -> None:
        """Let phones play at the same time, each a little after the one before."""
        for place, sound in enumerate(sounds):
            silence = np.zeros(place * RATE // 5, np.float32)
            self.terminal.bench.play_samples(LOUDNESS * np.concatenate([silence, sound]), RATE)

    def device(self, name: str) -> str:
        """Give the state of a device."""
        (state,) = (each["state"] for each in self.terminal.status()["devices"] if each["name"] == name)
        return str(state)


@pytest.fixture(scope="module")
def counter(tillwave_mall: BoxedMall) -> Iterator[SpeakingCounter]:
    made = SpeakingCounter(tillwave_mall, "speaking")
    yield made
    made.close()


@pytest.fixture(scope="module")
def next_door(tillwave_mall: BoxedMall) -> Iterator[SpeakingCounter]:
    made = SpeakingCounter(tillwave_mall, "next-door")
    yield made
    made.close()


@pytest.fixture(scope="module")
def other_shopper(tillwave_mall: BoxedMall) -> Shopper:
    return tillwave_mall.add_shopper(f"beside-{os.getpid() % 10_000}", load_minor=100_000)


@pytest.fixture(autouse=True)
def tidy(counter: SpeakingCounter, next_door: SpeakingCounter) -> Iterator[None]:
    yield
    counter.tidy()
    next_door.tidy()


def test_a_phone_that_hears_the_challenge_pays_offline_and_nowhere_else(
    counter: SpeakingCounter, next_door: SpeakingCounter, tillwave_shopper: Shopper
) -> None:
    before = money_of(tillwave_shopper)
    counter.mall.broker.stop()
    for each in (counter, next_door):
        each.terminal.wait_offline()
    payment, elsewhere = counter.register.pay(1_250), next_door.register.pay(1_250)
    challenge = counter.challenge(payment)
    assert challenge.terminal == counter.name
    sound = modulate_long(tillwave_shopper.phone.signed_token(challenge.nonce), RATE)
    next_door.play(sound)
    next_door.until(elsewhere, notice="token-refused", phase="gathering")
    counter.play(sound)
    assert counter.until(payment, phase="paid")["offline"]
    next_door.register.cancel(elsewhere["id"])
    counter.mall.start_broker()
    for each in (counter, next_door):
        each.drained()
    assert money_of(tillwave_shopper) == before - 1_250
    again = next_door.register.pay(1_250)
    next_door.play(sound)
    assert next_door.until(again, reason="token-used")["phase"] == "gathering"
    assert money_of(tillwave_shopper) == before - 1_250
    balances(counter.mall)


def test_of_two_phones_at_once_one_is_charged_and_the_other_pays_the_next_sale(
    counter: SpeakingCounter, tillwave_shopper: Shopper, other_shopper: Shopper
) -> None:
    before = [money_of(each) for each in (tillwave_shopper, other_shopper)]
    sounds = [modulate(each.phone.short_token(), RATE) for each in (tillwave_shopper, other_shopper)]
    payment = counter.register.pay(1_400)
    counter.play(*sounds)
    counter.until(payment, phase="paid", notice="second-token")
    assert len(of_sale(counter.mall, payment)[0]) == 1
    after = [money_of(each) for each in (tillwave_shopper, other_shopper)]
    assert sum(before) - sum(after) == 1_400
    waiting = int(after[0] != before[0])
    following = counter.register.pay(1_100)
    counter.play(sounds[waiting])
    counter.until(following, phase="paid")
    assert money_of((tillwave_shopper, other_shopper)[waiting]) == before[waiting] - 1_100
    balances(counter.mall)


def test_a_token_of_a_cancelled_sale_is_burned_everywhere(
    counter: SpeakingCounter, next_door: SpeakingCounter, tillwave_shopper: Shopper
) -> None:
    before = money_of(tillwave_shopper)
    sound = modulate(tillwave_shopper.phone.short_token(), RATE)
    counter.mall.broker.stop()
    counter.terminal.wait_offline()
    payment = counter.register.pay(1_300)
    counter.play(sound)
    counter.until(payment, notice="offline-needs-signed-token")
    counter.register.cancel(payment["id"])
    counter.mall.start_broker()
    counter.drained()
    next_door.terminal.wait_online()
    elsewhere = next_door.register.pay(1_300)
    next_door.play(sound)
    assert next_door.until(elsewhere, reason="token-burned")["phase"] == "gathering"
    assert money_of(tillwave_shopper) == before


def test_what_is_not_understood_and_what_jams_is_told(counter: SpeakingCounter) -> None:
    rng = np.random.default_rng(4)
    payment = counter.register.pay(1_000)
    counter.challenge(payment)
    spoiled = np.mean([modulate_long(rng.bytes(181), RATE) for _ in range(5)], axis=0)

    pauses = itertools.cycle((2.0, 3.5, 5.5, 8.0))  # else every try might meet the terminal's own challenge

    def is_told() -> bool:
        """Play once and listen for a while, as a shopper would."""
        counter.play(spoiled)
        with suppress(AssertionError):
            counter.until(payment, patience_s=next(pauses), notice="sound-unclear")
            return True
        return False

    wait_until(is_told, 150.0, lambda: "a spoiled token was not told")
    counter.register.cancel(payment["id"])
    counter.terminal.bench.play_samples(0.3 * rng.standard_normal(8 * RATE), RATE)
    wait_until(lambda: counter.device("mic") == "failed", 30.0, lambda: "the jamming was not noticed")
    wait_until(lambda: counter.device("mic") == "working", 60.0, lambda: "the jamming did not end")
    counter.drained()
    assert alarms_of(counter.mall, counter.name)[:2] == ["sound-free", "sound-jammed"]
