"""Lamps, buzzer, button and tamper switch on gpiozero's own mock pins."""

import threading
import time
from pathlib import Path

import pytest
from driver_rigs import GpioLampsRig, GpioTamperRig
from driver_stand import wait_until

from device.drivers import gpio
from device.drivers.base import Chime, Lamp, Light
from device.drivers.errors import DriverError
from device.drivers.gpio import pin_factory
from device.drivers.registry import make_driver
from device.ports import HealthState


@pytest.fixture
def pins():
    yield pin_factory("mock")
    pin_factory("mock").reset()


def made(kind, **options):
    return make_driver(kind, "gpiozero", kind, {"factory": "mock", **options})


def test_each_lamp_has_its_pin(pins):
    lamps = made("lamps")
    lamps.start()
    for lamp in Lamp:
        lamps.show(lamp, Light.ON)
    assert [pins.pin(number).state for number in (17, 27, 22)] == [True, True, True]
    lamps.show(Lamp.WORKING, Light.OFF)
    assert [pins.pin(number).state for number in (17, 27, 22)] == [True, False, True]
    lamps.stop()


def test_lamp_blinks_until_it_is_set_again(pins):
    lamps = made("lamps")
    lamps.start()
    pins.pin(27).clear_states()
    lamps.show(Lamp.WORKING, Light.BLINK)
    assert wait_until(lambda: len(pins.pin(27).states) >= 4)
    lamps.show(Lamp.WORKING, Light.OFF)
    seen = len(pins.pin(27).states)
    time.sleep(0.5)
    assert len(pins.pin(27).states) == seen
    lamps.stop()


def test_lamps_that_light_when_low(pins):
    lamps = made("lamps", active_high=False)
    lamps.start()
    lamps.show(Lamp.READY, Light.ON)
    assert pins.pin(17).state == 0
    lamps.stop()


def test_stopped_lamps_let_their_pins_go_and_ignore_orders(pins):
    lamps = made("lamps")
    lamps.start()
    lamps.stop()
    assert pins.pin(17).function == "input"
    lamps.show(Lamp.READY, Light.ON)
    assert lamps.health.state is HealthState.STOPPED


def test_lamps_show_from_the_start_what_was_set_before(pins):
    lamps = made("lamps")
    lamps.show(Lamp.READY, Light.ON)
    lamps.start()
    assert pins.pin(17).state
    lamps.stop()


def test_lamp_for_codes_is_dimmed_by_pulses(pins):
    lamp = made("illumination", pwm=True)
    lamp.shine(0.5)
    assert lamp.dimmable
    lamp.start()
    assert (pins.pin(12).state, pins.pin(12).frequency) == (0.5, 4000)
    for level, shown in ((0.0, 0.0), (1.0, 1.0), (7.0, 1.0), (-1.0, 0.0)):
        lamp.shine(level)
        assert pins.pin(12).state == shown
    lamp.shine(1.0)
    lamp.stop()
    assert pins.pin(12).function == "input"
    lamp.shine(0.5)
    assert lamp.health.state is HealthState.STOPPED


def test_lamp_for_codes_that_cannot_be_dimmed_is_on_at_any_brightness(pins):
    lamp = made("illumination", active_high=False)
    lamp.start()
    assert not lamp.dimmable
    assert pins.pin(12).state
    lamp.shine(0.1)
    assert not pins.pin(12).state
    lamp.shine(0.0)
    assert pins.pin(12).state
    lamp.stop()


def test_aim_light_blinks(pins):
    aim = made("aim")
    aim.show(Light.BLINK)
    aim.start()
    assert wait_until(lambda: len(pins.pin(25).states) >= 4)
    aim.show(Light.OFF)
    assert wait_until(lambda: not pins.pin(25).state)
    aim.stop()


