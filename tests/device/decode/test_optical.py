from __future__ import annotations

import io

import hypothesis
import numpy as np
import pytest
import segno
from code_pictures import noisy, picture_of, put, tilted
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from device.decode.ballot import Ballot
from device.decode.codes import Box, Code
from device.decode.optical import NotAPicture, OpticalDecoder, read_still
from device.decode.symbologies import SYMBOLOGIES
from device.decode.zbar import zbar_look
from device.gs1.gtin import expand_upce
from device.ports import Source

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
EMPTY = np.full((480, 640), 128, np.uint8)


@pytest.mark.parametrize(
    ("kind", "given", "symbology", "raw", "aim"),
    [
        ("QRCode", TOKEN, "QR", TOKEN.encode(), "]Q1"),
        ("MicroQRCode", "12345", "MICROQR", b"12345", "]Q1"),
        ("RMQRCode", "TW1", "RMQR", b"TW1", "]Q1"),
        ("Aztec", "boarding", "AZTEC", b"boarding", "]z0"),
        ("DataMatrix", "part 7", "DATAMATRIX", b"part 7", "]d1"),
        ("PDF417", "licence", "PDF417", b"licence", "]L2"),
        ("EAN13", "4006381333931", "EAN13", b"4006381333931", "]E0"),
        ("EAN8", "96385074", "EAN8", b"96385074", "]E4"),
        ("UPCA", "036000291452", "EAN13", b"0036000291452", "]E0"),
        ("UPCE", "01234565", "UPCE", b"0012345000065", "]E0"),
        ("Code128", "TILL-7", "CODE128", b"TILL-7", "]C0"),
        ("Code39", "TILL-7", "CODE39", b"TILL-7", "]A0"),
        ("Code93", "TILL-7", "CODE93", b"TILL-7", "]G0"),
        ("Codabar", "A1234B", "CODABAR", b"A1234B", "]F0"),
        ("ITF", "12345678901231", "ITF", b"12345678901231", "]I1"),
        ("DataBarOmni", "0112345678901231", "DATABAR", b"0112345678901231", "]e0"),
        ("DataBarExp", "(01)12345678901231(10)AB", "DATABAREXP", b"011234567890123110AB", "]e0"),
    ],
)
def test_every_symbology_has_one_name_and_its_aim_identifier(kind, given, symbology, raw, aim):
    picture = picture_of(given, kind, scale=2)
    (reading,) = read_still(picture)
    assert (reading.symbology, reading.raw, reading.aim, reading.source) == (symbology, raw, aim, Source.OPTICAL)
    decoder = OpticalDecoder("front")
    streamed = [reading for _ in range(4) for reading in decoder.feed(picture)]
    assert [(reading.symbology, reading.raw, reading.device) for reading in streamed] == [(symbology, raw, "front")]


@hypothesis.given(st.binary(min_size=1, max_size=60))
@hypothesis.settings(max_examples=30, deadline=None)
def test_bytes_come_back_exactly(payload):
    picture = picture_of(payload)
    (reading,) = read_still(picture)
    assert reading.raw == payload


@pytest.mark.parametrize("payload", [bytes(range(0, 256, 3)), "né ü €".encode(), "né".encode("latin-1"), b"\x00ab\x00"])
def test_second_opinion_gives_exact_bytes_too(payload):
    (code,) = zbar_look(picture_of(payload), frozenset({"QR"}))
    assert (code.symbology, code.raw, code.aim) == ("QR", payload, "]Q1")


def test_second_opinion_speaks_of_upc_as_the_first_does():
    for kind, given in (("UPCA", "036000291452"), ("UPCE", "01234565"), ("EAN8", "96385074")):
        picture = picture_of(given, kind, scale=2)
        (code,) = zbar_look(picture, frozenset({"EAN13", "EAN8", "UPCE"}))
        (reading,) = read_still(picture)
        assert code.key == (reading.symbology, reading.raw)


def test_kanji_of_another_character_set_can_be_read_by_people():
    drawn = io.BytesIO()
    segno.make("石積籍績脊責赤跡", mode="kanji", micro=False).save(drawn, kind="png", scale=4)
    (reading,) = read_still(np.asarray(Image.open(drawn).convert("L")))
    assert reading.text == "石積籍績脊責赤跡"
    assert reading.raw == "石積籍績脊責赤跡".encode("shift_jis")


