from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from camera_stand import HASTY, LONG_S, TOKEN, Terminal, is_alive, wait_until_dead

from device.decode.camera_process import Patience
from device.decode.camera_wire import (
    LONGEST_LINE,
    Beat,
    Begin,
    Condition,
    Lines,
    Rearm,
    Seen,
    WireError,
    decode_from_process,
    decode_to_process,
    encode,
)
from device.drivers.simulated.bench import Bench
from device.ports import HealthState, Source

FOREIGN_CAMERAS = """
import os, sys, time
import numpy as np
from device.drivers.base import Camera
from device.drivers.errors import DriverUnsupported
from device.ports import Health, HealthState

class Foreign(Camera):
    def _open(self): self._report(Health(HealthState.WORKING))
    def _close(self): pass

class Aborting(Foreign):
    def read(self, timeout_s): os.abort()

class Coloured(Foreign):
    def read(self, timeout_s): return np.zeros((480, 640, 3), np.uint8)

class Chatty(Foreign):
    def read(self, timeout_s):
        print("frame", flush=True)
        os.write(1, b"libcamera: frame")
        time.sleep(0.05)
        return np.zeros((480, 640), np.uint8)

class Unsupported(Foreign):
    def read(self, timeout_s): return None
    def _open(self): raise DriverUnsupported(self.name, "install the Debian package python3-libcamera")

class Clinging(Foreign):
    def read(self, timeout_s):
        time.sleep(0.05)
        return np.zeros((480, 640), np.uint8)
    def _close(self): time.sleep(3600)
"""


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "bench", patience_s=LONG_S)


