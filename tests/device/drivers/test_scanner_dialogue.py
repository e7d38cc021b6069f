"""Conversations in text and in the frames of GROW, Newland and Honeywell, without a line between both sides."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.drivers.composure import Composure
from device.drivers.framing import Frame
from device.drivers.scanners import grow, honeywell, newland
from device.drivers.scanners.dialogues import make_dialogue
from device.drivers.scanners.hid_pos import DATA_BYTES, ReportReader, make_reports
from device.drivers.scanners.identifiers import UNKNOWN
from device.drivers.scanners.profile import Identifiers, Profile, Step, find_profile
from device.drivers.scanners.replies import ReplyCutter
from device.drivers.simulated.voices import GrowVoice, Sighting, make_voice

ACK = grow.ACKNOWLEDGED


class Talk:
    """A dialogue, its codes, and the scanner's side if there is one."""

    def __init__(self, profile: str | Profile) -> None:
        self.profile = find_profile(profile) if isinstance(profile, str) else profile
        self.dialogue = make_dialogue(self.profile)
        self.voice = make_voice(self.profile)
        self.codes: list[bytes] = []
        self.identifiers: list[str] = []
        self.sent: list[bytes] = []
        self.now_ms = 0

    def hear(self, piece: bytes, after_ms: int = 0) -> bytes:
        self.now_ms += after_ms
        for frame in self.dialogue.feed(piece, self.now_ms):
            self.codes.append(frame.raw)
            self.identifiers.append(frame.identifier)
        answer = self.dialogue.answer()
        self.sent += [answer] if answer else []
        return answer

    def settle(self) -> None:
        """Let both sides speak until the commands are done."""
        said = b""
        for _ in range(40):
            said = self.voice.hear(self.hear(said, 10), self.now_ms)
        assert self.dialogue.is_ready


@pytest.mark.parametrize("name", ["gm65", "gm861", "gm861-wrapped"])
def test_module_is_set_zone_by_zone(name):
    talk = Talk(name)
    talk.settle()
    wanted = [bytes.fromhex(step.send) for step in talk.profile.start]
    assert [grow.read_command(sent).data for sent in talk.sent] == [raw[2:] for raw in wanted]
    assert isinstance(talk.voice, GrowVoice)
    assert all(talk.voice.zones[int.from_bytes(raw[:2], "big")] == raw[2] for raw in wanted)
    talk.hear(talk.voice.see(Sighting(b"6901234567892", "]E0"), 0))
    assert talk.codes == [(b"]E0" if name != "gm861-wrapped" else b"") + b"6901234567892"]


def test_answer_before_the_code_is_taken_off_exactly():
    talk = Talk("gm65")
    talk.hear(b"")
    talk.hear(ACK + b"]E06901234567892\r")
    assert talk.codes == [b"]E06901234567892"]
    assert talk.dialogue.dropped.total() == 0


@pytest.mark.parametrize("cut", range(1, len(ACK) + 4))
def test_answer_and_code_torn_anywhere(cut):
    talk = Talk("gm65")
    talk.hear(b"")
    said = ACK + b"123\r"
    talk.hear(said[:cut])
    talk.hear(said[cut:], 5)
    assert talk.codes == [b"123"]


def test_answer_in_the_middle_of_a_code_that_is_still_being_sent():
    talk = Talk("gm65")
    talk.hear(b"690123")
    talk.hear(ACK + b"4567892\r")
    assert talk.codes == [b"6901234567892"]


def test_late_second_answer_is_no_code():
    talk = Talk("gm65")
    talk.hear(b"")
    talk.hear(b"", 500)
    talk.hear(ACK, 10)
    talk.hear(b"123\r" + ACK, 10)
    assert talk.codes == [b"123"]


def test_code_that_looks_like_an_answer_is_a_code_when_none_is_awaited():
    talk = Talk("gm65")
    talk.settle()
    talk.hear(ACK + b"\r", 6000)
    assert talk.codes == [ACK]


