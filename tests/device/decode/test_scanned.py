from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.decode.scanned import (
    BabblingScan,
    EmptyScan,
    MisnamedScan,
    OversizeScan,
    ScannerDecoder,
    ScanRefused,
    reading_of,
)
from device.decode.symbologies import SYMBOLOGIES
from device.drivers.base import Scan
from device.ports import Source

TABLE = Path(__file__).parents[4] / "shared" / "vectors" / "aim_symbology.json"


def scan(raw: bytes, at_ms: int = 0, device: str = "hand") -> Scan:
    return Scan(raw, device, at_ms)


@pytest.mark.parametrize(
    ("raw", "symbology", "aim", "payload"),
    [
        (b"]E04006381333931", "EAN13", "]E0", b"4006381333931"),
        (b"]E00036000291452", "EAN13", "]E0", b"0036000291452"),
        (b"]E400000000", "EAN8", "]E4", b"00000000"),
        (b"]E3400638133393112", "EAN13", "]E3", b"400638133393112"),
        (b"]E112", "EAN2", "]E1", b"12"),
        (b"]E212345", "EAN5", "]E2", b"12345"),
        (b"]C10112345678901231\x1d10AB", "CODE128", "]C1", b"0112345678901231\x1d10AB"),
        (b"]C0TILL-7", "CODE128", "]C0", b"TILL-7"),
        (b"]e00112345678901231", "DATABAR", "]e0", b"0112345678901231"),
        (b"]Q1TW1:MFRGG", "QR", "]Q1", b"TW1:MFRGG"),
        (b"]Q30109521234543213", "QR", "]Q3", b"0109521234543213"),
        (b"]d20109521234543213", "DATAMATRIX", "]d2", b"0109521234543213"),
        (b"]L0text", "PDF417", "]L0", b"text"),
        (b"]z0text", "AZTEC", "]z0", b"text"),
        (b"]A0TILL-7", "CODE39", "]A0", b"TILL-7"),
        (b"]F0A12B", "CODABAR", "]F0", b"A12B"),
        (b"]G0TILL", "CODE93", "]G0", b"TILL"),
        (b"]I112345678901231", "ITF", "]I1", b"12345678901231"),
        (b"]X0typed", "UNKNOWN", "]X0", b"typed"),
        (b"4006381333931", "UNKNOWN", "", b"4006381333931"),
        (b"]", "UNKNOWN", "", b"]"),
        (b"]?0text", "UNKNOWN", "", b"]?0text"),
        (b"]w0text", "UNKNOWN", "", b"]w0text"),
        (b" ]Q1text", "UNKNOWN", "", b" ]Q1text"),
        (b"]Q1]Q1text", "QR", "]Q1", b"]Q1text"),
        (b"]Q1\xff\x80caf\xe9", "QR", "]Q1", b"\xff\x80caf\xe9"),
    ],
)
def test_identifier_is_taken_off_and_names_the_symbology(raw, symbology, aim, payload):
    reading = reading_of(scan(raw, 4711))
    assert (reading.symbology, reading.aim, reading.raw) == (symbology, aim, payload)
    assert (reading.source, reading.device, reading.at_ms) == (Source.SCANNER, "hand", 4711)


@pytest.mark.parametrize(
    ("identifier", "raw", "symbology", "aim", "payload"),
    [
        ("]Q1", b"]E0123", "QR", "]Q1", b"]E0123"),
        ("QR", b"TW1:MFRGG", "QR", "]Q1", b"TW1:MFRGG"),
        ("]C1", b"0112345678901231", "CODE128", "]C1", b"0112345678901231"),
        ("UNKNOWN", b"]E04006381333931", "UNKNOWN", "", b"]E04006381333931"),
        ("EAN13", b"4006381333931", "EAN13", "]E0", b"4006381333931"),
        ("UPCA", b"036000291452", "EAN13", "]E0", b"0036000291452"),
        ("UPCA", b"0036000291452", "EAN13", "]E0", b"0036000291452"),
        ("UPCE", b"01234505", "UPCE", "]E0", b"0012000003455"),
        ("EANUPC", b"4006381333931", "EAN13", "]E0", b"4006381333931"),
        ("EANUPC", b"036000291452", "EAN13", "]E0", b"0036000291452"),
        ("EANUPC", b"96385074", "EAN8", "]E4", b"96385074"),
        ("EANUPC", b"01234505", "UPCE", "]E0", b"0012000003455"),
    ],
)
def test_scanner_that_names_the_kind_beside_the_text_is_believed(identifier, raw, symbology, aim, payload):
    reading = reading_of(Scan(raw, "hand", 0, identifier))
    assert (reading.symbology, reading.aim, reading.raw) == (symbology, aim, payload)


