"""The scanner's side of each protocol: what it sends for a code, and what it answers; bytes in, bytes out, no clock."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from device.drivers.scanners import grow, honeywell
from device.drivers.scanners.profile import Profile
from device.drivers.scanners.ssi_packets import (
    CHECKSUM_BYTES,
    CONTINUATION,
    HEADER_BYTES,
    RETRANSMIT,
    BadPacket,
    Cause,
    Opcode,
    Packet,
    read_packet,
)

_SUFFIXES: Final = {"any": b"\r", "cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "tab": b"\t", "none": b""}
_ENOUGH: Final = 1024


@dataclass(frozen=True, slots=True)
class Sighting:
    """A code before the scanner."""

    raw: bytes = field(repr=False)
    aim: str = ""
    """AIM identifier, if the scanner is to send one."""
    type: int = 0x1C
    """The type byte of SSI; 1C is QR, 0B is EAN-13."""


class Voice(ABC):
    """How one scanner speaks."""

    @abstractmethod
    def see(self, code: Sighting, now_ms: int) -> bytes:
        """Read a code, and give what is sent."""

    def hear(self, data: bytes, now_ms: int) -> bytes:  # noqa: ARG002  the plainest scanner listens to nobody
        """Take what the terminal sent, and give the answer."""
        return b""

    def idle(self, now_ms: int) -> bytes:  # noqa: ARG002  most scanners do nothing by themselves
        """Give what is sent because time has passed."""
        return b""


def make_voice(profile: Profile, repeat_ms: int = 2000) -> Voice:
    """Make the scanner for which a profile is; an SSI scanner repeats an unanswered packet after `repeat_ms`."""
    match profile.protocol:
        case "ssi":
            return SsiVoice(repeat_ms)
        case "grow":
            return GrowVoice(_SUFFIXES[profile.framing.suffix])
        case "msgget":
            return MessageVoice()
        case "honeywell":
            return HoneywellVoice(profile)
        case "newland":
            return NewlandVoice(profile)
        case _:
            return TextVoice(profile)


class TextVoice(Voice):
    """Sends text and hears nothing."""

    def __init__(self, profile: Profile) -> None:
        self._prefix = profile.framing.prefix.encode()
        self._suffix = _SUFFIXES[profile.framing.suffix]

    def see(self, code: Sighting, now_ms: int) -> bytes:  # noqa: ARG002
        """Give prefix, identifier, code and suffix."""
        return self._prefix + code.aim.encode() + code.raw + self._suffix


class NewlandVoice(TextVoice):
    """Sends text, and echoes each command with ACK."""

    _HEAD: Final = b"\x7e\x010000"
    _TAIL: Final = b";\x03"

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self._heard = b""

    def hear(self, data: bytes, now_ms: int) -> bytes:  # noqa: ARG002
        """Answer whole commands."""
        self._heard = (self._heard + data)[-_ENOUGH:]
        answers = b""
        while self._TAIL in self._heard:
            command, _, self._heard = self._heard.partition(self._TAIL)
            _, found, text = command.rpartition(self._HEAD)
            answers += b"\x02\x010000" + text + b"\x06" + self._TAIL if found else b""
        return answers


class HoneywellVoice(TextVoice):
    """Sends text, and echoes each menu command with ACK."""

    _MENU: Final = b"\x16M\r"

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self._heard = b""

    def hear(self, data: bytes, now_ms: int) -> bytes:  # noqa: ARG002
        """Answer whole commands."""
        self._heard = (self._heard + data)[-_ENOUGH:]
        answers = b""
        while (mark := re.search(rb"[!.]", self._heard)) is not None:
            command, self._heard = self._heard[: mark.start()], self._heard[mark.end() :]
            _, found, text = command.rpartition(self._MENU)
            answers += re.sub(rb"[;,]", b"\x06\\g<0>", text.upper()) + b"\x06" + mark.group() if found else b""
        return answers


class MessageVoice(Voice):
    """Announces each code as Honeywell's scanners do."""

    def see(self, code: Sighting, now_ms: int) -> bytes:  # noqa: ARG002
        """Give the message about a code."""
        return honeywell.message(code.raw, b"s", code.aim or "]Q1")