def test_byte_that_could_begin_an_answer_is_let_go_after_a_moment():
    talk = Talk("gm65")
    talk.hear(b"")
    talk.hear(b"abc\x02")
    talk.hear(b"", 100)
    talk.hear(b"\r")
    assert talk.codes == [b"abc\x02"]


def test_silent_module_is_asked_for_a_sign_of_life_and_given_up_after_three():
    talk = Talk("gm65")
    talk.settle()
    assert talk.hear(b"", 10_000) == grow.HEARTBEAT.encode()
    talk.hear(grow.ALIVE, 20)
    assert talk.codes == []
    assert talk.hear(b"", 9_000) == b""
    for wait_ms in (1_000, 2_000, 2_000):
        assert talk.hear(b"", wait_ms) == grow.HEARTBEAT.encode()
        assert not talk.dialogue.trouble
    talk.hear(b"", 2_000)
    assert "does not answer" in talk.dialogue.trouble


def test_module_that_knows_no_heartbeat_is_asked_to_set_something_again():
    talk = Talk("gm65")
    talk.settle()
    for wait_ms in (10_000, 2_000, 2_000):
        assert talk.hear(b"", wait_ms) == grow.HEARTBEAT.encode()
    mode = grow.write_zone(0, b"\xd6").encode()
    talk.hear(b"", 2_000)
    assert talk.hear(b"") == mode
    talk.hear(ACK + b"1\r", 100)
    assert (talk.codes, talk.dialogue.trouble) == ([b"1"], "")
    assert "give a sign of life" in talk.dialogue.refusals
    for wait_ms in (10_000, 500, 500):
        assert talk.hear(b"", wait_ms) == mode
    talk.hear(b"", 500)
    assert "does not answer" in talk.dialogue.trouble


def test_module_that_sends_codes_is_not_asked():
    talk = Talk("gm65")
    talk.settle()
    before = len(talk.sent)
    for _ in range(10):
        talk.hear(b"1\r", 5_000)
    assert len(talk.sent) == before


def test_triggered_module_answers_and_then_sends_its_code():
    voice = GrowVoice()
    voice.before_it = Sighting(b"8711218972875")
    assert voice.hear(bytes.fromhex("7E000801000201ABCD"), 0) == ACK + b"8711218972875\r"
    assert voice.hear(grow.read_zone(0xD0, 1).encode(), 0) == grow.reply(b"\x00")
    assert voice.hear(grow.SAVE.encode(), 0) == ACK
    assert voice.saved == voice.zones


def test_module_passes_over_what_is_damaged():
    frame = bytearray(grow.write_zone(0, b"\xd6").encode())
    frame[6] ^= 1
    assert GrowVoice().hear(bytes(frame) + grow.HEARTBEAT.encode(), 0) == grow.ALIVE


@pytest.mark.parametrize("text", ["", "7E0007", "7E00070100", "7E000701002A02D80E", "7E00 0B01 0000 00 ABCD"])
def test_bytes_that_are_no_command(text):
    with pytest.raises(grow.BadGrowFrame):
        grow.read_command(bytes.fromhex(text))


@pytest.mark.parametrize("text", ["", "0200", "02000001003332", "04000001003331", "0200010100 0210"])
def test_bytes_that_are_no_answer(text):
    with pytest.raises(grow.BadGrowFrame):
        grow.read_reply(bytes.fromhex(text))


@given(st.sampled_from(grow.GrowType), st.integers(0, 0xFFFF), st.binary(min_size=1, max_size=255))
def test_command_is_read_as_it_was_written(kind, zone, data):
    command = grow.GrowCommand(kind, zone, data)
    assert grow.read_command(command.encode()) == command


def test_wrapped_codes_may_hold_anything():
    talk = Talk("gm861-wrapped")
    talk.settle()
    codes = [b"a\rb\nc", b"\x03\x00\x05", bytes(300)]
    said = b"".join(b"\x03" + len(raw).to_bytes(2, "big") + raw for raw in codes)
    for at in range(0, len(said), 7):
        talk.hear(said[at : at + 7], 1)
    assert talk.codes == codes


