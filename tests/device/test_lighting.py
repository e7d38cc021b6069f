from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from test_guide import COUNTER, SALE, in_phase

from device.drivers.base import Light
from device.drivers.registry import convert_options
from device.drivers.simulated.bench import Bench
from device.drivers.simulated.gpio import SimulatedAim, SimulatedIllumination
from device.lighting import Lighting, LightingSettings
from device.payment.views import CounterView, Phase
from device.sight import Guidance, Hint, Place

PLACES = (Place(0.1, 0.1, 0.2, 0.2),)
BRIGHT, DARK, CLOSER = (Guidance("front", hint, PLACES) for hint in (Hint.TOO_BRIGHT, Hint.TOO_DARK, Hint.CLOSER))
IDLE: CounterView = replace(COUNTER, sale=None)
NEXT = replace(COUNTER, sale=replace(SALE, sale="salebbbbbbbbbbbb"))


class Counter:
    """A lamp that can be dimmed, one that cannot, and an aim light, on a bench."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        bench = {"bench": str(folder)}
        options = SimulatedIllumination.Options
        self.soft = SimulatedIllumination("soft", convert_options(options, "soft", bench))
        self.hard = SimulatedIllumination("hard", convert_options(options, "hard", bench | {"dimmable": False}))
        self.light = SimulatedAim("aim", convert_options(SimulatedAim.Options, "aim", bench))
        for driver in (self.soft, self.hard, self.light):
            driver.start()

    def follow(self, **settings: object) -> Lighting:
        made = Lighting((self.soft, self.hard), (self.light,), msgspec.convert(settings, LightingSettings))
        made.follow(IDLE)
        return made

    @property
    def levels(self) -> tuple[float, float]:
        return self.bench.illumination(illumination="soft"), self.bench.illumination(illumination="hard")

    def close(self) -> None:
        for driver in (self.soft, self.hard, self.light):
            driver.stop()


@pytest.fixture
def counter(tmp_path):
    counter = Counter(tmp_path)
    yield counter
    counter.close()


def test_lamp_shines_while_a_sale_gathers_and_at_no_other_time(counter):
    lighting = counter.follow(brightness=0.5)
    assert counter.levels == (0, 0)
    for phase in Phase:
        lighting.follow(in_phase(phase))
        assert counter.levels == ((0.5, 1) if phase is Phase.GATHERING else (0, 0))
        assert counter.bench.aim() is (Light.ON if phase is Phase.GATHERING else Light.OFF)
    lighting.follow(COUNTER)
    lighting.follow(replace(COUNTER, in_service=False))
    assert counter.levels == (0, 0)
    assert counter.bench.aim() is Light.OFF


def test_too_bright_dims_the_lamp_until_the_next_sale(counter):
    lighting = counter.follow(brightness=0.8)
    lighting.follow(COUNTER)
    lighting.guided(BRIGHT)
    assert counter.levels == (0.2, 0)
    lighting.guided(None)
    lighting.guided(DARK)
    assert counter.levels == (0.2, 0), "it does not flicker between too bright and too dark"
    lighting.follow(IDLE)
    lighting.guided(None)
    lighting.follow(NEXT)
    assert counter.levels == (0.8, 1)


def test_too_dark_gives_all_there_is(counter):
    lighting = counter.follow(brightness=0.5)
    lighting.follow(COUNTER)
    lighting.guided(DARK)
    assert counter.levels == (1, 1)
    lighting.guided(None)
    assert counter.levels == (1, 1)
    lighting.guided(BRIGHT)
    assert counter.levels == (0.125, 0)


def test_lamp_that_waits_for_the_dark(counter):
    lighting = counter.follow(when="dark")
    lighting.follow(COUNTER)
    assert counter.levels == (0, 0)
    lighting.guided(DARK)
    assert counter.levels == (1, 1)
    lighting.follow(NEXT)
    assert counter.levels == (0, 0)


def test_lamp_that_never_shines(counter):
    lighting = counter.follow(when="never")
    lighting.follow(COUNTER)
    lighting.guided(DARK)
    assert counter.levels == (0, 0)
    assert counter.bench.aim() is Light.BLINK


def test_aim_light_blinks_while_a_code_is_seen_but_not_read(counter):
    lighting = counter.follow()
    lighting.follow(COUNTER)
    for guidance, light in ((CLOSER, Light.BLINK), (None, Light.ON), (BRIGHT, Light.BLINK)):
        lighting.guided(guidance)
        assert counter.bench.aim() is light
    lighting.follow(in_phase(Phase.AUTHORISING))
    assert counter.bench.aim() is Light.OFF


def test_dark_shop_without_a_code_lights_the_lamp_but_lets_no_light_blink(counter):
    lighting = counter.follow(when="dark")
    lighting.follow(COUNTER)
    lighting.guided(Guidance("front", Hint.TOO_DARK))
    assert counter.levels == (1, 1)
    assert counter.bench.aim() is Light.ON


def test_lamps_are_told_changes_only(counter):
    lighting = counter.follow()
    for _ in range(5):
        lighting.follow(COUNTER)
        lighting.guided(CLOSER)
    assert counter.bench.illumination_history(illumination="soft") == [0.0, 0.6]


@pytest.mark.parametrize("settings", [{"when": "always"}, {"brightness": 0}, {"brightness": 1.5}, {"colour": "red"}])
def test_wrong_settings_are_refused(settings):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings, LightingSettings)
