from __future__ import annotations

import numpy as np
import pytest
from code_pictures import noisy, picture_of, put
from PIL import Image, ImageFilter

from device.decode.budget import Budget
from device.decode.regions import Region
from device.decode.rescue import Rescue
from device.decode.stacking import Stack
from device.decode.tracking import MatrixTrack

GENEROUS_MS = 60_000.0
TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"


def held_at(top: int, left: int, seed: int, sigma: float = 40, blur: float = 0) -> np.ndarray:
    """A code whose corner is there, before a sensor with a lot of noise."""
    picture = np.full((480, 640), 90, np.uint8)
    code = picture_of(TOKEN, size=(140, 140))
    put(picture, np.asarray(Image.fromarray(code).filter(ImageFilter.GaussianBlur(blur))), top=top, left=left)
    return noisy(picture, sigma, seed)


def place(top: int, left: int) -> Region:
    return Region(left, top, left + 140, top + 140, 1.0)


def test_noise_cancels_out_though_the_hand_moves_and_the_place_trembles():
    stack, lots = Stack(), np.random.default_rng(3)
    for number in range(8):
        top, left = 150 + 3 * number, 200 - 4 * number
        down, across = (int(each) for each in lots.integers(-6, 7, 2))
        stack.add(held_at(top, left, number), place(top + down, left + across), 20)
    mean = stack.mean()
    assert stack.depth == 8
    assert mean is not None
    clean = held_at(150, 200, 0, sigma=0).astype(np.float32)
    best = min(
        float(np.abs(mean.astype(np.float32) - clean[top : top + 180, left : left + 180]).mean())
        for top in range(122, 139)
        for left in range(172, 189)
    )
    assert best < 16, "one picture alone is off by 32 and more"


def test_mean_of_one_picture_is_none():
    stack = Stack()
    assert stack.mean() is None
    stack.add(held_at(150, 200, 1), place(150, 200), 20)
    assert stack.mean() is None


def test_other_thing_at_the_place_begins_anew():
    stack = Stack()
    for number in range(3):
        stack.add(held_at(150, 200, number, 5), place(150, 200), 20)
    other = np.random.default_rng(1).integers(0, 255, (480, 640), dtype=np.uint8)
    stack.add(other, place(150, 200), 20)
    assert stack.depth == 1


@pytest.mark.parametrize(("top", "left"), [(-30, 200), (150, 560), (400, 10)])
def test_place_that_leaves_the_picture_begins_anew(top, left):
    stack = Stack()
    stack.add(held_at(150, 200, 1, 5), place(150, 200), 20)
    stack.add(held_at(150, 200, 2, 5), place(top, left), 20)
    assert stack.depth == 1


def test_large_place_is_not_stacked():
    stack = Stack()
    for number in range(3):
        stack.add(held_at(150, 200, number), Region(10, 10, 600, 470, 1.0), 20)
    assert stack.depth == 0


@pytest.mark.parametrize(("sigma", "blur"), [(30, 1.9), (60, 1.6)])
def test_code_that_noise_and_blur_hide_in_each_picture_is_read_from_several(sigma, blur):
    track, read = MatrixTrack(), []
    for number in range(9):
        picture, where = held_at(150 + number, 200 - number, number, sigma, blur), place(150 + number, 200 - number)
        assert Rescue(brief=True).look(picture, where, Budget(GENEROUS_MS)) == [], "one picture is not enough"
        read += track.look(picture, where, Budget(GENEROUS_MS))
    assert {code.raw for code in read} == {TOKEN.encode()}
