from __future__ import annotations

import time

import numpy as np
import pytest
from code_pictures import noisy, picture_of, put, tilted
from PIL import Image, ImageFilter

from device.decode.ballot import Ballot
from device.decode.barlook import bar_look
from device.decode.bars import EAN8, EAN13, UPCE, match
from device.decode.budget import Budget
from device.decode.codes import Box, Code
from device.decode.deblur import Blur, Deblurrer
from device.decode.doubt import confirmed
from device.decode.linear import poll_place
from device.decode.optical import Hint, OpticalDecoder, read_still
from device.decode.pictures import blurred, evened, rotated, stretched
from device.decode.regions import Region, find_regions, main_direction
from device.decode.rescue import Rescue
from device.decode.symbologies import SYMBOLOGIES
from device.decode.wanted import Wanted
from device.decode.zxing import zxing_look

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
QR = frozenset({"QR"})
EAN = "4006381333931"


def out_of_focus(picture: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(sigma)))


def counter(lots: np.random.Generator) -> np.ndarray:
    """Plain things with sharp edges, and the grain of a sensor."""
    picture = np.full((480, 640), 110, np.uint8)
    for _ in range(8):
        top, left = int(lots.integers(0, 400)), int(lots.integers(0, 500))
        picture[top : top + int(lots.integers(30, 80)), left : left + int(lots.integers(30, 140))] = lots.integers(
            20, 235
        )
    return noisy(picture, 5, int(lots.integers(0, 1000)))


@pytest.mark.parametrize("seed", range(5))
def test_blurred_code_among_plain_things_is_the_most_promising_place(seed):
    lots = np.random.default_rng(seed)
    picture = counter(lots)
    code = out_of_focus(picture_of(TOKEN, size=(180, 180)), 2)
    top, left = int(lots.integers(20, 280)), int(lots.integers(20, 440))
    put(picture, code, top=top, left=left)
    place = find_regions(picture).matrix[0]
    assert abs((place.top + place.bottom) / 2 - (top + 90)) < 16
    assert abs((place.left + place.right) / 2 - (left + 90)) < 16


@pytest.mark.parametrize("degrees", [-70, -35, 0, 20, 55, 90])
def test_direction_of_bars_is_found(degrees):
    picture = tilted(picture_of(EAN, "EAN13"), degrees)
    place = find_regions(picture).linear[0]
    assert place.angle_deg is not None
    turn = (place.angle_deg + degrees) % 180
    assert min(turn, 180 - turn) < 11, "near enough for the decoders"
    direction = main_direction(picture)
    assert direction is not None
    assert min((direction + degrees) % 180, 180 - (direction + degrees) % 180) < 6


@pytest.mark.parametrize("picture", [np.full((480, 640), 128, np.uint8), noisy(np.full((480, 640), 128, np.uint8), 12)])
def test_nothing_and_noise_are_no_place(picture):
    assert find_regions(picture).matrix == ()
    assert find_regions(picture).linear == ()


def test_defocus_is_taken_back():
    picture = out_of_focus(picture_of(TOKEN, size=(200, 200)), 1.9)
    assert zxing_look(picture, QR) == []
    (code,) = zxing_look(Deblurrer(picture).sharp(Blur(1.9, noise=0.01)), QR)
    assert code.raw == TOKEN.encode()


@pytest.mark.parametrize("angle", [0.0, 60.0, 45.0])
def test_motion_is_taken_back(angle):
    sharp = Image.fromarray(picture_of(TOKEN, size=(200, 200)))
    steps = np.linspace(-3.5, 3.5, 15)
    moved = [
        sharp.transform(sharp.size, Image.Transform.AFFINE, (1, 0, far * x, 0, 1, far * y), Image.Resampling.BILINEAR)
        for far in steps
        for x, y in [(np.cos(np.radians(angle)), np.sin(np.radians(angle)))]
    ]
    picture = np.mean([np.asarray(one, np.float32) for one in moved], axis=0).astype(np.uint8)
    assert zxing_look(picture, QR) == []
    (code,) = zxing_look(Deblurrer(picture).sharp(Blur(0.8, 7.0, angle, 0.03)), QR)
    assert code.raw == TOKEN.encode()


