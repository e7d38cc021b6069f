"""Scanners' bytes from public sources: some written down here, all of them where the shared vectors are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from device.drivers.framing import Framer
from device.drivers.scanners import grow, honeywell, newland
from device.drivers.scanners.dialogues import make_dialogue
from device.drivers.scanners.hid_pos import ReportReader
from device.drivers.scanners.profile import find_profile
from device.drivers.scanners.ssi_packets import Opcode, host_packet, read_packet, read_parameters

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "scanners.json"


def vectors(section: str) -> list[dict]:
    return json.loads(VECTORS.read_text())[section] if VECTORS.exists() else []


def vector(section: str, name: str) -> dict:
    if not VECTORS.exists():
        pytest.skip("the shared vectors scanners.json are not here")
    return next(entry for entry in vectors(section) if entry["name"] == name)


def codes_of(profile: str, *pieces: bytes) -> list[tuple[bytes, str]]:
    dialogue = make_dialogue(find_profile(profile))
    found = []
    for at_ms, piece in enumerate(pieces):
        found += dialogue.feed(piece, at_ms)
    return [(frame.raw, frame.identifier) for frame in found]


def hexed(text: str) -> bytes:
    return bytes.fromhex(text)


# Packets of the test suite of enioka_scan (SsiChecksumTest, SsiParserTest), and one made by the rule.
SSI = ["04D00400FF28", "04E40400FF14", "04E90408FF07", "04D00480FEA8", "12F300200B36393031323334353637383932FC22"]


@pytest.mark.parametrize("text", [*SSI, *(v["input"] for v in vectors("zebra_ssi") if isinstance(v["input"], str))])
def test_ssi_packet_is_read_and_written_again(text: str):
    raw = hexed(text)
    assert read_packet(raw).encode() == raw


@pytest.mark.parametrize("entry", vectors("zebra_ssi"), ids=lambda entry: entry["name"])
def test_ssi_packet_is_what_its_source_says(entry: dict):
    first = entry["input"][0] if isinstance(entry["input"], list) else entry["input"]
    opcode = entry["expected"].get("opcode", f"{hexed(first)[1]:02X}").split()[0]
    packet = read_packet(hexed(first))
    assert isinstance(entry["input"], list) or f"{packet.opcode:02X}" == opcode
    if "status" in entry["expected"]:
        assert packet.status == entry["expected"]["status"]
    if "cause" in entry["expected"]:
        assert packet.data == bytes([entry["expected"]["cause"]])
    if "event" in entry["expected"]:
        assert packet.data == bytes([entry["expected"]["event"]])


@pytest.mark.parametrize("name", ["DECODE_DATA EAN-13 (constructed)", "DECODE_DATA QR wallet code (constructed)"])
def test_ssi_code_of_the_vectors(name: str):
    entry = vector("zebra_ssi", name)
    data, kind = entry["expected"]["data"].encode(), entry["expected"]["type"].split()[1].replace("-", "")
    assert codes_of("zebra-ssi", hexed(entry["input"])) == [(data, kind)]


def test_ssi_parameters():
    word = read_packet(hexed("0AC60000FFF4F03E04FFFB0C"))
    pairs = read_packet(hexed("09C60000FF01009C07FD8E"))
    assert (word.data[0], read_parameters(word.data[1:])) == (0xFF, {318: 0x04FF})
    assert (pairs.data[0], read_parameters(pairs.data[1:])) == (0xFF, {1: 0, 156: 7})


def test_ssi_codes():
    assert codes_of("zebra-ssi", hexed(SSI[-1])) == [(b"6901234567892", "EAN13")]
    qr = "17F300201C313334353637383930313233343536373839FB02"
    assert codes_of("zebra-ssi", hexed(qr)) == [(b"134567890123456789", "QR")]


def test_ssi_code_of_500_bytes_in_three_segments():
    entry = vector("zebra_ssi", "multipacket QR 500 bytes of Z")
    dialogue = make_dialogue(find_profile("zebra-ssi"))
    dialogue.feed(b"", 0)
    dialogue.answer()
    found, answers = [], []
    for at_ms, text in enumerate(entry["input"]):
        found += dialogue.feed(hexed(text), at_ms)
        answers.append(dialogue.answer())
    assert [(frame.raw, frame.identifier) for frame in found] == [(entry["expected"]["data"].encode(), "QR")]
    assert answers == [*2 * [host_packet(Opcode.MULTIPACKET_ACK)], host_packet(Opcode.ACK)]


# Frames of Tasmota's driver of the GM861.
GROW_COMMANDS = {
    "7E000701002A02D80F": grow.read_zone(0x2A, 2),
    "7E000802002A3901A7EA": grow.write_zone(0x2A, b"\x39\x01"),
    "7E0008010002 0102DA": grow.write_zone(0x02, b"\x01"),
    "7E00080100D9 5081D3": grow.write_zone(0xD9, b"\x50"),
    "7E00090100 0000DEC8": grow.SAVE,
    "7E000A0100 0000301A": grow.HEARTBEAT,
}


@pytest.mark.parametrize("text", GROW_COMMANDS)
def test_grow_command(text: str):
    assert GROW_COMMANDS[text].encode() == hexed(text)
    assert grow.read_command(hexed(text)) == GROW_COMMANDS[text]


def test_grow_answers():
    assert grow.read_reply(hexed("020000023901C14C")) == b"\x39\x01"
    assert grow.read_reply(grow.ACKNOWLEDGED) == grow.read_reply(grow.ALIVE) == b"\x00"
    assert grow.reply(b"\x39\x01") == hexed("020000023901C14C")


@pytest.mark.parametrize("entry", vectors("gm65_gm861"), ids=lambda entry: entry["name"])
def test_grow_frame_is_what_its_source_says(entry: dict):
    raw, expected = hexed(entry["input"]), entry["expected"]
    assert f"{grow.crc16(raw[2:-2]):04X}" == entry["crc_computed"]
    if raw[:1] != b"\x7e":
        data = grow.read_reply(raw)
        assert data == hexed(expected.get("data", "00"))
        return
    command = grow.read_command(raw)
    encoded = command.encode()
    assert encoded[:-2] == raw[:-2]
    assert entry["placeholder_crc"] or encoded == raw
    if "addr" in expected:
        assert f"{command.zone:04X}" == expected["addr"]
    said = re.match(r"(?:[0-9A-F]{2} ?)+", expected.get("data", ""))
    assert said is None or command.data == hexed(said.group())


def test_lines_of_a_gm861():
    assert codes_of("generic-ascii", hexed("383731313231383937323837350D")) == [(b"8711218972875", "")]
    assert codes_of("gm861", hexed("5D45303837313132313839373238 37350D")) == [(b"]E08711218972875", "")]
    assert codes_of("gm861-wrapped", hexed("03000A30333231353633383430")) == [(b"0321563840", "")]


@pytest.mark.parametrize("name", ["GM861 barcode line", "GM861 AIM barcode line"])
def test_other_lines(name: str):
    entry = vector("other", name)
    expected = entry["expected"]
    text = expected if isinstance(expected, str) else expected["aim"] + expected["data"]
    assert [frame.raw for frame in Framer().feed(hexed(entry["input"]), 0)] == [text.encode()]


def test_wrapped_line():
    entry = vector("other", "GM861 protocol-wrapped data (zone 0x60=0x81)")
    assert codes_of("gm861-wrapped", hexed(entry["input"])) == [(entry["expected"].encode(), "")]


NEWLAND = "@DFMADD069990039999F141"  # manual of the NLS-HR52, page 234


def test_newland_command_and_answer():
    assert newland.command(NEWLAND) == b"\x7e\x010000@DFMADD069990039999F141;\x03"
    assert newland.accepted(NEWLAND) == b"\x02\x010000@DFMADD069990039999F141\x06;\x03"
    entry = vector("other", "Newland add data format")
    assert newland.command(NEWLAND) == hexed(entry["input"])
    assert newland.accepted(NEWLAND) == hexed(entry["expected"]["reply"])


def test_honeywell_menu_command_and_answers():
    # Manual of the Honeywell 2020-5, page 10-3: the echo has ACK, ENQ or NAK before the mark.
    assert honeywell.menu_command("CBRENA1.") == b"\x16M\rCBRENA1."
    assert honeywell.menu_done("CBRENA1.") == b"CBRENA1\x06."
    assert honeywell.menu_refused("CBRENA9!") == (b"CBRENA9\x05!", b"CBRENA9\x15!")
    assert honeywell.menu_done("SUFCA2;SUFBK2990D!") == b"SUFCA2\x06;SUFBK2990D\x06!"
    assert b"SUFCA2\x06;SUFBK2990D\x15!" in honeywell.menu_refused("SUFCA2;SUFBK2990D!")


MSGGET = "16FE1C0000000D4D5347474554303031346445301D363930313233343536373839320D"


def test_honeywell_message():
    assert codes_of("honeywell-messages", hexed(MSGGET)) == [(b"6901234567892", "]E0")]
    assert honeywell.message(b"6901234567892", b"d", "]E0") == hexed(MSGGET)
    entry = vector("other", "Honeywell MSGGET")
    aim, data = "]" + entry["expected"]["aim"], entry["expected"]["data"].encode()
    assert codes_of("honeywell-messages", hexed(entry["input"])) == [(data, aim)]


def test_hid_pos_report():
    report = hexed("020E5D4530363930313233343536373839320D").ljust(64, b"\x00")
    assert [(f.raw, f.identifier) for f in ReportReader().feed(report, 0)] == [(b"6901234567892", "]E0")]
    entry = vector("other", "HID POS input report (Zebra/Datalogic/Honeywell)")
    bytes_told = entry["input"]["bytes"].split(" 00*")[0]
    assert hexed(f"{entry['input']['report_id']:02X}{bytes_told}").ljust(64, b"\x00") == report
