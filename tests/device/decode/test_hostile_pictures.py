"""What nobody shows by mistake: torn files, arrays that are no pictures, too many codes, codes that steer screens."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segno
from code_pictures import picture_of, put
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from device.decode.budget import Budget
from device.decode.files import FileRefused, load_picture, read_file
from device.decode.optical import NotAPicture, OpticalDecoder, read_still

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
ESCAPES = "\x1b]0;owned\x07\x1b[2J\r\n\x00\x9b31m\u202eTW1"
FORMATS = ["PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "WEBP"]


def encoded(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture_of(TOKEN, size=(160, 160))).save(stream, kind)
    return stream.getvalue()


def outcome(read: Callable[[Path], Any], path: Path) -> Any:
    """Give what was read, or the printable sentence that refuses the file."""
    try:
        return read(path)
    except FileRefused as refused:
        sentence = str(refused)
    assert sentence.isprintable()
    assert 0 < len(sentence) < 300
    return sentence


@pytest.mark.parametrize("kind", FORMATS)
def test_file_torn_anywhere_is_refused_or_read_but_never_breaks(tmp_path, kind):
    whole = encoded(kind)
    path = tmp_path / "torn"
    for part in range(12):
        path.write_bytes(whole[: len(whole) * part // 12])
        found = outcome(read_file, path)
        assert isinstance(found, str) or [reading.raw for reading in found] in ([], [TOKEN.encode()])


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(kind=st.sampled_from(FORMATS), at=st.floats(0, 0.999), junk=st.binary(min_size=1, max_size=40))
def test_file_with_a_foreign_part_is_refused_or_a_picture(tmp_path_factory, kind, at, junk):
    data = bytearray(encoded(kind))
    start = int(at * len(data))
    data[start : start + len(junk)] = junk
    path = tmp_path_factory.mktemp("hostile") / "picture"
    path.write_bytes(bytes(data))
    assert isinstance(outcome(load_picture, path), str | np.ndarray)


def test_complaint_of_a_library_cannot_steer_a_terminal(tmp_path):
    path = tmp_path / "picture.ppm"
    path.write_bytes(b"P5 \x1b]0;owned\x07 9 255\n" + bytes(81))
    with pytest.raises(FileRefused) as refused:
        load_picture(path)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "frame",
    [
        None,
        b"\x00" * 100,
        np.zeros((480, 640, 3), np.uint8),
        np.zeros((480, 640), np.uint16),
        np.zeros((480, 640), np.float32),
        np.zeros((480, 640), bool),
        np.zeros(0, np.uint8),
        np.zeros((0, 640), np.uint8),
        np.broadcast_to(np.uint8(0), (9000, 9000)),
    ],
    ids=lambda frame: f"{getattr(frame, 'shape', frame)}-{getattr(frame, 'dtype', '')}",
)
def test_wrong_frame_is_refused_and_the_next_is_read(frame):
    decoder = OpticalDecoder()
    with pytest.raises(NotAPicture):
        decoder.feed(frame, at_ms=0)
    with pytest.raises(NotAPicture):
        read_still(frame)
    assert [reading.raw for reading in decoder.feed(picture_of(TOKEN), at_ms=100)] == [TOKEN.encode()]


def test_size_may_change_from_frame_to_frame():
    decoder = OpticalDecoder()
    sizes = [(480, 640), (16, 16), (720, 1280), (9, 900), (481, 643), (480, 640)]
    for number, size in enumerate(sizes):
        assert decoder.feed(np.full(size, 40 * number, np.uint8), at_ms=100 * number) == []
    assert [reading.raw for reading in decoder.feed(picture_of(TOKEN), at_ms=900)] == [TOKEN.encode()]


def hundred() -> np.ndarray:
    picture = np.full((1000, 1000), 235, np.uint8)
    for number in range(100):
        code = picture_of(f"CODE {number:03d}", size=(90, 90), scale=3)
        put(picture, code, top=100 * (number // 10) + 5, left=100 * (number % 10) + 5)
    return picture


def test_hundred_codes_in_one_frame_are_a_hundred_readings_once():
    picture, everyone = hundred(), {f"CODE {number:03d}".encode() for number in range(100)}
    budget = Budget(20_000)
    assert {reading.raw for reading in read_still(picture)} == everyone
    decoder = OpticalDecoder()
    readings = [reading.raw for number in range(12) for reading in decoder.feed(picture, at_ms=100 * number)]
    assert len(readings) == 100
    assert set(readings) == everyone
    assert budget.left_ms > 0


def test_hundred_codes_too_small_to_read_cost_no_more_than_the_budget():
    small = np.asarray(Image.fromarray(hundred()).resize((280, 280), Image.Resampling.BOX))
    picture = np.tile(small, (2, 3))
    budget = Budget(20_000)
    decoder = OpticalDecoder()
    for number in range(12):
        decoder.feed(np.roll(picture, 3 * number, 1), at_ms=100 * number)
    read_still(picture)
    assert budget.left_ms > 0


@pytest.mark.parametrize("kind", ["QRCode", "Aztec", "DataMatrix", "PDF417"])
def test_control_characters_are_bytes_like_others_and_reach_no_log(kind, caplog):
    caplog.set_level(logging.DEBUG)
    payload = ESCAPES.encode()
    picture = picture_of(payload, kind, size=(480, 640))
    (reading,) = read_still(picture)
    assert reading.raw == payload
    decoder = OpticalDecoder()
    fed = [reading for number in range(12) for reading in decoder.feed(picture, at_ms=100 * number)]
    assert [each.raw for each in fed] == [payload]
    assert repr(reading).isprintable()
    assert "owned" not in repr(reading) + caplog.text


def test_largest_payload_comes_back_exactly():
    payload = bytes(np.random.default_rng(7).integers(0, 256, 2953, dtype=np.uint8))
    code = segno.make(payload, error="l", mode="byte", boost_error=False)
    stream = io.BytesIO()
    code.save(stream, kind="png", scale=4, border=6)
    picture = np.asarray(Image.open(stream).convert("L"))
    (reading,) = read_still(picture)
    assert reading.raw == payload
    (fed,) = OpticalDecoder().feed(picture, at_ms=0)
    assert fed.raw == payload