@pytest.fixture
def terminal(bench):
    terminal = Terminal("simulated", {"bench": str(bench.folder), "width": 640, "height": 480})
    terminal.camera.start()
    yield terminal
    terminal.camera.stop()


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """Cameras of another package, found as any installed package is: by its entry points."""
    (tmp_path / "foreign_cameras.py").write_text(FOREIGN_CAMERAS)
    info = tmp_path / "foreign_cameras-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-cameras\nVersion: 1.0\n")
    names = ("Aborting", "Coloured", "Chatty", "Unsupported", "Clinging")
    points = "".join(f"{name.lower()} = foreign_cameras:{name}\n" for name in names)
    (info / "entry_points.txt").write_text(f"[tillwave.drivers.camera]\n{points}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    terminals = []

    def make(driver: str, patience: Patience = HASTY) -> Terminal:
        terminals.append(Terminal(driver, {}, patience))
        terminals[-1].camera.start()
        return terminals[-1]

    yield make
    for terminal in terminals:
        terminal.camera.stop()


def test_code_before_the_camera_becomes_a_reading_once(terminal, bench):
    shown_ms = bench.show_qr(TOKEN, tilt_degrees=20, noise=8)
    reading = terminal.reading()
    assert (reading.source, reading.device, reading.symbology, reading.aim) == (Source.OPTICAL, "front", "QR", "]Q1")
    assert reading.text == TOKEN
    assert shown_ms <= reading.at_ms <= time.monotonic_ns() // 1_000_000
    time.sleep(0.5)
    assert terminal.readings.empty()


def test_bytes_cross_unharmed(terminal, bench):
    payload = bytes(range(256))
    bench.show_qr(payload)
    assert terminal.reading().raw == payload


def test_sale_that_begins_while_the_code_is_held_reads_it_again(terminal, bench):
    bench.show_qr(TOKEN)
    first = terminal.reading()
    terminal.camera.rearm()
    assert terminal.reading().raw == first.raw


def test_camera_that_stays_dead_is_never_called_working(bench):
    bench.break_device("camera", "front", "dead")
    terminal = Terminal("simulated", {"bench": str(bench.folder)})
    terminal.camera.start()
    try:
        terminal.health(HealthState.FAILED)
        first = terminal.pid()
        wait_until_dead(first)
        wait_until_dead(terminal.pid())
        assert terminal.healths.empty(), "one sentence is enough, however often it is tried"
    finally:
        terminal.camera.stop()
    assert terminal.health(HealthState.STOPPED) == ""


def test_unplugged_camera_is_missing_until_it_is_plugged_in(terminal, bench):
    terminal.health(HealthState.WORKING)
    process = terminal.pid()
    bench.unplug("camera", "front")
    assert terminal.health(HealthState.MISSING) == "unplugged"
    time.sleep(HASTY.frame_s + 0.5)
    bench.plug("camera", "front")
    terminal.health(HealthState.WORKING)
    assert terminal.pid() == process, "a missing camera is no reason to end the process"


def test_killed_process_is_replaced(terminal, bench):
    terminal.health(HealthState.WORKING)
    os.kill(terminal.pid(), signal.SIGKILL)
    assert terminal.health(HealthState.FAILED) == "its process was ended by SIGKILL; it is started again"
    terminal.health(HealthState.WORKING)
    bench.show_qr(TOKEN)
    assert terminal.reading().text == TOKEN


def test_library_that_aborts_ends_its_own_process_only(foreign):
    terminal = foreign("aborting")
    assert terminal.health(HealthState.FAILED) == "its process was ended by SIGABRT; it is started again"


def test_camera_of_colours_is_refused_with_the_reason(foreign):
    assert "uint8 array of height x width" in foreign("coloured").health(HealthState.FAILED)


def test_driver_that_lacks_something_says_what(foreign):
    assert foreign("unsupported").health(HealthState.FAILED) == "install the Debian package python3-libcamera"


def test_unknown_driver_is_named(foreign):
    assert 'no driver "nonsense"' in foreign("nonsense").health(HealthState.FAILED)


def test_library_that_prints_does_not_disturb(foreign):
    terminal = foreign("chatty")
    terminal.health(HealthState.WORKING)
    time.sleep(0.5)
    assert terminal.healths.empty()


def test_camera_that_does_not_let_go_is_ended_at_stop(foreign):
    terminal = foreign("clinging")
    terminal.health(HealthState.WORKING)
    process = terminal.pid()
    began = time.monotonic()
    terminal.camera.stop()
    assert time.monotonic() - began < LONG_S, "it would cling for an hour"
    assert not is_alive(process)


def test_stop_ends_the_process_and_may_be_called_twice(terminal):
    terminal.health(HealthState.WORKING)
    process = terminal.pid()
    terminal.camera.stop()
    terminal.camera.stop()
    assert not is_alive(process)
    assert terminal.camera.pid is None
    assert terminal.health(HealthState.STOPPED) == ""
    terminal.camera.rearm()
    terminal.camera.start()
    terminal.camera.start()
    terminal.health(HealthState.WORKING)


def test_start_does_not_wait_for_the_camera(bench):
    terminal = Terminal("simulated", {"bench": str(bench.folder), "fault": "hang-start"}, Patience(stop_s=1.0))
    began = time.monotonic()
    terminal.camera.start()
    assert time.monotonic() - began < Patience().open_s / 2
    terminal.camera.stop()
    assert terminal.processes() == []


def test_killed_terminal_takes_its_camera_along(tmp_path):
    program = (
        "import sys, time\n"
        "from device.decode.camera_process import CameraProcess\n"
        "from device.ports import HealthState\n"
        "def watch(name, health):\n"
        "    if health.state is HealthState.WORKING:\n"
        "        heavy = [name for name in ('numpy', 'PIL', 'zxingcpp', 'pyzbar') if name in sys.modules]\n"
        "        print(camera.pid, heavy, flush=True)\n"
        "camera = CameraProcess('front', 'simulated', {'bench': sys.argv[1]}, deliver=print, watch=watch)\n"
        "camera.start()\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as terminal:
        assert terminal.stdout is not None
        pid, _, heavy = terminal.stdout.readline().partition(" ")
        terminal.kill()
    assert heavy.strip() == "[]", "nothing of the camera's libraries is in the terminal"
    wait_until_dead(int(pid))


def test_every_message_comes_back():
    for message in (Seen("QR", b"\x00\xff\n", "]Q1", 7), Condition("missing", "unplugged"), Beat(3)):
        assert decode_from_process(encode(message).rstrip(b"\n")) == message
    for order in (Begin("front", "webcam", {"device": "/dev/video0", "width": 1280}), Rearm()):
        assert decode_to_process(encode(order).rstrip(b"\n")) == order


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"{}", b'{"type":"beat"}', b'{"type":"beat","frames":"many"}', b'{"type":"rearm"}', b"\xff\xfe"],
)
def test_nonsense_on_the_wire_is_refused(line):
    with pytest.raises(WireError):
        decode_from_process(line)


def test_torn_lines_are_put_together_and_endless_ones_refused():
    lines = Lines()
    assert lines.feed(b"one\ntw") == [b"one"]
    assert lines.feed(b"o\n") == [b"two"]
    for _ in range(LONGEST_LINE // 1024):
        assert lines.feed(bytes(1024)) == []
    with pytest.raises(WireError, match="more than"):
        lines.feed(b"x")
