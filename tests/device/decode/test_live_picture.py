from __future__ import annotations

import io
import time

import numpy as np
import pytest
from code_pictures import noisy, picture_of, put
from PIL import Image

from device.decode.camera_wire import LARGEST_JPEG, Watch
from device.decode.live_picture import LivePicture, veiled
from device.decode.still import read_still
from device.sight import Place

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
EAN = "6901234567892"


def made(picture: np.ndarray, width: int = 640, *, is_veiled: bool = True) -> np.ndarray:
    live = LivePicture("front")
    live.order(Watch(width, is_veiled), 1000)
    assert live.is_due(1000)
    return np.asarray(Image.open(io.BytesIO(live.make(picture, (), 1.0, 1000).jpeg)))


def shelf() -> np.ndarray:
    """Several codes of several kinds in one picture."""
    picture = np.full((720, 1280), 210, np.uint8)
    for number, (payload, kind) in enumerate(
        [(TOKEN, "QRCode"), (EAN, "EAN13"), (TOKEN, "DataMatrix"), (TOKEN, "Aztec"), ("HELLO", "Code128")]
    ):
        put(
            picture,
            picture_of(payload, kind, size=(220, 420)),
            top=60 + 330 * (number % 2),
            left=5 + 425 * (number // 2),
        )
    return noisy(picture, 4)


def test_no_code_of_a_veiled_picture_can_be_read_even_without_marks():
    assert len(read_still(shelf())) >= 4
    assert read_still(made(shelf(), 1280)) == []
    assert read_still(made(shelf(), 640)) == []


def test_picture_that_is_not_veiled_can_be_read():
    assert len(read_still(made(shelf(), 1280, is_veiled=False))) >= 4


@pytest.mark.parametrize("kind", ["QRCode", "DataMatrix", "Aztec"])
def test_marked_place_is_veiled_wherever_it_is(kind):
    picture = picture_of(TOKEN, kind, scale=4)
    assert read_still(picture)
    assert read_still(veiled(picture, [Place(0.2, 0.1, 0.8, 0.9)])) == []
    for place in (Place(-1, -1, 0.5, 2), Place(0.9, 0.9, 0.9, 0.9), Place(2, 2, 3, 3)):
        assert veiled(picture, [place]).shape == picture.shape


def test_four_pictures_a_second_and_none_after_the_last_order():
    live = LivePicture("front")
    picture = np.full((48, 64), 128, np.uint8)
    live.order(Watch(640, veiled=True), 1000)
    shown = 0
    for now in range(1000, 8000, 33):
        if live.is_due(now):
            live.make(picture, (), 1.0, now)
            shown += 1
    assert 10 <= shown <= 13


def test_looking_is_free_while_nobody_looks():
    live = LivePicture("front")
    began = time.thread_time()
    assert not any(live.is_due(number) for number in range(10_000))
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize("width", [-5, 0, 160, 1_000_000])
def test_any_size_is_bounded(width):
    live = LivePicture("front")
    live.order(Watch(width, veiled=False), 1000)
    view = live.make(np.random.default_rng(1).integers(0, 255, (1500, 2000), dtype=np.uint8), (), 1.0, 1000)
    assert len(view.jpeg) <= LARGEST_JPEG
    assert 160 <= Image.open(io.BytesIO(view.jpeg)).width <= 1920


def test_figures_tell_the_exposure():
    live = LivePicture("front")
    live.order(Watch(640, veiled=True), 1000)
    picture = np.full((480, 640), 100, np.uint8)
    picture[:120] = 255
    picture[120:240] = 0
    figures = live.make(picture, (), 3.21, 1000).figures
    assert (figures.burnt_out, figures.dark, figures.picture_ms) == (0.25, 0.25, 3.2)
    assert 110 < figures.brightness < 118
