"""What scanners send, for the dialogues of every protocol, in pieces; the sound inputs are of simulated scanners."""

from __future__ import annotations

from collections.abc import Callable

from device.drivers.scanners import grow
from device.drivers.scanners.dialogues import make_dialogue
from device.drivers.scanners.hid_pos import REPORT_BYTES, ReportReader, make_reports
from device.drivers.scanners.profile import find_profile
from device.drivers.scanners.ssi_packets import BadPacket, Opcode, Packet, read_packet, read_parameters
from device.drivers.simulated.voices import Sighting, make_voice, segments_of

MOST_SENT = 8
"""Times the bytes that came in: a scanner must not make the terminal talk without end."""
CODES = (Sighting(b"6901234567892", "]E0", 0x0B), Sighting(b"TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA", "]Q1"))


def converse(name: str) -> Callable[[bytes], object]:
    """Cut the input into pieces, at places and with pauses that its own bytes say."""
    profile = find_profile(name)

    def read(data: bytes) -> object:
        dialogue = make_dialogue(profile)
        frames, sent, place, now = dialogue.feed(b"", 0), len(dialogue.answer()), 0, 0
        while place < len(data):
            size = 1 + data[place] % 61
            now += data[place] * 3
            frames += dialogue.feed(data[place : place + size], now)
            sent += len(dialogue.answer())
            place += size
        frames += dialogue.feed(b"", now + 10_000)
        if sent > 100 + MOST_SENT * len(data):
            raise AssertionError(f"{sent} bytes were sent for {len(data)}")
        return frames

    return read


def read_reports(data: bytes) -> object:
    reader = ReportReader()
    return [reader.feed(data[at : at + REPORT_BYTES], at) for at in range(0, len(data), REPORT_BYTES)]


def seen_by(name: str) -> tuple[bytes, ...]:
    voice = make_voice(find_profile(name))
    first = [voice.see(code, 0) for code in CODES]
    return tuple(said for said in first if said)


SEGMENTS = b"".join(packet.encode() for packet in segments_of(Sighting(bytes(range(256)) * 2)))
PACKETS = (Packet(Opcode.EVENT, b"\x20").encode(), bytes.fromhex("0AC60000FFF4F03E04FFFB0C"))
GROW = (grow.write_zone(0, b"\xd6").encode(), grow.HEARTBEAT.encode())

SCANNER_PARSERS = (
    *(
        (f"scanner {name}", converse(name), (), (*seen_by(name), *more))
        for name, more in (
            ("zebra-ssi", (SEGMENTS, *PACKETS)),
            ("gm65", (grow.ACKNOWLEDGED + b"]E06901234567892\r", grow.ALIVE)),
            ("gm861-wrapped", (grow.ACKNOWLEDGED,)),
            ("honeywell-messages", ()),
            ("zebra-code-id", (b"P01TW1:MFRGG\rA6901234567892\r",)),
        )
    ),
    ("SSI packet", read_packet, (BadPacket,), PACKETS),
    ("SSI parameters", read_parameters, (BadPacket,), (bytes.fromhex("F4F03E04FF01009C07"),)),
    ("GROW command", grow.read_command, (grow.BadGrowFrame,), GROW),
    ("GROW answer", grow.read_reply, (grow.BadGrowFrame,), (grow.ACKNOWLEDGED, grow.reply(b"\x39\x01"))),
    ("HID POS report", read_reports, (), (b"".join(make_reports(b"x" * 120, "]Q1")), make_reports(b"1", "]E0")[0])),
)
