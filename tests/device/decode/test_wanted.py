"""Symbologies by configuration: what is not asked for is passed over, by both doors of the decoder."""

from __future__ import annotations

import numpy as np
import pytest
from code_pictures import noisy, picture_of, put
from PIL import Image, ImageFilter

from device.decode.codes import Box, Code
from device.decode.optical import SELECTABLE, OpticalDecoder, UnknownSymbology, read_still
from device.decode.wanted import GS1_128, Wanted

EAN, TOKEN = "4006381333931", "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
KINDS = [
    ("QR", "QRCode", TOKEN),
    ("MICROQR", "MicroQRCode", "12345"),
    ("RMQR", "RMQRCode", "TW1"),
    ("AZTEC", "Aztec", TOKEN),
    ("DATAMATRIX", "DataMatrix", TOKEN),
    ("PDF417", "PDF417", TOKEN),
    ("EAN13", "EAN13", EAN),
    ("EAN8", "EAN8", "96385074"),
    ("UPCE", "UPCE", "01234565"),
    ("CODE128", "Code128", "TILLWAVE"),
    ("CODE39", "Code39", "TILLWAVE"),
    ("ITF", "ITF", "15400141288763"),
    ("DATABAR", "DataBarOmni", "0950110153001"),
    ("DATABAREXP", "DataBarExp", "(01)09501101530003(17)140704(10)AB-123"),
]


def drawn(kind: str, content: str) -> np.ndarray:
    return picture_of(content, kind, size=(200, 900 if kind == "DataBarExp" else 560))


def held(decoder: OpticalDecoder, picture: np.ndarray) -> list[str]:
    """Name what comes of holding a code still for a while."""
    return [reading.symbology for number in range(12) for reading in decoder.feed(picture, at_ms=100 * number)]


@pytest.mark.parametrize(("name", "kind", "content"), KINDS)
def test_each_symbology_can_be_chosen_alone(name, kind, content):
    picture = drawn(kind, content)
    assert [reading.symbology for reading in read_still(picture, symbologies={name})] == [name]
    assert held(OpticalDecoder(symbologies={name}), picture) == [name]


@pytest.mark.parametrize(("name", "kind", "content"), [KINDS[0], KINDS[4], KINDS[6], KINDS[9]])
def test_symbology_can_be_left_out(name, kind, content):
    others = SELECTABLE - {name} - ({GS1_128} if name == "CODE128" else set())
    picture = drawn(kind, content)
    assert name not in [reading.symbology for reading in read_still(picture, symbologies=others)]
    assert name not in held(OpticalDecoder(symbologies=others), picture)


def test_blurred_qr_code_is_rescued_only_if_qr_codes_are_wanted():
    picture = np.full((480, 640), 90, np.uint8)
    put(picture, picture_of(TOKEN, size=(200, 200)))
    blurred = noisy(np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(2))), 5)
    assert [reading.symbology for reading in read_still(blurred, symbologies={"QR"})] == ["QR"]
    assert read_still(blurred, symbologies=SELECTABLE - {"QR"}) == []


def test_gs1_128_can_be_asked_for_without_other_code_128():
    plain = Code("CODE128", b"0109501101530003", "]C0", Box(0, 0, 1, 1))
    gs1 = Code("CODE128", b"0109501101530003", "]C1", Box(0, 0, 1, 1))
    assert Wanted.of({GS1_128}, frozenset()).believable([plain, gs1]) == [gs1]
    assert Wanted.of({GS1_128, "CODE128"}, frozenset()).believable([plain, gs1]) == [plain, gs1]
    assert Wanted.of({"CODE128"}, frozenset()).believable([plain, gs1]) == [plain, gs1]
    assert read_still(drawn("Code128", "TILLWAVE"), symbologies={GS1_128}) == []


def test_gs1_identifiers_are_kept():
    (reading,) = read_still(drawn("DataBarExp", "(01)09501101530003(17)140704(10)AB-123"))
    assert (reading.aim, reading.raw) == ("]e0", b"01095011015300031714070410AB-123")


def test_wrong_name_is_refused_with_the_right_ones():
    with pytest.raises(UnknownSymbology, match=r'no symbology is called "QRCODE"; there are AZTEC, .*QR, '):
        read_still(np.zeros((100, 100), np.uint8), symbologies=["QR", "QRCODE"])
    with pytest.raises(UnknownSymbology):
        OpticalDecoder(symbologies=["ean13"])