def test_upce_expands_as_the_standard_says():
    # GS1 General Specifications, zero-suppression: one number of each kind
    assert expand_upce("01234505") == "0012000003455"
    assert expand_upce("01234531") == "0012300000451"
    assert expand_upce("01234543") == "0012340000053"
    assert expand_upce("01234565") == "0012345000065"


def test_tilted_and_noisy_wallet_code_is_read():
    decoder = OpticalDecoder("front")
    frames = [noisy(tilted(picture_of(TOKEN, scale=5), degrees), 12, degrees) for degrees in range(10, 40, 5)]
    readings = [reading for at, frame in enumerate(frames) for reading in decoder.feed(frame, at_ms=100 * at)]
    assert [reading.text for reading in readings] == [TOKEN]


def test_code_held_in_view_is_one_reading():
    decoder = OpticalDecoder()
    picture = picture_of(TOKEN)
    counts = [len(decoder.feed(noisy(picture, 6, at), at_ms=100 * at)) for at in range(60)]
    assert counts[0] == 1
    assert sum(counts) == 1


def test_still_picture_of_a_code_is_one_reading_even_while_the_decoder_rests():
    decoder = OpticalDecoder()
    picture = picture_of(TOKEN)
    assert sum(len(decoder.feed(picture, at_ms=400 * at)) for at in range(60)) == 1


def test_code_that_was_away_is_a_new_reading():
    decoder = OpticalDecoder()
    picture = picture_of(TOKEN)
    assert len(decoder.feed(picture, at_ms=0)) == 1
    assert not decoder.feed(EMPTY, at_ms=200)
    assert not decoder.feed(picture, at_ms=1400), "a moment behind a thumb is not away"
    for at_ms in range(1500, 3200, 200):
        assert not decoder.feed(EMPTY, at_ms=at_ms)
    assert len(decoder.feed(picture, at_ms=3200)) == 1


def test_rearmed_decoder_reads_what_is_in_view_again():
    decoder = OpticalDecoder()
    picture = picture_of(TOKEN)
    assert len(decoder.feed(picture, at_ms=0)) == 1
    decoder.rearm()
    assert len(decoder.feed(picture, at_ms=100)) == 1


def test_second_code_is_read_beside_one_that_stays():
    decoder = OpticalDecoder()
    sticker = picture_of("https://mall.example/", size=(720, 1280))
    both = sticker.copy()
    put(both, picture_of("4006381333931", "EAN13", size=(200, 420)), top=20, left=20)
    first = [reading.symbology for at in range(8) for reading in decoder.feed(sticker, at_ms=100 * at)]
    then = [reading.symbology for at in range(8, 16) for reading in decoder.feed(both, at_ms=100 * at)]
    assert (first, then) == (["QR"], ["EAN13"])


def test_two_phones_are_two_readings():
    picture = picture_of("TW1:AAAAAAAAAAAAAAAAAAAAAAAAAA", size=(720, 1280))
    put(picture, picture_of("TW1:BBBBBBBBBBBBBBBBBBBBBBBBBB", size=(200, 200)), top=10, left=10)
    assert len(OpticalDecoder().feed(picture)) == 2
    assert len(read_still(picture)) == 2


def test_inner_part_of_an_itf_code_is_not_believed():
    picture = picture_of("21673613", "ITF")
    assert read_still(picture) == []
    assert [reading for _ in range(8) for reading in OpticalDecoder().feed(picture)] == []
    assert read_still(picture, itf_digits=frozenset({8}))[0].raw == b"21673613"


def _code(raw: bytes, symbology: str = "EAN13", left: float = 0.2) -> Code:
    return Code(symbology, raw, SYMBOLOGIES[symbology].aim, Box(left, 0.4, left + 0.2, 0.5))


def test_one_look_at_a_linear_code_proves_nothing():
    ballot = Ballot(1000)
    ballot.add([_code(b"5030159003930")], 0)
    assert (ballot.elected(), ballot.is_open()) == ([], True)
    assert [code.raw for code in ballot.doubtful()] == [b"5030159003930"]
    ballot.add([_code(b"5030159003930")], 500, "zbar")
    assert [code.raw for code in ballot.elected()] == [b"5030159003930"]
    assert not ballot.is_open()
    assert ballot.doubtful() == []


