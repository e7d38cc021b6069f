"""The conversation with a Zebra scanner over SSI: every packet is answered, what is damaged is asked for again.

A scanner that gets no answer sends the same packet again with the retransmit bit; a packet that was taken already is
then answered and not delivered twice. After nonsense the terminal waits for a pause before it believes a length byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from device.drivers.framing import LONGEST_CODE, Frame
from device.drivers.scanners.commands import Command
from device.drivers.scanners.dialogue import Dialogue
from device.drivers.scanners.identifiers import Identifier
from device.drivers.scanners.ssi_packets import (
    CHECKSUM_BYTES,
    FROM_DECODER,
    HEADER_BYTES,
    RETRANSMIT,
    BadPacket,
    Cause,
    Opcode,
    Packet,
    host_packet,
    read_packet,
)
from device.drivers.scanners.ssi_parts import Assembly, OutOfStep

QUIET_MS: Final = 20
"""A pause that ends nonsense."""
BETWEEN_BYTES_MS: Final = 200
"""A pause inside a packet that tears it."""
BETWEEN_PARTS_MS: Final = 8000
"""How long the next packet of a code may take, and how late a packet may be repeated: a scanner does it after 2 s."""

_ACK: Final = host_packet(Opcode.ACK)
_SEGMENT_ACK: Final = host_packet(Opcode.MULTIPACKET_ACK)
_RESEND: Final = host_packet(Opcode.NAK, bytes([Cause.RESEND]))
_DENIED: Final = host_packet(Opcode.NAK, bytes([Cause.DENIED]))
_CODES: Final = (Opcode.DECODE_DATA, Opcode.MULTIPACKET_SEGMENT)
_REPLIES: Final = (Opcode.ACK, Opcode.REPLY_REVISION, Opcode.CAPABILITIES_REPLY)


def command(about: str, sent: bytes, *, within_ms: int = 500, tries: int = 3, needed: bool = True) -> Command:
    """Give the command of an opcode and its data."""
    opcode, data = Opcode(sent[0]), sent[1:]
    again = host_packet(opcode, data, RETRANSMIT)
    return Command(about, host_packet(opcode, data), (_ACK,), (), again, within_ms, tries, needed)


class SsiDialogue(Dialogue):
    """Packets in; acknowledgements, commands and codes out."""

    def __init__(self, identifier: Identifier, commands: Sequence[Command] = (), longest: int = LONGEST_CODE) -> None:
        super().__init__(commands)
        self._identifier = identifier
        self._assembly = Assembly(longest)
        self._pending = bytearray()
        self._is_lost = False
        self._heard_ms = 0
        self._part_ms = 0
        self._asked_again = False
        self._last: Packet | None = None
        self._last_answer = b""
        self._outgoing = bytearray()

    @property
    def due_ms(self) -> int | None:
        """When a pause means something, or a command is to be sent or repeated."""
        dues = [self._commands.due_ms]
        if self._is_lost or self._pending:
            dues.append(self._heard_ms + (QUIET_MS if self._is_lost else BETWEEN_BYTES_MS))
        if self._assembly.is_open:
            dues.append(self._part_ms + BETWEEN_PARTS_MS)
        return min((due_ms for due_ms in dues if due_ms is not None), default=None)

    def feed(self, piece: bytes, at_ms: int) -> list[Frame]:
        """Take what the scanner sent, or nothing, and give the codes that are now complete."""
        self._notice_pause(at_ms)
        if piece:
            self._heard_ms = at_ms
        self._pending += piece
        frames: list[Frame] = []
        while not self._is_lost and (raw := self._cut()):
            try:
                frames += self._take(read_packet(raw), at_ms)
            except BadPacket:
                self._lose()
        if self._is_lost:
            self._pending.clear()
        while sent := self._commands.next(at_ms):
            self._outgoing += sent
        return frames

    def answer(self) -> bytes:
        """Give what is to be sent now; every byte is given once."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def clear(self) -> None:
        """Forget a code that is half there."""
        self._pending.clear()
        self._is_lost = False
        self._assembly.clear()

    def _notice_pause(self, now_ms: int) -> None:
        pause_ms = now_ms - self._heard_ms
        if self._pending and pause_ms >= BETWEEN_BYTES_MS:
            self.dropped.torn += 1
            self._pending.clear()
            self._ask_again()
        elif self._is_lost and pause_ms >= QUIET_MS:
            self._is_lost = False
            self._ask_again()
        if self._assembly.is_open and now_ms >= self._part_ms + BETWEEN_PARTS_MS:
            self.dropped.torn += 1
            self._assembly.clear()

    def _ask_again(self) -> None:
        self._asked_again = True
        self._outgoing += _RESEND

    def _cut(self) -> bytes:
        """Give the bytes of the next packet, none if it is not whole."""
        if not self._pending:
            return b""
        length = self._pending[0]
        if length < HEADER_BYTES:
            self._lose()
            return b""
        if len(self._pending) < length + CHECKSUM_BYTES:
            return b""
        raw = bytes(self._pending[: length + CHECKSUM_BYTES])
        del self._pending[: length + CHECKSUM_BYTES]
        return raw

    def _lose(self) -> None:
        self.dropped.damaged += 1
        self._is_lost = True

    def _take(self, packet: Packet, at_ms: int) -> list[Frame]:
        if packet.opcode in _CODES:
            return self._take_code(packet, at_ms)
        if packet.opcode in _REPLIES:
            self._commands.answered()
        elif packet.opcode == Opcode.NAK:
            self._take_refusal(packet, at_ms)
        elif packet.opcode in (Opcode.EVENT, Opcode.PARAM_SEND):
            self._outgoing += _ACK
        return []

    def _take_refusal(self, packet: Packet, now_ms: int) -> None:
        if packet.data[:1] == bytes([Cause.RESEND]):
            self._outgoing += self._commands.repeat(now_ms)
        else:
            self._commands.refuse("says no")

    def _take_code(self, packet: Packet, at_ms: int) -> list[Frame]:
        if packet.opcode == Opcode.DECODE_DATA and packet.source != FROM_DECODER:
            self.dropped.damaged += 1
            return []
        if self._is_known(packet, at_ms):
            return self._take_known(packet)
        self._part_ms = at_ms
        try:
            code = self._assembly.take(packet)
        except OutOfStep:
            self._refuse_code()
            return []
        is_open_segment = code is None and packet.opcode == Opcode.MULTIPACKET_SEGMENT
        self._last, self._last_answer = packet, _SEGMENT_ACK if is_open_segment else _ACK
        self._asked_again = False
        self._outgoing += self._last_answer
        if code is None or not code.raw:
            return []
        return [Frame(code.raw, at_ms, self._identifier.of_type(code.type))]

    def _is_known(self, packet: Packet, now_ms: int) -> bool:
        """Whether a packet was taken before: it says so itself, or it is the segment that came last."""
        last = self._last
        if last is None or last.opcode != packet.opcode or last.data != packet.data:
            return False
        if now_ms >= self._part_ms + BETWEEN_PARTS_MS:
            return False
        return packet.is_repeated or (self._assembly.is_open and packet.opcode == Opcode.MULTIPACKET_SEGMENT)

    def _take_known(self, packet: Packet) -> list[Frame]:
        """Answer once more; but a part like the one before, after a damaged one, may be either: give the code up."""
        if self._asked_again and self._assembly.is_open and packet.opcode == Opcode.DECODE_DATA:
            self._refuse_code()
        else:
            self._outgoing += self._last_answer
        return []

    def _refuse_code(self) -> None:
        self._assembly.clear()
        self.dropped.damaged += 1
        self._outgoing += _DENIED