class GrowVoice(Voice):
    """A module of GROW with its zones; answers before it sends what it was told to read."""

    MODE: Final = 0x0000
    TRIGGER: Final = 0x0002
    FORM: Final = 0x0060
    AIM: Final = 0x00D0

    def __init__(self, suffix: bytes = b"\r") -> None:
        self.zones: dict[int, int] = {self.MODE: 0, self.FORM: 0x01, self.AIM: 0}
        self.saved: dict[int, int] = {}
        self.before_it: Sighting | None = None
        """A code that lies before the module, and is read when the terminal triggers it."""
        self._suffix = suffix
        self._heard = b""

    def see(self, code: Sighting, now_ms: int) -> bytes:  # noqa: ARG002
        """Give the code as the zones want it."""
        text = (code.aim.encode() if self.zones[self.AIM] & 0x80 else b"") + code.raw
        if self.zones[self.FORM] & 0x80:
            return b"\x03" + len(text).to_bytes(2, "big") + text
        return text + self._suffix

    def hear(self, data: bytes, now_ms: int) -> bytes:
        """Answer whole commands; what is none is passed over."""
        self._heard = (self._heard + data)[-_ENOUGH:]
        answers = b""
        while (at := self._heard.find(b"\x7e\x00")) >= 0 and len(self._heard) >= at + 9:
            length = at + 8 + self._heard[at + 3] if self._heard[at + 2] == grow.GrowType.WRITE else at + 9
            if len(self._heard) < length:
                break
            frame, self._heard = self._heard[at:length], self._heard[length:]
            try:
                answers += self._obey(grow.read_command(frame), now_ms)
            except grow.BadGrowFrame:
                continue
        return answers

    def _obey(self, command: grow.GrowCommand, now_ms: int) -> bytes:
        match command.type:
            case grow.GrowType.HEARTBEAT:
                return grow.ALIVE
            case grow.GrowType.READ:
                return grow.reply(bytes(self.zones.get(command.zone + at, 0) for at in range(command.data[0])))
            case grow.GrowType.SAVE:
                self.saved = dict(self.zones)
                return grow.ACKNOWLEDGED
            case _:
                self.zones |= {command.zone + at: value for at, value in enumerate(command.data)}
        is_triggered = command.zone == self.TRIGGER and command.data[0] & 1 and self.before_it is not None
        return grow.ACKNOWLEDGED + (self.see(self.before_it, now_ms) if is_triggered and self.before_it else b"")


class SsiVoice(Voice):
    """A Zebra scanner: sends a packet, waits for its answer, and repeats it three times at most."""

    PART_BYTES: Final = 240

    def __init__(self, repeat_ms: int = 2000, *, segmented: bool = True) -> None:
        self.acknowledged = 0
        """How many packets were answered with yes."""
        self.commands: list[Packet] = []
        self._repeat_ms = repeat_ms
        self._segmented = segmented
        self._queue: deque[Packet] = deque()
        self._sent: Packet | None = None
        self._sent_ms = 0
        self._repeats = 0
        self._heard = b""

    def see(self, code: Sighting, now_ms: int) -> bytes:
        """Queue the packets of a code, and give the first if none is waiting for its answer."""
        self._queue.extend(self._packets(code))
        return self._next(now_ms) if self._sent is None else b""

    def hear(self, data: bytes, now_ms: int) -> bytes:
        """Take answers and commands."""
        self._heard += data
        answers = b""
        while self._heard and len(self._heard) >= self._heard[0] + CHECKSUM_BYTES:
            length = max(self._heard[0], HEADER_BYTES) + CHECKSUM_BYTES
            raw, self._heard = self._heard[:length], self._heard[length:]
            try:
                answers += self._obey(read_packet(raw), now_ms)
            except BadPacket:
                answers += Packet(Opcode.NAK, bytes([Cause.RESEND])).encode()
        return answers

    def idle(self, now_ms: int) -> bytes:
        """Repeat what was not answered."""
        if self._sent is None or now_ms < self._sent_ms + self._repeat_ms:
            return b""
        return self._again(now_ms)

    def _obey(self, packet: Packet, now_ms: int) -> bytes:
        match packet.opcode:
            case Opcode.ACK | Opcode.MULTIPACKET_ACK:
                self.acknowledged += self._sent is not None
                self._sent = None
                return self._next(now_ms)
            case Opcode.NAK if packet.data[:1] == bytes([Cause.RESEND]):
                return self._again(now_ms)
            case Opcode.NAK:
                self._sent = None
                self._queue.clear()
                return b""
        self.commands.append(packet)
        return Packet(Opcode.ACK).encode()

    def _next(self, now_ms: int) -> bytes:
        if not self._queue:
            return b""
        self._sent, self._sent_ms, self._repeats = self._queue.popleft(), now_ms, 0
        return self._sent.encode()

    def _again(self, now_ms: int) -> bytes:
        if self._sent is None:
            return b""
        self._repeats += 1
        if self._repeats > 3:  # noqa: PLR2004
            self._sent = None
            return self._next(now_ms)
        self._sent_ms = now_ms
        return replace(self._sent, status=self._sent.status | RETRANSMIT).encode()

    def _packets(self, code: Sighting) -> list[Packet]:
        if len(code.raw) <= self.PART_BYTES:
            return [Packet(Opcode.DECODE_DATA, bytes([code.type]) + code.raw)]
        return segments_of(code) if self._segmented else self._parts_of(code)

    def _parts_of(self, code: Sighting) -> list[Packet]:
        parts = [code.raw[at : at + self.PART_BYTES] for at in range(0, len(code.raw), self.PART_BYTES)]
        kind = bytes([code.type])
        *before, last = (Packet(Opcode.DECODE_DATA, kind + part) for part in parts)
        return [*(replace(packet, status=CONTINUATION) for packet in before), last]


def segments_of(code: Sighting) -> list[Packet]:
    """Give the numbered segments of a code that is too long for one packet."""
    inner = bytes([Opcode.DECODE_DATA, 0, 0]) + (len(code.raw) + 3).to_bytes(2, "big")
    data = inner + bytes([code.type, 1]) + len(code.raw).to_bytes(2, "big") + code.raw
    pieces = [data[at : at + 250] for at in range(0, len(data), 250)]
    numbered = [Packet(Opcode.MULTIPACKET_SEGMENT, bytes([number]) + piece) for number, piece in enumerate(pieces)]
    return [replace(numbered[0], source=2), *numbered[1:]]
