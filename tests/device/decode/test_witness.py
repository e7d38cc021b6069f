from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from code_pictures import noisy, picture_of, put, ruined
from PIL import Image

from device.decode.codes import Box, Code
from device.decode.optical import OpticalDecoder
from device.decode.regions import Region, Regions
from device.decode.witness import Witness, hint_of
from device.sight import Hint

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
HEIGHT, WIDTH = 480, 640
LOOK: dict[str, Any] = {"looked_for": frozenset({"QR"}), "spent_ms": 5.0}


def scene(card: np.ndarray, left: int = 200, top: int = 150, ground: int = 200) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH), ground, np.uint8)
    put(picture, card, top=top, left=left)
    return picture


def card(side: int = 148, across: float = 1.0) -> np.ndarray:
    """What looks like a code but cannot be read, of so many pixels, squeezed as by a slant."""
    sharp = Image.fromarray(ruined())
    return np.asarray(sharp.resize((int(side * across), side), Image.Resampling.BICUBIC))


def watch(pictures, every_ms: int = 100) -> OpticalDecoder:
    decoder = OpticalDecoder()
    for number, picture in enumerate(pictures):
        assert decoder.feed(noisy(picture, 2, number), at_ms=every_ms * number) == []
    return decoder


def test_code_that_is_seen_but_not_read_has_a_hint_and_its_place():
    decoder = watch(scene(card(), left=200 + 2 * number) for number in range(9))
    assert decoder.hint is Hint.NOT_READ
    (place,) = decoder.places
    assert 0.25 < place.left < place.right < 0.65
    (mark,) = decoder.marks
    assert (mark.symbology, mark.length, mark.hint) == ("", 0, Hint.NOT_READ)
    assert mark.looks >= 6
    assert mark.spent_ms > 0


def test_hint_waits_for_time_also_at_many_pictures_a_second():
    assert watch((scene(card(), left=200 + number) for number in range(9)), every_ms=20).hint is None


def test_small_code_should_come_closer():
    assert watch(scene(card(56), left=200 + 2 * number) for number in range(9)).hint is Hint.CLOSER


def test_code_over_the_edge_should_go_farther():
    large = card(470)
    cut = (scene(large[:, : 300 - 2 * number], left=340 + 2 * number, top=4) for number in range(9))
    assert watch(cut).hint is Hint.FARTHER


def test_slanted_code_should_be_tilted_back():
    assert watch(scene(card(180, 0.35), left=200 + number) for number in range(9)).hint is Hint.TILT


def test_restless_code_should_be_held_still():
    assert watch(scene(card(), left=150 + 45 * (number % 2)) for number in range(12)).hint is Hint.HOLD_STILL


def test_dark_shop_is_told_without_a_place():
    decoder = watch(np.full((HEIGHT, WIDTH), 12 + 20 * (number % 2), np.uint8) for number in range(3))
    assert decoder.hint is Hint.TOO_DARK
    assert decoder.places == ()


def test_code_in_the_dark_is_too_dark():
    dark = (card().astype(np.uint16) * 45 // 255).astype(np.uint8)
    assert hint_of(scene(dark, ground=40), Region(200, 150, 340, 290, 1.0)) is Hint.TOO_DARK


def test_read_code_has_a_mark_without_its_content_and_no_hint():
    decoder = OpticalDecoder()
    decoder.feed(picture_of(TOKEN), at_ms=0)
    assert decoder.hint is None
    (mark,) = decoder.marks
    assert (mark.symbology, mark.length, mark.hint) == ("QR", len(TOKEN), None)
    assert TOKEN not in repr(mark)
    for number in range(40):
        decoder.feed(picture_of(TOKEN), at_ms=100 * number)
    assert len(decoder.marks) == 1, "a code in view keeps its mark"
    for number in range(10):
        decoder.feed(np.full((HEIGHT, WIDTH), 100 + 10 * number, np.uint8), at_ms=5000 + 300 * number)
    assert decoder.marks == ()


def test_code_that_one_look_misses_is_not_called_unread():
    witness, picture = Witness(), np.full((HEIGHT, WIDTH), 200, np.uint8)
    code = Code("QR", b"12345", "]Q1", Box(0.3, 0.3, 0.5, 0.6))
    witness.saw(picture, [code], Regions(), 0, **LOOK)
    witness.saw(picture, [], Regions(matrix=(Region(200, 150, 320, 280, 9.0),)), 100, **LOOK)
    assert [mark.symbology for mark in witness.marks] == ["QR"]


def test_code_that_is_gone_loses_its_mark_though_the_picture_rests():
    decoder = OpticalDecoder()
    decoder.feed(picture_of(TOKEN), at_ms=0)
    assert [mark.symbology for mark in decoder.marks] == ["QR"]
    for number in range(1, 40):
        decoder.feed(scene(card()), at_ms=100 * number)
    assert [mark.symbology for mark in decoder.marks] == [""]


def saw_region(witness: Witness, now: int, left: int = 200) -> None:
    picture = np.full((HEIGHT, WIDTH), 200, np.uint8)
    witness.saw(picture, [], Regions(matrix=(Region(left, 150, left + 120, 270, 9.0),)), now, **LOOK)


def test_one_missing_look_does_not_begin_the_count_again():
    witness = Witness()
    for number in range(8):
        saw_region(witness, 100 * number)
    assert witness.hint is Hint.NOT_READ
    witness.saw(np.full((HEIGHT, WIDTH), 200, np.uint8), [], Regions(), 800, **LOOK)
    assert witness.hint is Hint.NOT_READ
    witness.saw(np.full((HEIGHT, WIDTH), 200, np.uint8), [], Regions(), 900, **LOOK)
    assert witness.hint is None
    assert witness.marks == ()


def test_pattern_of_the_shop_does_not_trouble_every_shopper():
    witness = Witness()
    for number in range(130):
        saw_region(witness, 100 * number)
    assert witness.hint is None
    for number in range(20):
        saw_region(witness, 13_000 + 100 * number, left=420)
    assert witness.hint is Hint.NOT_READ, "something else is in view now"
    for number in range(20):
        saw_region(witness, 15_000 + 100 * number)
    assert witness.hint is None, "the pattern is known already"
    for number in range(2):
        witness.saw(np.full((HEIGHT, WIDTH), 200, np.uint8), [], Regions(), 17_000 + 100 * number, **LOOK)
    for number in range(20):
        saw_region(witness, 90_000 + 100 * number)
    assert witness.hint is Hint.NOT_READ, "it was away for long, so this may be a code"


@pytest.mark.parametrize("level", [0, 90, 255])
def test_empty_scene_says_nothing_but_that_it_is_dark(level):
    decoder = watch(np.full((HEIGHT, WIDTH), level, np.uint8) for _ in range(20))
    assert decoder.hint is (Hint.TOO_DARK if level == 0 else None)
    assert decoder.marks == ()