@pytest.mark.parametrize("options", [{"hertz": 0}, {"hertz": 1_000_000}, {"pin": 28}, {"brightness": 1}])
def test_wrong_settings_of_the_lamp_for_codes_are_refused(options):
    with pytest.raises(DriverError):
        made("illumination", **options)


def test_paid_chime_rises_on_a_passive_buzzer(pins):
    buzzer = made("buzzer", passive=True)
    buzzer.start()
    buzzer.sound(Chime.PAID)
    heard = []

    def hear():
        frequency = pins.pin(13).frequency
        if pins.pin(13).state and frequency not in heard:
            heard.append(frequency)
        return len(heard) == 2

    assert wait_until(hear)
    assert heard == [1800, 2700]
    buzzer.stop()


def test_stop_ends_a_chime_at_once(pins, monkeypatch):
    monkeypatch.setitem(gpio._CHIMES, Chime.DECLINED, ((500, 600.0, 0.0),))
    before = set(threading.enumerate())
    buzzer = made("buzzer")
    buzzer.start()
    buzzer.sound(Chime.DECLINED)
    assert wait_until(lambda: pins.pin(13).state)
    buzzer.stop()
    assert set(threading.enumerate()) - before == set()
    assert not pins.pin(13).state


def test_chimes_too_many_do_not_queue_up(pins):
    buzzer = made("buzzer")
    buzzer.start()
    pins.pin(13).clear_states()
    for _ in range(100):
        buzzer.sound(Chime.SEEN)
    assert wait_until(lambda: len(pins.pin(13).states) >= 3)
    time.sleep(0.5)
    assert len(pins.pin(13).states) < 20
    buzzer.stop()


def test_cut_wire_counts_as_open(pins):
    tamper, told = made("tamper"), []
    tamper.listen(told.append)
    tamper.start()
    assert wait_until(lambda: told == [True])
    pins.pin(24).drive_low()
    assert wait_until(lambda: told == [True, False])
    pins.pin(24).drive_high()
    assert wait_until(lambda: told == [True, False, True])
    tamper.stop()


def test_switch_that_cannot_be_read_counts_as_open(tmp_path):
    blocker = GpioLampsRig(tmp_path)
    blocker.subject.start()
    tamper, told = made("tamper", pin=17), []
    tamper.listen(told.append)
    tamper.start()
    assert wait_until(lambda: tamper.health.state is HealthState.FAILED)
    assert told == [True]
    assert "17" in tamper.health.detail
    tamper.stop()
    blocker.close()


def test_tamper_recovers_when_its_pin_becomes_free(tmp_path, pins):
    blocker = made("lamps", ready=24)
    blocker.start()
    rig = GpioTamperRig(tmp_path)
    rig.subject.start()
    assert rig.is_in(HealthState.FAILED)
    blocker.stop()
    assert rig.is_in(HealthState.WORKING)
    pins.pin(24).drive_low()
    assert wait_until(lambda: rig.delivered[-1:] == [False])
    rig.close()


def test_pin_in_use_is_an_error_that_names_it(pins):
    first, second = made("lamps"), made("buzzer", pin=17)
    first.start()
    with pytest.raises(DriverError, match=r"buzzer: the pins cannot be used.*17"):
        second.start()
    assert second.health.state is HealthState.FAILED
    first.stop()


def test_lamps_that_fail_to_open_hold_no_pin(pins):
    blocker, lamps = made("buzzer", pin=22), made("lamps")
    blocker.start()
    with pytest.raises(DriverError):
        lamps.start()
    blocker.stop()
    lamps.start()
    assert lamps.health.state is HealthState.WORKING
    lamps.stop()


def test_machine_without_pins_says_what_is_missing():
    lamps = make_driver("lamps", "gpiozero", "lamps", {"factory": "lgpio"})
    if any(Path("/dev").glob("gpiochip*")):
        pytest.skip("this machine has pins")
    with pytest.raises(DriverError, match=r"python3-lgpio|the pins cannot be used"):
        lamps.start()
    assert lamps.health.state is HealthState.FAILED
