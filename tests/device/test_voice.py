"""The terminal plays its challenge: when, how loud, and how it keeps silent."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device.decode.disturbance import Sound
from device.drivers.base import DriverOptions, Speaker
from device.drivers.simulated.bench import Bench
from device.drivers.simulated.device import SimulatedOptions
from device.drivers.simulated.sound import SimulatedSpeaker
from device.payment.views import CounterView, Phase, SaleView
from device.ports import Health, HealthState, SystemClock, TimeQuality, WallTime
from device.voice import ChallengeSettings, Voice
from protocol import emv_qr
from protocol.emv_qr import MerchantDetails
from protocol.money import Money
from protocol.tokens import Challenge
from protocol.waveform.forms import Direction
from protocol.waveform.receiver import TokenReceiver

PATIENCE_S = 30.0
LONG_S = 20
DUE = Money(1_230, "CNY")
ZERO = Money(0, "CNY")
MERCHANT = MerchantDetails(name="Tea House", city="Shanghai", country="CN", category_code="5499")
FIRST = Challenge("till-1", "abcdefghijklmnop", bytes(range(16)))
SECOND = Challenge("till-1", "abcdefghijklmnop", bytes(range(1, 17)))
OTHER_SALE = Challenge("till-1", "qrstuvwxyz234567", bytes(range(2, 18)))


def code_of(challenge: Challenge) -> str:
    return emv_qr.write_challenge_code(challenge, merchant=MERCHANT, amount=DUE)


def view_of(challenge: Challenge | None, phase: Phase = Phase.GATHERING, *, in_service: bool = True) -> CounterView:
    sale = SaleView(
        sale=challenge.sale if challenge else FIRST.sale,
        register="till",
        request="R1",
        phase=phase,
        amount=DUE,
        lines=(),
        discounts=(),
        member="",
        challenge=code_of(challenge) if challenge else "",
        reason="",
        notice="",
        scheme="",
        payer="",
        payment="",
        offline=False,
        refunded=ZERO,
        opened_ms=0,
        closed_ms=0,
        attempt_ms=0,
    )
    return CounterView(
        terminal="till-1",
        sale=sale,
        last=(sale,),
        queue=0,
        online=True,
        in_service=in_service,
        trouble="" if in_service else "case-open",
        offline_allowed=False,
        devices=(),
    )


class HandClock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.ms = 50_000

    def wall(self) -> WallTime:
        return WallTime(self.ms, TimeQuality.SYNCHRONISED)

    def monotonic_ms(self) -> int:
        return self.ms

    def boot_id(self) -> bytes:
        return bytes(16)


class NotingSpeaker(Speaker):
    """A loudspeaker that notes what it is asked."""

    def __init__(self) -> None:
        super().__init__("mouth", DriverOptions())
        self.played: list[np.ndarray] = []
        self.hushed = 0

    def play(self, samples: np.ndarray, rate_hz: int) -> None:
        assert rate_hz == 48_000
        self.played.append(samples)

    def hush(self) -> None:
        self.hushed += 1

    def _open(self) -> None:
        self._report(Health(HealthState.WORKING))

    def _close(self) -> None:
        pass


class Stand:
    """A voice with a loudspeaker, and a clock in the hand of the test."""

    def __init__(self, **settings: object) -> None:
        self.clock, self.speaker = HandClock(), NotingSpeaker()
        self.speaker.start()
        self.deaf_until_ms: list[int] = []
        wanted = ChallengeSettings(**settings)  # type: ignore[arg-type]
        self.voice = Voice([self.speaker], wanted, self.clock, deafen=self.deaf_until_ms.append)

    def pass_ms(self, milliseconds: int) -> int:
        """Let time pass, and tell how often it has spoken so far."""
        for _ in range(milliseconds // 100):
            asyncio.run(self.voice.turn())
            self.clock.ms += 100
        asyncio.run(self.voice.turn())
        return len(self.speaker.played)


def heard_by_a_phone(samples: np.ndarray) -> list[bytes]:
    receiver = TokenReceiver(48_000, Direction.CHALLENGE)
    return [*receiver.feed(np.rint(samples * 32_767).astype(np.int16)), *receiver.flush()]


@pytest.mark.parametrize("band", ["audible", "high"])
def test_a_phone_hears_the_challenge_of_the_sale(band: str) -> None:
    stand = Stand(band=band, volume=0.4)
    stand.voice.follow(view_of(FIRST))
    assert stand.pass_ms(0) == 1
    (sound,) = stand.speaker.played
    assert heard_by_a_phone(sound) == [FIRST.to_sound()]
    assert 0.3 < np.abs(sound).max() <= 0.4
    assert stand.deaf_until_ms[0] > stand.clock.ms + 1_000 * len(sound) // 48_000


def test_it_is_played_again_until_the_gathering_ends() -> None:
    stand = Stand(every_s=6)
    stand.voice.follow(view_of(FIRST))
    assert stand.pass_ms(5_900) == 1
    assert stand.pass_ms(100) == 2
    assert stand.pass_ms(6_000) == 3
    stand.voice.follow(view_of(None, Phase.AUTHORISING))
    assert stand.pass_ms(60_000) == 3


@pytest.mark.parametrize(
    "after", [view_of(None, Phase.AUTHORISING), view_of(None, Phase.CANCELLED), view_of(FIRST, in_service=False)]
)
def test_the_end_of_the_gathering_breaks_it_off(after: CounterView) -> None:
    stand = Stand()
    stand.voice.follow(view_of(FIRST))
    stand.pass_ms(500)
    stand.voice.follow(after)
    assert stand.speaker.hushed == 1
    assert stand.pass_ms(20_000) == 1


def test_what_has_sounded_is_not_broken_off() -> None:
    stand = Stand()
    stand.voice.follow(view_of(FIRST))
    stand.pass_ms(3_000)
    stand.voice.follow(view_of(None, Phase.PAID))
    assert stand.speaker.hushed == 0


def test_a_token_that_begins_breaks_it_off_and_is_waited_for() -> None:
    stand = Stand()
    stand.voice.follow(view_of(FIRST))
    stand.pass_ms(300)
    stand.voice.hear("mic", Sound.BEGINS)
    assert stand.speaker.hushed == 1
    assert stand.pass_ms(1_500) == 1
    stand.voice.hear("mic", Sound.OVER)
    assert stand.pass_ms(900) == 1
    assert stand.pass_ms(100) == 2


def test_no_challenge_begins_while_a_token_is_heard() -> None:
    stand = Stand()
    stand.voice.hear("mic", Sound.BEGINS)
    stand.voice.follow(view_of(FIRST))
    assert stand.pass_ms(1_000) == 0
    assert stand.speaker.hushed == 0


def test_a_microphone_that_dies_in_a_token_does_not_silence_the_terminal() -> None:
    stand = Stand()
    stand.voice.hear("mic", Sound.BEGINS)
    stand.voice.follow(view_of(FIRST))
    assert stand.pass_ms(3_000) == 1


def test_while_goods_are_scanned_only_the_last_challenge_is_played() -> None:
    stand = Stand()
    stand.voice.follow(view_of(FIRST))
    stand.pass_ms(2_000)
    for number in range(5):
        stand.voice.follow(view_of(replace(SECOND, nonce=bytes([number]) * 16)))
        assert stand.pass_ms(700) == 1
    stand.voice.follow(view_of(SECOND))
    assert stand.pass_ms(1_400) == 1
    assert stand.pass_ms(100) == 2
    assert heard_by_a_phone(stand.speaker.played[-1]) == [SECOND.to_sound()]


def test_the_next_sale_is_played_at_once() -> None:
    stand = Stand(every_s=60)
    stand.voice.follow(view_of(FIRST))
    stand.pass_ms(2_000)
    stand.voice.follow(view_of(None, Phase.PAID))
    stand.voice.follow(view_of(OTHER_SALE))
    assert stand.pass_ms(0) == 2
    assert heard_by_a_phone(stand.speaker.played[-1]) == [OTHER_SALE.to_sound()]


def test_a_loudspeaker_that_is_missing_is_waited_for() -> None:
    stand = Stand()
    stand.speaker.stop()
    stand.voice.follow(view_of(FIRST))
    assert stand.pass_ms(3_000) == 0
    assert stand.deaf_until_ms == []
    stand.speaker.start()
    assert stand.pass_ms(1_000) == 1


@pytest.mark.parametrize("settings", [{"band": "off"}, {"volume": 0.0}])
def test_a_voice_that_is_switched_off_is_silent(settings: dict[str, object]) -> None:
    stand = Stand(**settings)
    stand.voice.follow(view_of(FIRST))
    assert stand.pass_ms(10_000) == 0
    asyncio.run(stand.voice.run())


def test_a_code_that_is_no_challenge_is_not_played(caplog: pytest.LogCaptureFixture) -> None:
    stand, view = Stand(), view_of(FIRST)
    assert view.sale is not None
    stand.voice.follow(replace(view, sale=replace(view.sale, challenge="000201")))
    assert stand.pass_ms(10_000) == 0
    assert caplog.text.count("cannot be played") == 1


def test_it_works_by_itself_on_the_event_loop(tmp_path: Path) -> None:
    speaker = SimulatedSpeaker("mouth", SimulatedOptions(bench=str(tmp_path)))
    speaker.start()
    voice = Voice([speaker], ChallengeSettings(every_s=2), SystemClock(), deafen=lambda _: None)

    async def story() -> None:
        working = asyncio.create_task(voice.run())
        await asyncio.sleep(0)
        voice.follow(view_of(FIRST))
        deadline = time.monotonic() + PATIENCE_S
        while len(bench.heard(speaker="mouth")) < 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        working.cancel()

    bench = Bench(tmp_path)
    try:
        asyncio.run(story())
        first, second = bench.heard(speaker="mouth")[:2]
    finally:
        speaker.stop()
    assert heard_by_a_phone(first.samples / 32_767) == [FIRST.to_sound()]
    assert second.at_ms > first.at_ms


def test_a_simulated_loudspeaker_that_is_hushed_has_played_only_the_beginning(tmp_path: Path) -> None:
    speaker = SimulatedSpeaker("mouth", SimulatedOptions(bench=str(tmp_path)))
    speaker.start()
    try:
        sound = np.full(48_000 * LONG_S, 0.5, np.float32)
        speaker.play(sound, 48_000)
        speaker.play(sound, 48_000)
        speaker.hush()
        heard = Bench(tmp_path).heard(speaker="mouth")
        assert sum(len(each.samples) for each in heard) < len(sound)
        speaker.play(sound[:4_800], 48_000)
        again = Bench(tmp_path).heard(speaker="mouth")[-1]
        assert len(again.samples) == 4_800
    finally:
        speaker.stop()