def test_one_decoder_must_see_a_code_three_times():
    ballot = Ballot(1000)
    for at_ms, elected in ((0, 0), (100, 0), (200, 1)):
        ballot.add([_code(b"6685080218992")], at_ms, "zxing")
        assert len(ballot.elected()) == elected


def test_votes_of_long_ago_do_not_count():
    ballot = Ballot(1000)
    ballot.add([_code(b"5030159003930")], 0)
    ballot.add([_code(b"5030159003930")], 1001)
    assert ballot.elected() == []


def test_misread_with_a_right_check_digit_is_outvoted():
    ballot = Ballot(1000)
    for raw in (b"7034759003930", b"5030159003930", b"7034759003930", b"5030159003930"):
        ballot.add([_code(raw)], 0)
    assert ballot.elected() == [], "a tie is no result"
    ballot.add([_code(b"5030159003930")], 0)
    assert ballot.elected() == [], "three to two is no result either"
    assert ballot.is_open()
    for _ in range(2):
        ballot.add([_code(b"5030159003930")], 0)
    assert [code.raw for code in ballot.elected()] == [b"5030159003930"]


def test_upce_needs_one_look_more_than_others():
    ballot = Ballot(1000)
    for _ in range(2):
        ballot.add([_code(b"0147000006189", "UPCE")], 0)
    assert ballot.elected() == []
    ballot.add([_code(b"0147000006189", "UPCE")], 0)
    assert [code.symbology for code in ballot.elected()] == ["UPCE"]


def test_two_goods_side_by_side_are_no_rivals():
    ballot = Ballot(1000)
    for _ in range(3):
        ballot.add([_code(b"5030159003930", left=0.1), _code(b"4006381333931", left=0.6)], 0)
    assert len(ballot.elected()) == 2


def test_upce_made_of_an_add_on_is_refused():
    ballot = Ballot(1000)
    for _ in range(3):
        ballot.add([_code(b"5030159003930", left=0.1), _code(b"0147000006189", "UPCE", left=0.6)], 0)
    assert [code.symbology for code in ballot.elected()] == ["EAN13"]


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((480, 640, 3), np.uint8),
        np.zeros((480, 640), np.float32),
        np.zeros(640, np.uint8),
        np.zeros((0, 640), np.uint8),
        np.zeros((9000, 9000), np.uint8),
        b"not an array",
        None,
    ],
)
def test_what_is_no_picture_is_refused_with_a_reason(wrong):
    for read in (read_still, OpticalDecoder().feed):
        with pytest.raises(NotAPicture, match="a picture"):
            read(wrong)


@pytest.mark.parametrize("shape", [(1, 1), (1, 100), (9, 9), (8, 3000), (33, 31)])
def test_tiny_pictures_hold_no_code(shape):
    assert read_still(np.zeros(shape, np.uint8)) == []
    assert OpticalDecoder().feed(np.zeros(shape, np.uint8)) == []


@hypothesis.given(arrays(np.uint8, (40, 60)))
@hypothesis.settings(max_examples=20, deadline=None)
def test_noise_is_neither_read_nor_an_error(picture):
    assert read_still(picture) == []
    assert OpticalDecoder().feed(picture) == []


def test_strided_picture_is_read_as_it_looks():
    wide = np.zeros((480, 1280), np.uint8)
    wide[:, ::2] = picture_of(TOKEN)
    assert [reading.text for reading in read_still(wide[:, ::2])] == [TOKEN]


def test_payload_is_not_in_the_repr():
    (reading,) = read_still(picture_of(TOKEN))
    assert "MFRGG" not in repr(reading)
    assert "MFRGG" not in repr(zbar_look(picture_of(TOKEN), frozenset({"QR"})))


def test_code_cut_by_the_edge_yields_to_the_whole_one():
    picture = picture_of("4006381333931", "EAN13")
    other = picture_of("5030159003930", "EAN13", size=(180, 360))
    picture[-24:, 140:500] = other[60:84]
    assert [reading.raw for reading in read_still(picture)] == [b"4006381333931"]
    alone = picture.copy()
    alone[:-24] = 230
    assert [reading.raw for reading in read_still(alone)] == [b"5030159003930"]