@pytest.mark.parametrize("shape", [(9, 9), (17, 64), (100, 33)])
def test_pictures_of_any_size_come_back_twice_as_large(shape):
    height, width = shape
    assert Deblurrer(np.full(shape, 77, np.uint8)).sharp(Blur(1.0, 3.0, 30.0)).shape == (2 * height, 2 * width)


def test_rescue_ends_with_its_budget_and_goes_on_later():
    noise = np.random.default_rng(1).integers(0, 255, (300, 300), dtype=np.uint8)
    region = Region(20, 20, 280, 280, 1.0)

    def spent_ms(rescue: Rescue, budget_ms: float) -> float:
        began = time.thread_time()
        assert rescue.look(noise, region, Budget(budget_ms)) == []
        return 1000 * (time.thread_time() - began)

    whole_ms = spent_ms(Rescue(), 600_000)
    rescue = Rescue()
    assert spent_ms(rescue, whole_ms / 10) < whole_ms / 2
    assert spent_ms(rescue, 0) < whole_ms / 10


def test_blurred_phone_is_read_from_one_picture():
    picture = np.full((480, 640), 90, np.uint8)
    put(picture, picture_of(TOKEN, size=(200, 200)))
    picture = noisy(out_of_focus(picture, 2.0), 5)
    assert zxing_look(picture, QR) == []
    assert [reading.raw for reading in read_still(picture)] == [TOKEN.encode()]


def test_moving_phone_is_read_from_its_stream():
    decoder = OpticalDecoder()
    readings = []
    for number in range(64):  # a busy machine gets fewer looks out of the time for each picture
        picture = np.full((480, 640), 90, np.uint8)
        step = abs(number % 16 - 8)
        put(picture, picture_of(TOKEN, size=(200, 200)), top=100 + 9 * step, left=150 + 7 * step)
        readings += decoder.feed(noisy(out_of_focus(picture, 1.8), 5, number), at_ms=100 * number)
        if readings:
            break
    assert [reading.raw for reading in readings] == [TOKEN.encode()]


def test_shopper_is_told_why_a_code_in_view_is_not_read():
    blur = out_of_focus(picture_of(TOKEN, size=(140, 140)), 3.5)
    bright = np.clip((blur.astype(np.int16) - 150) * 3 + 230, 0, 255).astype(np.uint8)
    for shown, hint in ((blur, Hint.NOT_READ), (bright, Hint.TOO_BRIGHT)):
        decoder = OpticalDecoder()
        assert decoder.hint is None
        for number in range(9):
            picture = np.full((480, 640), 200, np.uint8)
            put(picture, shown, top=100 + 4 * number, left=150 + 4 * number)
            assert decoder.feed(noisy(picture, 3, number), at_ms=100 * number) == []
        assert decoder.hint is hint
        for number in range(2):
            decoder.feed(np.full((480, 640), 60 + 80 * number, np.uint8), at_ms=1000 + 100 * number)
        assert decoder.hint is None


def profile_of(kind: str, digits: str, blur: float) -> tuple[np.ndarray, float, float]:
    """Grey levels across a code of 3 pixels a module, with the places of its first and last bar."""
    picture = blurred(picture_of(digits, kind, size=(180, 420)), blur * 3)
    sharp = picture_of(digits, kind, size=(180, 420))[60]
    dark = np.flatnonzero(sharp < 128)
    return picture[55:65].mean(axis=0).astype(np.float32), float(dark[0]), float(dark[-1] + 1)


