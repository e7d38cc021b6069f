import io
import wave

import numpy as np
import pytest
import segno
import zxingcpp
from PIL import Image

from device.decode.acoustic import AcousticDecoder
from wallet.errors import NotPayable
from wallet.qr import LARGEST_PICTURE, characters_of, png_of, read_picture, svg_of
from wallet.sound import SAMPLE_RATE, wav_of

TEXT = "TW1:CEAQCAIBAFTH7GQAAAAAAAAAAA"


def test_drawn_code_is_read_again() -> None:
    assert read_picture(png_of(TEXT)) == [TEXT]


def test_svg_draws_the_same_modules() -> None:
    svg = svg_of(TEXT).decode()
    width = segno.make_qr(TEXT, error="m").symbol_size(border=4)[0]
    assert svg.startswith("<svg ")
    assert f'viewBox="0 0 {width} {width}"' in svg
    assert "style=" not in svg
    assert "<script" not in svg


def test_code_of_characters_is_read_again() -> None:
    """Light characters on a dark terminal: what is drawn is light."""
    import re  # noqa: PLC0415

    rows = []
    for line in re.sub(r"\x1b\[[0-9;]*m", "", characters_of(TEXT)).splitlines():
        upper = [character in "▀█" for character in line]
        lower = [character in "▄█" for character in line]
        rows += [upper, lower]
    pixels = Image.fromarray(np.array(rows, np.uint8) * 255).resize((400, 400), Image.Resampling.NEAREST)
    assert [code.text for code in zxingcpp.read_barcodes(pixels)] == [TEXT]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_of_a_phone_are_read(kind: str) -> None:
    tilted = Image.open(io.BytesIO(png_of(TEXT))).convert("RGB").rotate(12, expand=True, fillcolor="white")
    data = io.BytesIO()
    tilted.save(data, kind)
    assert read_picture(data.getvalue()) == [TEXT]


def test_picture_without_a_code_has_none() -> None:
    data = io.BytesIO()
    Image.new("L", (200, 200), 128).save(data, "PNG")
    assert read_picture(data.getvalue()) == []


def picture_of_size(width: int, height: int) -> bytes:
    data = io.BytesIO()
    Image.new("1", (width, height)).save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        png_of(TEXT)[:200],
        b"GIF89a" + bytes(50),
        bytes(LARGEST_PICTURE + 1),
        picture_of_size(5000, 4000),
        picture_of_size(12_000, 12_000),
    ],
    ids=["empty", "text", "head", "torn", "gif", "large", "wide", "bomb"],
)
def test_bad_pictures_are_refused(data: bytes) -> None:
    with pytest.raises(NotPayable):
        read_picture(data)


@pytest.mark.parametrize("high", [False, True])
@pytest.mark.parametrize(("length", "seconds"), [(16, 0.5), (181, 1.42)])
def test_sound_of_a_token_is_heard_by_a_terminal(length: int, seconds: float, high: bool) -> None:
    token = bytes(range(length))
    with wave.open(io.BytesIO(wav_of(token, high=high))) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, SAMPLE_RATE)
        pcm = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    assert len(pcm) / SAMPLE_RATE < (seconds if not high or length > 64 else 1.0)
    with AcousticDecoder(SAMPLE_RATE) as decoder:
        heard = decoder.feed(np.concatenate([pcm, np.zeros(SAMPLE_RATE, np.int16)]))
    assert [item.payload for item in heard] == [token]
