"""The terminal plays its challenge, the phone answers by sound: paid at this counter, worth nothing at the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scene import balances, money_of, wait_until

from protocol.tokens import Challenge
from protocol.waveform.forms import Direction
from protocol.waveform.receiver import TokenReceiver
from provisioning.layout import Device
from tillwave.testing.mall import BoxedMall, TerminalPlan
from tillwave.testing.register import Register
from tillwave.testing.shopper import Shopper
from tillwave.testing.terminal import BoxedTerminal
from wallet.sound import wav_of

pytestmark = pytest.mark.broker

PATIENCE_S = 60.0


class Counter:
    """A terminal with a microphone and a loudspeaker, and its register."""

    def __init__(self, mall: BoxedMall, name: str) -> None:
        bench = str(mall.folder / name / "bench")
        kinds = (("microphone", "mic"), ("speaker", "speaker"))
        devices = [Device(kind, device, "simulated", {"bench": bench}) for kind, device in kinds]
        self.mall = mall
        self.terminal: BoxedTerminal = mall.add_terminal(name, TerminalPlan(devices=devices))
        self.register: Register = self.terminal.pair_register()

    def challenge_of(self, payment: dict[str, Any]) -> bytes:
        """Wait for what the loudspeaker plays in this sale."""
        heard: list[bytes] = []

        def is_heard() -> bool:
            for sound in self.terminal.bench.heard(forget=True):
                receiver = TokenReceiver(sound.rate_hz, Direction.CHALLENGE)
                payloads = [*receiver.feed(sound.samples), *receiver.flush()]
                heard.extend(one for one in payloads if Challenge.from_sound(one).sale == payment["sale"])
            return bool(heard)

        wait_until(is_heard, PATIENCE_S, lambda: "no challenge of this sale is played")
        return heard[-1]

    def hear(self, token: bytes) -> None:
        """Play a token to the microphone."""
        file = self.mall.folder / f"{self.terminal.name}.wav"
        file.write_bytes(wav_of(token))
        self.terminal.bench.play_wav(file)

    def wait_for_refusal(self, payment: dict[str, Any]) -> None:
        """Wait until the token is declined, and the sale takes others."""
        state: dict[str, Any] = {}

        def is_refused() -> bool:
            state.update(self.register.payment(payment["id"]))
            return state["phase"] == "gathering" and "bad-token" in (state["reason"], state["notice"])

        wait_until(is_refused, PATIENCE_S, lambda: f"no refusal: {state}")

    def close(self) -> None:
        self.terminal.close()


@pytest.fixture(scope="module")
def counter(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = Counter(tillwave_mall, "story-sound-1")
    yield made
    made.close()


@pytest.fixture(scope="module")
def next_door(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = Counter(tillwave_mall, "story-sound-2")
    yield made
    made.close()


@pytest.mark.parametrize("is_signed", [False, True])
def test_a_heard_challenge_is_paid_by_a_token_that_is_good_here_alone(
    counter: Counter, next_door: Counter, tillwave_shopper: Shopper, is_signed: bool
) -> None:
    phone, before = tillwave_shopper.phone, money_of(tillwave_shopper)
    here, there = counter.register.pay(1_230), next_door.register.pay(1_230)
    sound = counter.challenge_of(here)
    counter.terminal.wait_drained()  # settlement knows the sale before anybody asks what it costs
    offer = phone.hear(sound)
    assert (offer.challenge.terminal, offer.challenge.sale) == (counter.terminal.name, here["sale"])
    assert offer.amount.minor == 1_230
    next_door.hear(phone.token(signed=is_signed, offer=offer))
    next_door.wait_for_refusal(there)
    counter.hear(phone.token(signed=is_signed, offer=offer))
    assert counter.register.wait(here["id"], PATIENCE_S)["phase"] == "paid"
    next_door.register.cancel(there["id"])
    counter.terminal.wait_drained()
    assert money_of(tillwave_shopper) == before - 1_230
    balances(counter.mall)
