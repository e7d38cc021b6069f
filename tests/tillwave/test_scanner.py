"""`tillwave scanner`, as a technician uses it beside a new scanner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import tty

import pytest
from typer.testing import CliRunner

from device.drivers.scanners.hid_pos import make_reports
from device.drivers.scanners.profile import SHIPPED, find_profile, profile_names
from device.drivers.serial_scanner import serial_scanner
from device.drivers.simulated.pty_scanner import PtyScanner
from device.drivers.simulated.voices import make_voice
from device.ports import HealthState
from tillwave.commands.scanner import app


def wait_until(true, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (held := true()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return held


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def scanner(tmp_path):
    scanner = PtyScanner(make_voice(find_profile("gm65")), tmp_path / "usb-gm65-if00")
    scanner.plug()
    yield scanner
    scanner.unplug()


def test_profiles_are_listed():
    shown = run("profiles")
    assert shown.exit_code == 0
    assert [line.split()[0] for line in shown.output.splitlines()] == list(profile_names())
    rows = [json.loads(line) for line in run("profiles", "--json").output.splitlines()]
    assert {row["name"]: row["driver"] for row in rows}["hid-pos"] == "hid-pos"


def test_profile_is_printed_and_can_be_changed(tmp_path):
    shown = run("show", "gm65")
    assert shown.output == (SHIPPED / "gm65.toml").read_text()
    (tmp_path / "ours.toml").write_text(shown.output.replace('title = "', 'title = "Our '))
    assert "ours                 serial   Our GROW" in run("profiles", "--folder", tmp_path).output


@pytest.mark.parametrize("arguments", [("show", "gm66"), ("try", "/dev/null", "--profile", "gm66")])
def test_unknown_profile_is_told_those_that_there_are(arguments):
    shown = run(*arguments)
    assert shown.exit_code == 3
    assert "known are: datalogic" in shown.output


def test_wrong_profile_is_named(tmp_path):
    (tmp_path / "ours.toml").write_text("title = 1")
    shown = run("profiles", "--folder", tmp_path)
    assert shown.exit_code == 3
    assert "ours.toml" in shown.output


def test_scanner_is_shown_with_what_it_hears_and_sends(scanner):
    def scan_when_it_is_set() -> None:
        assert wait_until(lambda: scanner.voice.zones[0xD0] == 0x80, 60.0)
        scanner.scan(b"\x1b[2Jevil", "]Q1")
        scanner.scan("瓶8711218972875".encode(), "]E0")

    holding = threading.Thread(target=scan_when_it_is_set)
    holding.start()
    shown = run("try", scanner.path, "--profile", "gm65", "--codes", "1", "--seconds", "60")
    holding.join()
    assert shown.exit_code == 0, shown.output
    assert "out      7e 00 08 01 00 00 d6 df 22" in shown.output
    assert "02 00 00 01 00 33 31" in shown.output
    assert "code     EAN13 ]E0 16 bytes: '瓶8711218972875'" in shown.output
    assert "refused  scanner: a scan of 8 bytes" in shown.output
    assert "\x1b[2J" not in shown.output


def test_scanner_that_sends_nothing_and_one_that_is_not_there(scanner, tmp_path):
    shown = run("try", scanner.path, "--seconds", "0.5", "--baud", "115200")
    assert (shown.exit_code, "nothing was read" in shown.output) == (1, True)
    away = run("try", tmp_path / "usb-away-*", "--seconds", "0.5")
    assert away.exit_code == 1
    assert "missing  nothing is plugged in" in away.output


def test_hid_pos_scanner_is_shown(tmp_path):
    master, slave = os.openpty()
    tty.setraw(slave)
    (tmp_path / "hidraw0").symlink_to(os.ttyname(slave))
    os.close(slave)
    stop = threading.Event()

    def scan_again_and_again() -> None:
        while not stop.wait(0.3):
            os.write(master, make_reports(b"6901234567892", "]E0")[0])

    holding = threading.Thread(target=scan_again_and_again)
    holding.start()
    shown = run("try", tmp_path / "hidraw0", "--profile", "hid-pos", "--codes", "1", "--seconds", "60")
    stop.set()
    holding.join()
    os.close(master)
    assert shown.exit_code == 0
    assert "code     EAN13 ]E0 13 bytes: '6901234567892'" in shown.output


def test_pretended_scanner_is_one(tmp_path):
    link = tmp_path / "usb-pretended"
    command = [sys.executable, "-m", "tillwave", "scanner", "pretend", str(link), "--profile", "zebra-ssi"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pretended:
        assert pretended.stdin is not None
        assert pretended.stdout is not None
        assert b"is plugged in" in pretended.stdout.readline()
        heard: list[bytes] = []
        driver = serial_scanner(str(link), lambda scan: heard.append(scan.raw), "zebra-ssi")
        driver.start()
        assert wait_until(lambda: driver.health.state is HealthState.WORKING, 30.0)
        pretended.stdin.write("喝茶\n".encode())
        pretended.stdin.flush()
        assert wait_until(lambda: heard == ["喝茶".encode()], 30.0)
        pretended.stdin.close()
        assert pretended.wait(30) == 0
        assert wait_until(lambda: driver.health.state is HealthState.MISSING, 30.0)
        driver.stop()
    assert not link.is_symlink()


@pytest.mark.parametrize("arguments", [("--profile", "hid-pos"), ("--mood", "sad"), ("--profile", "none")])
def test_what_cannot_be_pretended_is_said(tmp_path, arguments):
    assert run("pretend", tmp_path / "x", *arguments).exit_code == 3


def test_place_that_is_taken_is_said(tmp_path):
    (tmp_path / "x").touch()
    shown = run("pretend", tmp_path / "x")
    assert (shown.exit_code, "File exists" in shown.output) == (1, True)
