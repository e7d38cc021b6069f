"""What every driver of every port promises, tried on each of them; what has no hardware here says so."""

from __future__ import annotations

import threading
import time

import pytest
from driver_rigs import RIGS, GpioTamperRig
from driver_stand import CameraRig, Rig, wait_until
from simulated_rigs import SimulatedTamperRig

from device.drivers.registry import KINDS, find_driver, installed
from device.ports import HealthState

unpluggable = pytest.mark.parametrize("kind_of_rig", [r for r in RIGS if r.can_be_unplugged], ids=lambda r: r.__name__)
every = pytest.mark.parametrize("kind_of_rig", RIGS, ids=lambda r: r.__name__)


@pytest.fixture
def rig(kind_of_rig: type[Rig], tmp_path):
    rig = kind_of_rig(tmp_path)
    yield rig
    rig.close()


@every
def test_new_driver_is_stopped_and_starts_nothing(rig: Rig):
    assert rig.subject.health.state is HealthState.STOPPED
    assert rig.threads_started_by_making == 0
    rig.subject.stop()
    assert rig.subject.health.state is HealthState.STOPPED
    assert rig.healths == []


@every
def test_started_and_stopped_twice(rig: Rig):
    for _ in range(2):
        rig.subject.start()
        rig.subject.start()
        assert rig.is_in(HealthState.WORKING)
        rig.subject.stop()
        rig.subject.stop()
        assert rig.subject.health.state is HealthState.STOPPED


@every
def test_health_tells_the_whole_life(rig: Rig):
    rig.subject.start()
    assert rig.is_in(HealthState.WORKING)
    rig.subject.stop()
    assert [health.state for health in rig.healths] == [HealthState.STARTING, HealthState.WORKING, HealthState.STOPPED]


@every
def test_delivers(rig: Rig):
    rig.subject.start()
    assert rig.is_in(HealthState.WORKING)
    assert rig.deliver()


@every
def test_delivers_nothing_after_stop_and_leaves_no_thread(rig: Rig):
    before = set(threading.enumerate())
    rig.subject.start()
    assert rig.is_in(HealthState.WORKING)
    assert rig.deliver()
    rig.subject.stop()
    delivered = len(rig.delivered)
    time.sleep(0.06)
    assert len(rig.delivered) == delivered
    assert set(threading.enumerate()) - before == set()


@unpluggable
def test_unplugged_is_missing_and_plugged_in_again_works(rig: Rig):
    rig.subject.start()
    assert rig.is_in(HealthState.WORKING)
    for _ in range(2):
        rig.unplug()
        assert rig.is_in(HealthState.MISSING)
        assert rig.subject.health.detail
        rig.plug()
        assert rig.is_in(HealthState.WORKING)
        assert rig.deliver()


@unpluggable
def test_started_before_it_is_plugged_in(rig: Rig):
    rig.unplug()
    rig.subject.start()
    assert rig.is_in(HealthState.MISSING)
    rig.plug()
    assert rig.is_in(HealthState.WORKING)
    assert rig.deliver()


@unpluggable
def test_stopped_while_missing(rig: Rig):
    before = set(threading.enumerate())
    rig.unplug()
    rig.subject.start()
    assert rig.is_in(HealthState.MISSING)
    rig.subject.stop()
    assert set(threading.enumerate()) - before == set()
    assert rig.subject.health.state is HealthState.STOPPED
    rig.plug()


@every
def test_repr_names_device_and_state(rig: Rig):
    assert "'rig'" in repr(rig.subject)
    assert "stopped" in repr(rig.subject)


@pytest.mark.parametrize("kind_of_rig", [r for r in RIGS if issubclass(r, CameraRig)], ids=lambda r: r.__name__)
def test_camera_keeps_to_its_time(rig: Rig):
    rig.subject.start()
    begun = time.monotonic()
    for _ in range(3):
        rig.poke()
    assert time.monotonic() - begun < 10.0


@pytest.mark.parametrize("kind_of_rig", [SimulatedTamperRig, GpioTamperRig])
def test_tamper_tells_its_state_once_after_start(rig: Rig):
    rig.subject.start()
    assert wait_until(lambda: rig.delivered)
    time.sleep(0.05)
    assert len(rig.delivered) == 1


@pytest.mark.parametrize(("kind", "driver"), [(kind, driver) for kind in KINDS for driver in installed(kind)])
def test_every_installed_driver_can_be_loaded_and_is_documented(kind: str, driver: str):
    found = find_driver(kind, driver)
    assert found.kind == kind
    assert found.__doc__
    assert found.Options.__doc__