@pytest.mark.parametrize(
    ("identifier", "raw"),
    [
        ("UPCA", b"036000291453"),
        ("UPCA", b"03600029145"),
        ("UPCE", b"01234506"),
        ("UPCE", b"23456705"),
        ("UPCE", b"TW1:ABCD"),
        ("EANUPC", b"96385075"),
        ("EANUPC", b"1234567"),
        ("EANUPC", b"00000000"),  # a number of EAN-8 and of UPC-E
    ],
)
def test_number_that_is_none_of_its_kind_is_refused_without_being_told(identifier, raw):
    with pytest.raises(MisnamedScan) as caught:
        reading_of(Scan(raw, "hand", 0, identifier))
    assert raw.decode() not in str(caught.value)


def test_refusals_of_a_babbling_scanner_are_said_now_and_then(caplog):
    decoder = ScannerDecoder()
    with caplog.at_level(logging.WARNING):
        for at_ms in range(0, 25_000, 25):
            assert decoder.feed(scan(b"a\x01%d" % at_ms, at_ms)) == []
    assert len(caplog.records) == 3
    assert "399 more" in caplog.text


@pytest.mark.skipif(not TABLE.exists(), reason="the table of identifiers is not on this machine")
def test_every_registered_identifier_is_recognised():
    table = json.loads(TABLE.read_text())
    ours = {
        "Code 39": "CODE39",
        "Code 128": "CODE128",
        "Codabar": "CODABAR",
        "Code 93": "CODE93",
        "ITF": "ITF",
        "PDF417": "PDF417",
        "QR": "QR",
        "MaxiCode": "MAXICODE",
        "Data Matrix": "DATAMATRIX",
        "Aztec": "AZTEC",
        "GS1 DataBar/composite": "DATABAR",
        "DotCode": "DOTCODE",
        "Han Xin": "HANXIN",
    }
    assert set(ours.values()) <= set(SYMBOLOGIES)
    for letter, name in table["codes"].items():
        for modifier in table["modifiers"].get(letter, "0"):
            reading = reading_of(scan(f"]{letter}{modifier}1234".encode()))
            assert (reading.aim, reading.raw) == (f"]{letter}{modifier}", b"1234")
            if letter != "E":
                assert reading.symbology == ours.get(name, "UNKNOWN")
    for aim in table["plain_gtin"]:
        assert reading_of(scan(f"{aim}1234".encode())).symbology in {"EAN13", "EAN8", "ITF"}
    for aim in table["add_on_only"]:
        assert reading_of(scan(f"{aim}12".encode())).symbology in {"EAN2", "EAN5"}


@pytest.mark.parametrize("raw", [b"", b"   ", b"]Q1", b"]E0  "])
def test_empty_scan_is_refused(raw):
    with pytest.raises(EmptyScan, match="hand: an empty scan"):
        reading_of(scan(raw))


def test_scan_longer_than_any_code_is_refused():
    assert len(reading_of(scan(b"x" * 4096)).raw) == 4096
    with pytest.raises(OversizeScan, match="4097 bytes"):
        reading_of(scan(b"x" * 4097))


@pytest.mark.parametrize("babble", [b"\x00", b"\x01\x02", b"TW1:\x1b[2J", b"a\x7f", b"a\tb", b"a\rb", b"\x08\x08"])
def test_babble_of_control_characters_is_refused(babble):
    with pytest.raises(BabblingScan, match="check the baud rate") as refused:
        reading_of(scan(babble))
    assert "TW1" not in str(refused.value)


def test_separators_of_structured_data_pass():
    label = b"[)>\x1e06\x1d1P7\x1dQ4\x1e\x04"
    assert reading_of(scan(b"]d1" + label)).raw == label


@given(st.binary(max_size=5000))
def test_whatever_a_scanner_sends_is_a_reading_or_a_refusal(raw):
    try:
        reading = reading_of(scan(raw))
    except ScanRefused:
        return
    assert raw == reading.aim.encode() + reading.raw
    assert reading.raw


def test_twitching_scanner_gives_one_reading():
    decoder = ScannerDecoder()
    counts = [len(decoder.feed(scan(b"]Q1TW1:A", at_ms))) for at_ms in (0, 100, 299, 550)]
    assert counts == [1, 0, 0, 0]
    assert len(decoder.feed(scan(b"]Q1TW1:A", 850))) == 1


def test_same_goods_scanned_twice_on_purpose_are_two():
    decoder = ScannerDecoder()
    assert [len(decoder.feed(scan(b"]E04006381333931", at_ms))) for at_ms in (0, 300, 900)] == [1, 1, 1]


def test_other_code_and_other_scanner_are_no_twitch():
    decoder = ScannerDecoder()
    assert len(decoder.feed(scan(b"]Q1TW1:A", 0))) == 1
    assert len(decoder.feed(scan(b"]Q1TW1:B", 50))) == 1
    assert len(decoder.feed(scan(b"]Q1TW1:B", 60, "till"))) == 1
    assert len(decoder.feed(scan(b"]Q1TW1:A", 100))) == 1


def test_refusal_is_logged_without_the_payload(caplog):
    with caplog.at_level(logging.WARNING):
        assert ScannerDecoder().feed(scan(b"TW1:SECRET\x00")) == []
    assert "hand: a scan of 11 bytes with 1 control characters was refused" in caplog.text
    assert "SECRET" not in caplog.text