@pytest.mark.parametrize("nonsense", [b"abc", b"\x03\x00\x00", b"\x03\xff\xff", b"\x03\x00\x09abc"])
def test_nonsense_between_wrapped_codes_ends_with_a_pause(nonsense):
    talk = Talk("gm861-wrapped")
    talk.settle()
    talk.hear(nonsense)
    talk.hear(b"\x03\x00\x01x", 200)
    assert talk.codes == [b"x"]
    assert talk.dialogue.dropped.total() == 1


@pytest.mark.parametrize(
    "nonsense", [b"abc", b"\x16\x00", b"\x16\xfe\xff\xff\xff\xff\r", b"\x16\xfe\x20\x00\x00\x00\rMSG"]
)
def test_nonsense_between_messages_ends_with_a_pause(nonsense):
    talk = Talk("honeywell-messages")
    talk.hear(nonsense)
    talk.hear(honeywell.message(b"1", b"s", "]Q1"), 200)
    assert (talk.codes, talk.identifiers) == ([b"1"], ["]Q1"])
    assert talk.dialogue.dropped.total() == 1


@pytest.mark.parametrize("at", [8, 14, 19, 20])
def test_message_that_contradicts_itself_is_dropped_and_the_next_is_not(at):
    talk = Talk("honeywell-messages")
    wrong = bytearray(honeywell.message(b"123", b"s", "]Q1"))
    wrong[at] = 0x21
    talk.hear(bytes(wrong) + honeywell.message(b"1", b"s", "]Q1"))
    assert talk.codes == [b"1"]


def newland_profile(**step) -> Profile:
    start = (Step(about="read QR codes", send="@QRCENA1", **step),)
    return msgspec.structs.replace(find_profile("newland"), start=start)


def test_newland_echoes_what_it_has_done():
    talk = Talk(newland_profile())
    talk.settle()
    assert talk.sent == [newland.command("@QRCENA1")]
    talk.hear(talk.voice.see(Sighting(b"x", "]Q1"), 0))
    assert talk.codes == [b"]Q1x"]


def test_newland_says_what_it_will_not_do():
    talk = Talk(newland_profile(needed=False))
    talk.hear(b"")
    talk.hear(newland.refused("@QRCENA1")[0] + b"1\r")
    assert talk.dialogue.refusals == ("read QR codes",)
    assert talk.codes == [b"1"]


def test_honeywell_is_told_how_to_end_its_codes():
    talk = Talk("honeywell")
    talk.settle()
    assert talk.sent == [b"\x16M\rSUFCA2;SUFBK2990D!"]
    talk.hear(talk.voice.see(Sighting(b"x", "]Q1"), 0))
    assert talk.codes == [b"]Q1x"]


@pytest.mark.parametrize("refusal", honeywell.menu_refused("SUFCA2;SUFBK2990D!"))
def test_honeywell_may_refuse_and_is_used_as_it_is(refusal):
    talk = Talk("honeywell")
    talk.hear(b"")
    talk.hear(refusal + b"1\r")
    assert talk.dialogue.is_ready
    assert len(talk.dialogue.refusals) == 1
    assert talk.codes == [b"1"]


def with_rules(**rules) -> Profile:
    return msgspec.structs.replace(find_profile("generic-ascii"), identifiers=Identifiers(**rules))


def test_identifiers_of_a_maker_are_taken_off():
    talk = Talk("zebra-code-id")
    talk.hear(b"P01TW1:ABC\rA6901234567892\rDabc\r")
    assert list(zip(talk.codes, talk.identifiers, strict=True)) == [
        (b"TW1:ABC", "QR"),
        (b"6901234567892", "EANUPC"),
        (b"abc", "CODE128"),
    ]


def test_code_without_the_identifier_that_it_must_have_is_dropped():
    for profile in (with_rules(kind="aim"), with_rules(kind="table", table={"d": "EAN13"})):
        talk = Talk(profile)
        talk.hear(b"123\r")
        assert talk.codes == []
        assert talk.dialogue.dropped.damaged == 1