@pytest.mark.parametrize("blur", [0.3, 0.5, 0.65])
@pytest.mark.parametrize(
    ("kind", "layout", "given", "expected"),
    [
        ("EAN13", EAN13, EAN, EAN),
        ("EAN13", EAN13, "9780201379624", "9780201379624"),
        ("UPCA", EAN13, "036000291452", "0036000291452"),
        ("EAN8", EAN8, "96385074", "96385074"),
        ("UPCE", UPCE, "01234565", "0012345000065"),
    ],
)
def test_bars_are_read_out_of_blur(kind, layout, given, expected, blur):
    profile, start, end = profile_of(kind, given, blur)
    around = np.arange(-9, 9.1, 1.0)
    found = match(profile, layout, start + around, end + around, max(0.45, blur))
    assert found is not None
    assert found.digits == expected
    assert (found.start, found.end) == (pytest.approx(start, abs=2), pytest.approx(end, abs=2))
    assert found.margin > 0.01


def test_bars_refute_a_misread():
    picture = picture_of("5030159003930", "EAN13")
    (seen,) = zxing_look(picture, frozenset({"EAN13"}))
    misread = Code("EAN13", b"7034759003930", "]E0", seen.box)
    assert [code.raw for code in bar_look(picture, misread)] == [b"5030159003930"]


def test_bars_say_nothing_where_there_are_none():
    nowhere = Code("EAN13", b"5030159003930", "]E0", Box(0.1, 0.1, 0.4, 0.3))
    assert bar_look(noisy(np.full((480, 640), 128, np.uint8), 20), nowhere) == []
    assert bar_look(picture_of(TOKEN), Code("CODE128", b"TILL", SYMBOLOGIES["CODE128"].aim, nowhere.box)) == []


@pytest.mark.parametrize("degrees", [20, 33, 45, 65, -30])
def test_code_held_at_an_angle_is_read(degrees):
    canvas = np.full((480, 640), 120, np.uint8)
    put(canvas, rotated(picture_of(EAN, "EAN13", scale=2, size=(120, 260)), degrees))
    canvas = noisy(canvas, 4)
    assert [reading.raw for reading in read_still(canvas)] == [EAN.encode()]
    ballot = Ballot(0)
    poll_place(canvas, find_regions(canvas).linear[0], ballot, Wanted(), Budget(500))
    assert [code.raw for code in ballot.elected()] == [EAN.encode()]
    decoder = OpticalDecoder()
    readings = [reading for at in range(6) for reading in decoder.feed(noisy(canvas, 3, at), at_ms=100 * at)]
    assert [reading.raw for reading in readings] == [EAN.encode()]


def test_picture_that_does_not_change_costs_next_to_nothing():
    decoder = OpticalDecoder()
    picture = noisy(np.full((720, 1280), 120, np.uint8), 2)
    spent = []
    for number in range(40):
        began = time.thread_time()
        decoder.feed(picture, at_ms=40 * number)
        spent.append(time.thread_time() - began)
    assert sorted(spent)[20] < spent[0] / 4


def test_dark_and_shaded_pictures_are_evened_out():
    picture = picture_of(TOKEN, size=(200, 200)).astype(np.float32)
    dark = (picture * 0.08).astype(np.uint8)
    assert stretched(dark).max() == 255
    assert stretched(np.full((10, 10), 9, np.uint8)).max() == 9
    shade = np.linspace(1, 0.12, 200)[None]
    shaded = (picture * shade).astype(np.uint8)
    (code,) = zxing_look(evened(shaded, 20), QR)
    assert code.raw == TOKEN.encode()


def test_small_matrix_code_is_believed_alone_and_not_as_a_part_of_a_larger_one():
    small, large = picture_of("12345", "MicroQRCode"), picture_of(TOKEN)
    (seen,) = zxing_look(small, frozenset({"MICROQR"}))
    assert confirmed(small, [seen]) == [seen]
    (whole,) = zxing_look(large, QR)
    middle = Box(0.48, 0.48, 0.52, 0.52)
    assert confirmed(large, [whole, seen.at(middle)]) == [whole]


def test_look_gives_only_what_it_was_asked_for():
    assert zxing_look(picture_of("12345", "MicroQRCode"), QR) == []
    assert zxing_look(picture_of("TW1", "RMQRCode"), QR) == []
