"""Every way in which a camera hangs or dies: the terminal says so, replaces the process, and reads again."""

import time

import pytest
from camera_stand import HASTY, LONG_S, TOKEN, Terminal, is_alive

from device.decode.camera_process import Patience
from device.drivers.simulated.bench import Bench
from device.drivers.simulated.control import SimulationError
from device.ports import HealthState

OPTIONS = {"width": 640, "height": 480}


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "bench", patience_s=LONG_S)


@pytest.fixture
def start(bench):
    terminals = []

    def start(patience: Patience = HASTY, **more: object) -> Terminal:
        terminals.append(Terminal("simulated", {"bench": str(bench.folder), **OPTIONS, **more}, patience))
        terminals[-1].camera.start()
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.camera.stop()


def reads_again(terminal: Terminal, bench: Bench, before: int) -> bool:
    """Wait until the camera works in another process, the only one, and reads what is shown."""
    terminal.health(HealthState.WORKING)
    bench.show_qr(TOKEN)
    reading = terminal.reading()
    return reading.text == TOKEN and not is_alive(before) and terminal.processes() == [terminal.pid()]


def plug(bench: Bench) -> None:
    """Put the camera in, also while one process of it ends and the next begins."""
    deadline = time.monotonic() + LONG_S
    while True:
        try:
            return bench.plug("camera", "front")
        except SimulationError:
            assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("how", "patience", "said"),
    [
        ("freeze", Patience(beat_s=LONG_S, frame_s=5, first_pause_s=0.1), "it gives no picture any more"),
        ("hang", Patience(beat_s=5, frame_s=LONG_S, first_pause_s=0.1), "its process is stuck"),
        ("die", Patience(first_pause_s=0.1), "its process was ended by SIGABRT"),
    ],
)
def test_camera_that_a_new_start_heals_is_back_by_itself(start, bench, how, patience, said):
    terminal = start(patience)
    terminal.health(HealthState.WORKING)
    broken = terminal.pid()
    bench.break_device("camera", "front", how)
    assert terminal.health(HealthState.FAILED) == f"{said}; it is started again"
    assert reads_again(terminal, bench, broken)
    terminal.camera.stop()
    assert terminal.processes() == []


@pytest.mark.parametrize(
    ("how", "state", "said"),
    [
        ("no-memory", HealthState.FAILED, "no contiguous memory is left for pictures"),
        ("busy", HealthState.MISSING, "another process uses the camera"),
    ],
)
def test_camera_that_is_broken_by_its_settings_is_back_once_it_is_mended(start, bench, how, state, said):
    terminal = start(fault=how)
    assert terminal.health(state) == said
    broken = terminal.pid()
    bench.mend_device("camera", "front")
    terminal.health(HealthState.WORKING)
    bench.show_qr(TOKEN)
    assert terminal.reading().text == TOKEN
    assert is_alive(broken) == (broken == terminal.pid())
    assert terminal.processes() == [terminal.pid()]


def test_camera_that_hangs_while_it_is_opened_is_ended_and_tried_again(start, bench):
    began = time.monotonic()
    first = start()
    first.health(HealthState.WORKING)
    patience = Patience(open_s=2 + 2 * (time.monotonic() - began))
    long_s = LONG_S + 10 * patience.open_s
    first.camera.stop()
    terminal = start(patience, fault="hang-start")
    assert terminal.health(HealthState.FAILED, long_s) == "its process is stuck; it is started again"
    bench.mend_device("camera", "front")
    terminal.health(HealthState.WORKING, long_s)
    bench.show_qr(TOKEN)
    assert terminal.reading().text == TOKEN
    assert terminal.processes() == [terminal.pid()]


def test_camera_that_is_unplugged_and_cannot_be_closed_is_ended_and_back_when_plugged_in(start, bench):
    terminal = start()
    terminal.health(HealthState.WORKING)
    wedged = terminal.pid()
    bench.break_device("camera", "front", "hang-stop")
    bench.unplug("camera", "front")
    assert terminal.health(HealthState.MISSING) == "unplugged"
    deadline = time.monotonic() + LONG_S
    while is_alive(wedged):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    plug(bench)
    assert reads_again(terminal, bench, wedged)


def test_camera_that_cannot_be_closed_does_not_hold_the_terminal(start, bench):
    terminal = start(fault="hang-stop")
    terminal.health(HealthState.WORKING)
    wedged = terminal.pid()
    terminal.camera.stop()
    assert not is_alive(wedged)
    assert terminal.processes() == []


def test_camera_that_cannot_break_as_its_settings_say_fails_with_what_it_knows(start):
    assert "known are: freeze, dead, hang" in start(fault="tired").health(HealthState.FAILED)