def test_text_of_a_scanner_without_identifiers_is_all_code():
    talk = Talk(with_rules(kind="none"))
    talk.hear(b"]E0123\r")
    assert (talk.codes, talk.identifiers) == ([b"]E0123"], [UNKNOWN])


@given(st.lists(st.binary(min_size=1, max_size=60).filter(lambda raw: not raw.endswith(b"\r")), max_size=5), st.data())
def test_reports_become_the_codes_they_were_made_of(raws, data):
    reader = ReportReader()
    found = []
    for number, raw in enumerate(raws):
        shift = data.draw(st.integers(0, 1))
        for report in make_reports(raw, "]Q1"):
            moved = report if not shift else report[:2] + b"\x00" + report[2:63] + report[63:]
            found += reader.feed(moved, number * 1000)
    assert [frame.raw for frame in found] == raws
    assert {frame.identifier for frame in found} <= {"]Q1"}


def test_long_code_in_reports_is_put_together():
    raw = bytes(at % 251 for at in range(5 * DATA_BYTES + 3))
    reader = ReportReader()
    reports = make_reports(raw, "]Q1")
    assert len(reports) == 6
    assert [frame.raw for report in reports for frame in reader.feed(report, 0)] == [raw]


def test_reports_that_make_no_sense_lose_no_other_code():
    reader = ReportReader()
    good = make_reports(b"123", "]E0")[0]
    first, second = make_reports(b"x" * 60, "]Q1")
    for report in (b"\x02" + bytes(63), b"\x05" + bytes(63), b"\x02", b"\x02\xff]E0" + bytes(60), b"\x02\x03]\xff\xff"):
        assert reader.feed(report, 0) == []
        assert [frame.raw for frame in reader.feed(good, 0)] == [b"123"]
    assert reader.feed(first, 0) == []
    assert reader.feed(good, 10) == []
    assert [frame.raw for frame in reader.feed(good, 20)] == [b"123"]
    assert reader.feed(first, 1000) == []
    assert [frame.raw for frame in reader.feed(good, 1200)] == [b"123"]
    assert reader.feed(first, 3000) == []
    assert [frame.raw for frame in reader.feed(second, 3001)] == [b"x" * 60]


def test_endless_code_in_reports_is_dropped_to_its_end():
    reader = ReportReader(longest=200)
    for report in make_reports(b"7" * 1000, "]Q1"):
        assert reader.feed(report, 0) == []
    assert reader.dropped.too_long == 1
    assert [frame.raw for frame in reader.feed(make_reports(b"1", "]Q1")[0], 1)] == [b"1"]


@given(st.lists(st.sampled_from([b"\x02\x00\x01", b"\x02\x00", b"\x02", b"a", b"\x01\x00"]), max_size=12), st.data())
def test_replies_are_found_however_the_stream_is_torn(words, data):
    stream = b"".join(words)
    cut = data.draw(st.integers(0, len(stream)))
    answer = b"\x02\x00\x01"

    def run(*pieces: bytes) -> tuple[bytes, int]:
        cutter = ReplyCutter()
        found = [pair for piece in pieces for pair in cutter.feed(piece, [answer])]
        return b"".join(text for text, _ in found) + cutter.release(), sum(bool(reply) for _, reply in found)

    assert run(stream[:cut], stream[cut:]) == run(stream) == (stream.replace(answer, b""), stream.count(answer))


def test_composure_is_lost_by_many_and_found_by_silence():
    composure = Composure()
    composure.notice(9, (), 0)
    assert (composure.trouble, composure.due_ms) == ("", None)
    composure.notice(1, [Frame(b"\x01\x02", 1)], 1)
    assert "noise" in composure.trouble
    due_ms = composure.due_ms
    assert due_ms is not None
    composure.notice(0, (), due_ms - 100)
    assert composure.trouble
    composure.notice(0, (), due_ms)
    assert composure.trouble == ""


def test_composure_forgives_now_and_then():
    composure = Composure()
    for at_ms in range(0, 60_000, 500):
        composure.notice(1, (), at_ms)
        assert composure.trouble == ""
