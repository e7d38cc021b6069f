"""Scanners of all makes over real pseudo-terminals: the shipped driver against the shipped simulated scanner."""

from __future__ import annotations

import time

import pytest
from driver_stand import wait_until

from device.decode.scanned import ScannerDecoder
from device.drivers.registry import make_driver
from device.drivers.scanners.profile import find_profile, profile_names
from device.drivers.simulated.pty_scanner import Mood, PtyScanner
from device.drivers.simulated.voices import SsiVoice, make_voice
from device.ports import HealthState

SERIAL = [name for name in profile_names() if find_profile(name).protocol != "hid-pos"]
PATIENCE_S = 20.0
LONG = bytes(b"0123456789"[at % 10] for at in range(1200))


class Counter:
    """Scanners on a counter, each with its driver."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.drivers, self.scanners, self.scans = {}, {}, []

    def add(self, name: str, profile: str, repeat_ms: int = 2000, **options):
        scanner = PtyScanner(make_voice(find_profile(profile), repeat_ms), self.folder / f"usb-{name}-if00")
        scanner.plug()
        path = str(self.folder / f"usb-{name}-*")
        driver = make_driver("scanner", "serial", name, {"path": path, "profile": profile, **options})
        driver.listen(self.scans.append)
        self.drivers[name], self.scanners[name] = driver, scanner
        return scanner, driver

    def readings(self) -> list[tuple[str, str, bytes]]:
        """Give (source, symbology, payload) of what was delivered until now."""
        decoder = ScannerDecoder()
        found = [reading for scan in list(self.scans) for reading in decoder.feed(scan)]
        return [(reading.device, reading.symbology, reading.raw) for reading in found]

    def close(self) -> None:
        for driver in self.drivers.values():
            driver.stop()
        for scanner in self.scanners.values():
            scanner.unplug()


@pytest.fixture
def counter(tmp_path):
    counter = Counter(tmp_path)
    yield counter
    counter.close()


def works(driver) -> bool:
    return wait_until(lambda: driver.health.state is HealthState.WORKING, PATIENCE_S)


def letters_of(profile: str) -> bytes:
    """Give the maker's letters before a code, where the simulated scanner is not told them otherwise."""
    return b"P01" if profile == "zebra-code-id" else b""


@pytest.mark.parametrize("mood", [Mood.GOOD, Mood.TORN], ids=lambda mood: mood.value)
@pytest.mark.parametrize("profile", SERIAL)
def test_codes_come_through(counter, profile: str, mood: Mood):
    patience = {} if profile == "zebra-ssi" else {"patience_ms": 10_000}
    scanner, driver = counter.add("hand", profile, **patience)
    scanner.mood = mood
    driver.start()
    assert works(driver)
    for raw in (b"TW1:MFRGG", b"8711218972875"):
        scanner.scan(letters_of(profile) + raw, "" if letters_of(profile) else "]Q1")
    assert wait_until(lambda: len(counter.scans) == 2, PATIENCE_S)
    wanted = "UNKNOWN" if profile == "gm861-wrapped" else "QR"
    assert counter.readings() == [("hand", wanted, b"TW1:MFRGG"), ("hand", wanted, b"8711218972875")]


@pytest.mark.parametrize("segmented", [True, False])
def test_long_code_of_a_zebra_scanner_comes_in_packets(counter, segmented: bool):
    scanner, driver = counter.add("hand", "zebra-ssi")
    scanner.voice = SsiVoice(segmented=segmented)
    driver.start()
    assert works(driver)
    scanner.scan(LONG)
    assert wait_until(lambda: counter.readings() == [("hand", "QR", LONG)], PATIENCE_S)


def test_damaged_packets_are_sent_again_and_delivered_once(counter):
    scanner, driver = counter.add("hand", "zebra-ssi")
    driver.start()
    assert works(driver)
    scanner.mood = Mood.DAMAGED
    for number in range(4):
        scanner.scan(b"code %d" % number, kind=0x03)
        assert wait_until(lambda number=number: len(counter.scans) == number + 1, PATIENCE_S)
    assert [raw for _, _, raw in counter.readings()] == [b"code %d" % number for number in range(4)]
    scanner.mood = Mood.GOOD
    assert wait_until(lambda: scanner.voice.acknowledged == 4, PATIENCE_S)


def test_article_numbers_of_a_zebra_scanner_are_those_of_all_others(counter):
    scanner, driver = counter.add("hand", "zebra-ssi")
    driver.start()
    assert works(driver)
    for raw, kind in ((b"036000291452", 0x08), (b"01234505", 0x09), (b"6901234567892", 0x0B), (b"96385074", 0x0A)):
        scanner.scan(raw, kind=kind)
    assert wait_until(lambda: len(counter.scans) == 4, PATIENCE_S)
    assert counter.readings() == [
        ("hand", "EAN13", b"0036000291452"),
        ("hand", "UPCE", b"0012000003455"),
        ("hand", "EAN13", b"6901234567892"),
        ("hand", "EAN8", b"96385074"),
    ]


