"""Sound that is not understood, and microphones that are jammed."""

from __future__ import annotations

from counter_house import ALIPAY, CounterHouse, shown

from device.payment.views import Phase
from device.ports import Health, HealthState
from protocol.records import Jammed, Verdict

WORKING = Health(HealthState.WORKING)


def jams(house: CounterHouse) -> list[tuple[int, str, str]]:
    return [(body.on, body.how, body.device) for body in house.bodies() if isinstance(body, Jammed)]


def health_of(house: CounterHouse, device: str) -> HealthState:
    return dict(house.counter.view().devices)[device].state


def test_a_sound_that_is_not_understood_is_told_while_a_token_is_waited_for(house: CounterHouse) -> None:
    house.counter.sound_unclear()
    assert house.counter.view().sale is None
    house.open()
    house.counter.sound_unclear()
    assert (shown(house).phase, shown(house).notice) == (Phase.GATHERING, "sound-unclear")
    house.show(ALIPAY)
    assert (shown(house).phase, shown(house).notice) == (Phase.AUTHORISING, "")
    house.counter.sound_unclear()
    assert shown(house).notice == ""
    house.decide(Verdict.APPROVED)
    house.counter.sound_unclear()
    assert shown(house).notice == ""


def test_jamming_is_one_record_at_its_beginning_and_one_at_its_end(house: CounterHouse) -> None:
    house.counter.device_health("mic", WORKING)
    views = []
    house.counter.subscribe(views.append)
    for how in ("", "noise", "noise", "preambles"):
        house.counter.sound_jammed("mic", how)
    assert jams(house) == [(1, "noise", "mic")]
    assert (views[-1].jammed, health_of(house, "mic")) == ("noise", HealthState.FAILED)
    house.counter.sound_jammed("mic", "")
    house.counter.sound_jammed("mic", "")
    assert jams(house) == [(1, "noise", "mic"), (0, "noise", "mic")]
    assert (views[-1].jammed, health_of(house, "mic")) == ("", HealthState.WORKING)


def test_every_microphone_has_an_episode_of_its_own(house: CounterHouse) -> None:
    house.counter.sound_jammed("left", "noise")
    house.counter.sound_jammed("right", "preambles")
    house.counter.sound_jammed("left", "")
    assert house.counter.view().jammed == "preambles"
    assert jams(house) == [(1, "noise", "left"), (1, "preambles", "right"), (0, "noise", "left")]


def test_a_microphone_that_is_gone_is_gone_and_not_jammed(house: CounterHouse) -> None:
    house.counter.sound_jammed("mic", "noise")
    house.counter.device_health("mic", Health(HealthState.MISSING, "unplugged"))
    assert health_of(house, "mic") is HealthState.MISSING


def test_sound_that_is_jammed_does_not_keep_codes_from_paying(house: CounterHouse) -> None:
    house.counter.sound_jammed("mic", "noise")
    house.open()
    house.show(ALIPAY)
    house.decide(Verdict.APPROVED)
    assert shown(house).phase is Phase.PAID
