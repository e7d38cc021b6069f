"""The conversation with a Zebra scanner, both sides without a line between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.drivers.scanners.dialogues import make_dialogue
from device.drivers.scanners.identifiers import UNKNOWN
from device.drivers.scanners.profile import find_profile
from device.drivers.scanners.ssi import BETWEEN_BYTES_MS, BETWEEN_PARTS_MS, QUIET_MS
from device.drivers.scanners.ssi_packets import (
    CONTINUATION,
    RETRANSMIT,
    BadPacket,
    Cause,
    Opcode,
    Packet,
    host_packet,
    read_packet,
    read_parameters,
    write_parameter,
)
from device.drivers.simulated.voices import Sighting, SsiVoice, segments_of

ACK = host_packet(Opcode.ACK)
NAK = host_packet(Opcode.NAK, bytes([Cause.RESEND]))
EAN13 = 0x0B


class Talk:
    """A dialogue and what came of it."""

    def __init__(self) -> None:
        self.dialogue = make_dialogue(find_profile("zebra-ssi"))
        self.codes: list[bytes] = []
        self.identifiers: list[str] = []
        self.now_ms = 0
        self.begin()

    def begin(self) -> None:
        while not self.dialogue.is_ready:
            self.hear(b"")
            self.hear(Packet(Opcode.ACK).encode())

    def hear(self, piece: bytes, after_ms: int = 0) -> bytes:
        self.now_ms += after_ms
        for frame in self.dialogue.feed(piece, self.now_ms):
            self.codes.append(frame.raw)
            self.identifiers.append(frame.identifier)
        return self.dialogue.answer()


@pytest.fixture
def talk():
    return Talk()


def code(raw: bytes, kind: int = EAN13, status: int = 0) -> bytes:
    return Packet(Opcode.DECODE_DATA, bytes([kind]) + raw, status=status).encode()


def test_start_asks_for_packets_and_repeats_with_the_retransmit_bit():
    dialogue = make_dialogue(find_profile("zebra-ssi"))
    dialogue.feed(b"", 0)
    first = read_packet(dialogue.answer())
    assert (first.opcode, first.status, first.source) == (Opcode.PARAM_SEND, 0, 4)
    assert read_parameters(first.data[1:]) == {0xEE: 1, 0x9F: 1}
    assert dialogue.due_ms == 1000
    dialogue.feed(b"", 1000)
    again = read_packet(dialogue.answer())
    assert (again.opcode, again.data, again.is_repeated) == (first.opcode, first.data, True)
    assert not dialogue.is_ready


def test_scanner_that_answers_nothing_cannot_be_used():
    dialogue = make_dialogue(find_profile("zebra-ssi"))
    for at_ms in range(0, 4000, 1000):
        assert not dialogue.trouble
        dialogue.feed(b"", at_ms)
    assert "does not answer" in dialogue.trouble
    assert "packets" in dialogue.trouble


def test_scanner_that_will_not_do_what_is_needed_says_so():
    dialogue = make_dialogue(find_profile("zebra-ssi"))
    dialogue.feed(b"", 0)
    dialogue.feed(Packet(Opcode.NAK, bytes([Cause.DENIED])).encode(), 10)
    assert "says no" in dialogue.trouble


def test_scanner_may_refuse_what_is_not_needed():
    dialogue = make_dialogue(find_profile("zebra-ssi"))
    dialogue.feed(b"", 0)
    dialogue.feed(Packet(Opcode.ACK).encode(), 10)
    dialogue.feed(Packet(Opcode.NAK, bytes([Cause.BAD_CONTEXT])).encode(), 20)
    assert dialogue.is_ready
    assert not dialogue.trouble
    assert dialogue.refusals == ("let it scan",)


def test_scanner_may_ask_for_a_command_again():
    dialogue = make_dialogue(find_profile("zebra-ssi"))
    dialogue.feed(b"", 0)
    first = dialogue.answer()
    dialogue.feed(Packet(Opcode.NAK, bytes([Cause.RESEND])).encode(), 10)
    assert read_packet(dialogue.answer()).data == read_packet(first).data


def test_code_is_delivered_and_acknowledged(talk):
    assert talk.hear(code(b"6901234567892")) == ACK
    assert (talk.codes, talk.identifiers) == ([b"6901234567892"], ["EAN13"])


def test_type_that_nobody_knows_is_unknown_even_if_the_text_looks_like_an_identifier(talk):
    talk.hear(code(b"]E06901234567892", kind=0x77))
    assert (talk.codes, talk.identifiers) == ([b"]E06901234567892"], [UNKNOWN])


def test_event_and_parameters_are_acknowledged_and_no_code(talk):
    assert talk.hear(Packet(Opcode.EVENT, b"\x20").encode()) == ACK
    assert talk.hear(Packet(Opcode.PARAM_SEND, b"\xff\x01\x00").encode()) == ACK
    assert talk.codes == []


def test_unknown_packet_is_passed_over(talk):
    assert talk.hear(Packet(Opcode.SSI_MGMT, b"\x00\x1d").encode()) == b""
    assert talk.hear(code(b"1")) == ACK
    assert talk.codes == [b"1"]


def test_repeated_packet_is_answered_and_delivered_once(talk):
    talk.hear(code(b"6901234567892"))
    assert talk.hear(code(b"6901234567892", status=RETRANSMIT), 2000) == ACK
    assert talk.codes == [b"6901234567892"]


def test_same_code_again_without_the_bit_is_a_second_scan(talk):
    talk.hear(code(b"1"))
    talk.hear(code(b"1"), 500)
    assert talk.codes == [b"1", b"1"]


def test_repeated_packet_long_after_is_a_new_one_whose_first_sending_was_lost(talk):
    talk.hear(code(b"1"))
    talk.hear(code(b"1", status=RETRANSMIT), BETWEEN_PARTS_MS)
    assert talk.codes == [b"1", b"1"]


def test_damaged_packet_is_asked_for_again_after_a_pause(talk):
    damaged = bytearray(code(b"6901234567892"))
    damaged[8] ^= 1
    assert talk.hear(bytes(damaged)) == b""
    assert talk.dialogue.due_ms == talk.now_ms + QUIET_MS
    assert talk.hear(b"", QUIET_MS) == NAK
    assert talk.hear(code(b"6901234567892", status=RETRANSMIT), 5) == ACK
    assert talk.codes == [b"6901234567892"]
    assert talk.dialogue.dropped.damaged == 1


def test_torn_packet_is_asked_for_again(talk):
    talk.hear(code(b"6901234567892")[:7])
    assert talk.hear(b"", BETWEEN_BYTES_MS) == NAK
    assert talk.hear(code(b"6901234567892", status=RETRANSMIT)) == ACK
    assert talk.codes == [b"6901234567892"]


def test_packet_of_a_host_is_no_code(talk):
    talk.hear(Packet(Opcode.DECODE_DATA, b"\x0b123", source=4).encode())
    assert talk.codes == []


def test_code_in_parts(talk):
    assert talk.hear(code(b"a" * 200, 0x1C, CONTINUATION)) == ACK
    assert talk.hear(code(b"b" * 200, 0x1C, CONTINUATION)) == ACK
    assert talk.codes == []
    assert talk.hear(code(b"c", 0x1C)) == ACK
    assert (talk.codes, talk.identifiers) == ([b"a" * 200 + b"b" * 200 + b"c"], ["QR"])


def test_repeated_part_is_taken_once(talk):
    talk.hear(code(b"a", 0x1C, CONTINUATION))
    assert talk.hear(code(b"a", 0x1C, CONTINUATION | RETRANSMIT), 2000) == ACK
    talk.hear(code(b"b", 0x1C))
    assert talk.codes == [b"ab"]


def test_part_of_which_nobody_knows_whether_it_was_taken_gives_the_code_up(talk):
    talk.hear(code(b"Z", 0x1C, CONTINUATION))
    damaged = bytearray(code(b"Z", 0x1C, CONTINUATION))
    damaged[-1] ^= 1
    talk.hear(bytes(damaged))
    assert talk.hear(b"", QUIET_MS) == NAK
    assert talk.hear(code(b"Z", 0x1C, CONTINUATION | RETRANSMIT)) == host_packet(Opcode.NAK, bytes([Cause.DENIED]))
    assert talk.codes == []


def test_part_of_another_kind_gives_the_code_up(talk):
    talk.hear(code(b"a", 0x1C, CONTINUATION))
    assert talk.hear(code(b"123", EAN13)) == host_packet(Opcode.NAK, bytes([Cause.DENIED]))
    talk.hear(code(b"123", EAN13))
    assert talk.codes == [b"123"]


def test_parts_that_break_off_are_forgotten(talk):
    talk.hear(code(b"a", 0x1C, CONTINUATION))
    talk.hear(b"", BETWEEN_PARTS_MS)
    talk.hear(code(b"b", 0x1C))
    assert talk.codes == [b"b"]
    assert talk.dialogue.dropped.torn == 1


def test_code_without_end_is_given_up(talk):
    for number in range(30):
        talk.hear(code(bytes([number]) * 200, 0x1C, CONTINUATION))
    assert talk.codes == []
    assert talk.dialogue.dropped.damaged == 1


def test_segments_are_put_together_and_a_repeated_one_is_answered(talk):
    raw = bytes(range(256)) * 3
    *first, last = segments_of(Sighting(raw))
    for packet in first:
        assert talk.hear(packet.encode()) == host_packet(Opcode.MULTIPACKET_ACK)
        assert talk.hear(packet.encode()) == host_packet(Opcode.MULTIPACKET_ACK)
    assert talk.hear(last.encode()) == ACK
    assert talk.codes == [raw]


def test_missing_segment_gives_the_code_up(talk):
    packets = segments_of(Sighting(bytes(range(256)) * 3))
    talk.hear(packets[0].encode())
    assert talk.hear(packets[2].encode()) == host_packet(Opcode.NAK, bytes([Cause.DENIED]))
    assert talk.codes == []


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x00\xf3\x00\x00\x00\x00", b"\x00\xf3\0\0\xff\xff\x1c\x01\xff\xfcZ"])
def test_segment_that_makes_no_sense(talk, data):
    talk.hear(Packet(Opcode.MULTIPACKET_SEGMENT, data).encode())
    assert talk.codes == []
    assert talk.hear(code(b"1")) == ACK


def test_babble_is_no_code_and_the_next_packet_after_a_pause_is(talk):
    for seed in range(2000):
        talk.hear(bytes((seed * 7 + at * at * 31) % 256 for at in range(64)), 1)
    assert talk.codes == []
    talk.hear(b"", QUIET_MS + BETWEEN_BYTES_MS)
    talk.hear(code(b"1"), 5)
    assert talk.codes == [b"1"]


@pytest.mark.parametrize("raw", ["", "04", "04D00400FF29", "05D00400FF28", "03D004FF29"])
def test_bytes_that_are_no_packet(raw):
    with pytest.raises(BadPacket):
        read_packet(bytes.fromhex(raw))


@pytest.mark.parametrize("raw", ["01", "F4", "F0", "F401", "F0 3E", "F401 00"])
def test_parameters_that_break_off(raw):
    with pytest.raises(BadPacket):
        read_parameters(bytes.fromhex(raw))


@given(st.dictionaries(st.integers(0, 0xEF) | st.integers(256, 3 * 256 + 255), st.integers(0, 0xFFFF), max_size=20))
def test_parameters_are_read_as_they_were_written(parameters):
    data = b"".join(write_parameter(number, value) for number, value in parameters.items())
    assert read_parameters(data) == parameters


codes = st.lists(st.binary(min_size=1, max_size=700), min_size=1, max_size=4)


@given(codes, st.data(), st.booleans())
def test_every_code_comes_once_and_whole_however_its_packets_are_torn_or_damaged(raws, data, segmented):
    talk, voice = Talk(), SsiVoice(repeat_ms=2000, segmented=segmented)
    said = b"".join(voice.see(Sighting(raw), 0) for raw in raws)
    damages = data.draw(st.lists(st.integers(0, 3), max_size=3), label="which packets are damaged")
    for turn in range(200):
        if turn in damages and said:
            place = data.draw(st.integers(0, len(said) - 1), label="which byte")
            said = said[:place] + bytes([said[place] ^ 0x55]) + said[place + 1 :]
        cut = data.draw(st.integers(0, len(said)), label="torn at") if turn < 12 else 0
        answer = talk.hear(said[:cut], 1) + talk.hear(said[cut:], 1) + talk.hear(b"", 300)
        said = voice.hear(answer, talk.now_ms) + voice.idle(talk.now_ms)
    assert [raw for raw in talk.codes if raw not in raws] == []
    if not damages:
        assert talk.codes == raws
