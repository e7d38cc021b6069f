"""The serial scanner over a real pseudo terminal."""

import logging
import time

import pytest
import serial
from driver_rigs import SerialRig
from driver_stand import wait_until

from device.drivers.registry import make_driver
from device.ports import HealthState


@pytest.fixture
def rig(tmp_path):
    rig = SerialRig(tmp_path)
    rig.subject.start()
    assert rig.is_in(HealthState.WORKING)
    yield rig
    rig.close()


def codes(rig: SerialRig) -> list[bytes]:
    return [scan.raw for scan in rig.delivered]


def test_torn_code_is_put_together(rig):
    for piece in (b"TW1:", b"ABCD", b"EFGH", b"\r"):
        rig.send(piece)
        time.sleep(0.05)
    assert wait_until(lambda: codes(rig) == [b"TW1:ABCDEFGH"])


def test_merged_codes_arrive_in_order(rig):
    rig.send(b"]E06901234567892\r\n]Q1TW1:ABC\r\n123\t")
    assert wait_until(lambda: codes(rig) == [b"]E06901234567892", b"]Q1TW1:ABC", b"123"])


def test_bytes_stay_as_they_were_sent(rig):
    raw = bytes(byte for byte in range(256) if byte not in b"\r\n\t")
    rig.send(raw + b"\r")
    assert wait_until(lambda: codes(rig) == [raw])


def test_time_is_that_of_the_last_byte(rig):
    rig.send(b"123")
    time.sleep(0.1)
    before_ms = time.monotonic_ns() // 1_000_000
    rig.send(b"456\r")
    assert wait_until(lambda: rig.delivered)
    assert before_ms <= rig.delivered[0].at_ms <= time.monotonic_ns() // 1_000_000


def test_flood_without_suffix_is_dropped_and_said(rig, caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(8):
            rig.send(b"7" * 1000)
        rig.send(b"\r")
        rig.send(b"next\r")
        assert wait_until(lambda: codes(rig) == [b"next"])
    assert "1 too long" in caplog.text
    assert "777" not in caplog.text


def test_flood_of_codes_is_slowed_down(rig):
    begun = time.monotonic()
    for _ in range(20):
        rig.send(b"1\r" * 100)
    assert wait_until(lambda: len(rig.delivered) >= 40)
    time.sleep(0.2)
    assert len(rig.delivered) <= 41 + 40 * (time.monotonic() - begun)


def test_what_was_scanned_before_the_start_is_forgotten(tmp_path):
    rig = SerialRig(tmp_path)
    rig.send(b"old\r")
    rig.subject.start()
    assert rig.is_in(HealthState.WORKING)
    rig.send(b"new\r")
    assert wait_until(lambda: rig.delivered)
    rig.close()
    assert codes(rig) == [b"new"]


def test_code_that_was_cut_by_unplugging_is_not_delivered(rig):
    rig.send(b"690123")
    time.sleep(0.05)
    rig.unplug()
    assert rig.is_in(HealthState.MISSING)
    rig.plug()
    assert rig.is_in(HealthState.WORKING)
    rig.send(b"4567892\r")
    assert wait_until(lambda: codes(rig) == [b"4567892"])


def test_port_in_use_is_missing_until_it_is_free(tmp_path):
    rig = SerialRig(tmp_path)
    with serial.Serial(str(tmp_path / "scanner"), exclusive=True):
        rig.subject.start()
        assert rig.is_in(HealthState.MISSING)
        assert "lock" in rig.subject.health.detail
    assert rig.is_in(HealthState.WORKING)
    rig.close()


def test_scanner_without_suffix_ends_by_silence(tmp_path):
    rig = SerialRig(tmp_path)
    subject = make_driver(
        "scanner", "serial", "mute", {"path": str(tmp_path / "scanner"), "suffix": "none", "silence_ms": 30}
    )
    heard = []
    subject.listen(heard.append)
    subject.start()
    assert wait_until(lambda: subject.health.state is HealthState.WORKING)
    rig.send(b"690123")
    assert wait_until(lambda: [scan.raw for scan in heard] == [b"690123"])
    subject.stop()
    rig.close()


def test_pattern_finds_the_one_device_and_refuses_two(tmp_path):
    rig = SerialRig(tmp_path)
    subject = make_driver("scanner", "serial", "any", {"path": str(tmp_path / "scan*")})
    (tmp_path / "scanner2").symlink_to((tmp_path / "scanner").readlink())
    subject.start()
    assert wait_until(lambda: subject.health.state is HealthState.MISSING)
    assert "make it more exact" in subject.health.detail
    (tmp_path / "scanner2").unlink()
    assert wait_until(lambda: subject.health.state is HealthState.WORKING)
    subject.stop()
    rig.close()


def test_idle_driver_costs_nothing(rig):
    begun, before = time.monotonic(), time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < (time.monotonic() - begun) / 4
