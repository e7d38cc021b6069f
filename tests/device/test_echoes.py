from __future__ import annotations

import pytest

from device.echoes import WINDOW_MS, Echoes
from device.ports import Reading, Source

CODE, OTHER = b"6901234567892", b"6901234567893"


def seen(device: str, at_ms: int, raw: bytes = CODE, source: Source = Source.OPTICAL) -> Reading:
    return Reading(source, device, "EAN13", raw, at_ms, "]E0")


def scanned(device: str, at_ms: int, raw: bytes = CODE) -> Reading:
    return Reading(Source.SCANNER, device, "UNKNOWN", raw, at_ms)


def passed(*readings: Reading) -> list[Reading]:
    delivered: list[Reading] = []
    echoes = Echoes(delivered.append)
    for reading in readings:
        echoes.take(reading)
    return delivered


def test_code_in_view_of_two_cameras_is_read_once():
    first = seen("front", 1000)
    assert passed(first, seen("side", 1090), seen("third", 1400)) == [first]


@pytest.mark.parametrize("late_ms", [-80, 0, 300])
def test_article_that_a_camera_sees_at_the_hand_scanner_counts_once(late_ms):
    first = scanned("hand", 1000)
    assert passed(first, seen("front", 1000 + late_ms)) == [first]
    first = seen("front", 1000)
    assert passed(first, scanned("hand", 1000 + late_ms)) == [first]


def test_every_reading_of_one_device_counts():
    twice = [scanned("hand", 1000), scanned("hand", 1500)]
    assert passed(*twice) == twice


def test_two_hand_scanners_are_two_hands():
    both = [scanned("hand", 1000), scanned("other", 1100)]
    assert passed(*both) == both


def test_other_codes_and_later_ones_count():
    readings = [seen("front", 1000), seen("side", 1100, OTHER), seen("side", 1000 + WINDOW_MS)]
    assert passed(*readings) == readings


def test_second_article_that_is_scanned_while_the_first_is_in_view_counts():
    readings = [scanned("hand", 1000), scanned("hand", 1600)]
    assert passed(readings[0], seen("front", 1100), readings[1]) == readings


def test_sale_that_begins_reads_again_what_any_device_sees():
    delivered: list[Reading] = []
    echoes = Echoes(delivered.append)
    echoes.take(seen("front", 1000))
    echoes.clear()
    echoes.take(seen("side", 1100))
    assert [reading.device for reading in delivered] == ["front", "side"]


def test_nothing_old_is_kept():
    echoes = Echoes(lambda _: None)
    for number in range(1000):
        echoes.take(seen("front", 2 * WINDOW_MS * number, str(number).encode()))
    assert len(echoes._heard) == 1


def test_log_names_devices_but_not_the_code(caplog):
    caplog.set_level("INFO")
    passed(seen("front", 1000), seen("side", 1100))
    assert "repeats what front has read" in caplog.text
    assert CODE.decode() not in caplog.text