@pytest.mark.parametrize("profile", ["zebra-ssi", "gm65"])
def test_deaf_scanner_is_said_and_taken_up_again_when_it_hears(counter, profile: str):
    scanner, driver = counter.add("hand", profile)
    scanner.mood = Mood.DEAF
    driver.start()
    assert wait_until(lambda: driver.health.state is HealthState.FAILED, PATIENCE_S)
    assert "does not answer" in driver.health.detail
    scanner.mood = Mood.GOOD
    assert works(driver)
    scanner.scan(b"1")
    assert wait_until(lambda: counter.scans, PATIENCE_S)


@pytest.mark.parametrize(
    ("profile", "mood"),
    [
        ("generic-ascii", Mood.BABBLING),
        ("generic-ascii", Mood.FLOODING),
        ("gm861-wrapped", Mood.BABBLING),
        ("zebra-ssi", Mood.BABBLING),
    ],
)
def test_noise_and_floods_are_said_cost_little_and_end(counter, profile: str, mood: Mood):
    scanner, driver = counter.add("hand", profile)
    driver.start()
    assert works(driver)
    scanner.mood = mood
    assert wait_until(lambda: driver.health.state is HealthState.FAILED, PATIENCE_S)
    assert "noise" in driver.health.detail
    before = scanner.sent_bytes
    assert wait_until(lambda: scanner.sent_bytes > before + 10_000, PATIENCE_S)
    scanner.mood = Mood.GOOD
    assert works(driver)
    scanner.scan(b"after", "]Q1")
    assert wait_until(lambda: counter.scans and counter.scans[-1].raw.endswith(b"after"), PATIENCE_S)


def test_flooded_driver_leaves_the_processor_to_others(counter):
    scanner, driver = counter.add("hand", "generic-ascii")
    driver.start()
    assert works(driver)
    scanner.mood = Mood.FLOODING
    assert wait_until(lambda: driver.health.state is HealthState.FAILED, PATIENCE_S)
    delivered, cost, begun = len(counter.scans), time.process_time(), time.monotonic()
    time.sleep(1.0)
    passed_s = time.monotonic() - begun
    assert time.process_time() - cost < passed_s / 2  # both sides together
    assert len(counter.scans) - delivered < 100 + 100 * passed_s


def test_several_scanners_at_once_say_who_they_are_and_find_their_own_port_again(counter):
    plan = {"left": "gm65", "middle": "zebra-ssi", "right": "generic-ascii"}
    for name, profile in plan.items():
        counter.add(name, profile)
    for driver in counter.drivers.values():
        driver.start()
    assert all(works(driver) for driver in counter.drivers.values())
    for scanner in counter.scanners.values():
        scanner.unplug()
    for driver in counter.drivers.values():
        assert wait_until(lambda driver=driver: driver.health.state is HealthState.MISSING, PATIENCE_S)
    for name in reversed(plan):
        counter.scanners[name].voice = make_voice(find_profile(plan[name]))
        counter.scanners[name].plug()
    assert all(works(driver) for driver in counter.drivers.values())
    for name, scanner in counter.scanners.items():
        scanner.scan(f"from {name}".encode(), "]Q1")
    assert wait_until(lambda: len(counter.scans) == 3, PATIENCE_S)
    assert {(device, raw) for device, _, raw in counter.readings()} == {
        (name, f"from {name}".encode()) for name in plan
    }


def test_module_that_falls_asleep_is_opened_anew(counter, tmp_path):
    quick = (
        'title = "Quick"\nprotocol = "grow"\n[heartbeat]\nevery_s = 1\nmisses = 1\n'
        '[[start]]\nabout = "read"\nsend = "0000 D6"\n'
    )
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "gm65.toml").write_text(quick)
    scanner, driver = counter.add("hand", "gm65", profile_folder=str(tmp_path / "profiles"))
    driver.start()
    assert works(driver)
    scanner.mood = Mood.DEAF
    assert wait_until(lambda: driver.health.state is HealthState.FAILED, PATIENCE_S)
    assert "does not answer" in driver.health.detail
    scanner.voice = make_voice(find_profile("gm65"))
    scanner.mood = Mood.GOOD
    assert works(driver)
    assert scanner.voice.zones[0] == 0xD6


def test_line_can_be_watched(counter):
    scanner, driver = counter.add("hand", "gm65")
    received, sent = bytearray(), bytearray()
    driver.tap(lambda heard, said: (received.extend(heard), sent.extend(said)))
    driver.start()
    assert works(driver)
    scanner.scan(b"1", "]Q1")
    assert wait_until(lambda: counter.scans, PATIENCE_S)
    assert sent.startswith(bytes.fromhex("7E0008010000D6DF22"))
    assert received.endswith(b"]Q11\r")
