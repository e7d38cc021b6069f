from hypothesis import given
from hypothesis import strategies as st

from device.drivers.framing import Framer, Pace

letters = st.binary(min_size=1, max_size=40).map(lambda raw: raw.translate(None, b"\r\n\t")).filter(bool)


def codes_of(framer: Framer, *pieces: tuple[bytes, int]) -> list[bytes]:
    return [frame.raw for piece, at_ms in pieces for frame in framer.feed(piece, at_ms)]


def test_torn_code_is_put_together():
    assert codes_of(Framer(), (b"69012", 0), (b"345", 5), (b"67892\r", 700)) == [b"6901234567892"]


def test_merged_codes_are_taken_apart():
    assert codes_of(Framer(), (b"one\r\ntwo\nthree\tfour\r", 0)) == [b"one", b"two", b"three", b"four"]


def test_time_of_a_code_is_that_of_its_last_byte():
    framer = Framer()
    assert framer.feed(b"69", 10) == []
    assert framer.feed(b"01\r", 25)[0].at_ms == 25


def test_code_without_suffix_is_torn_and_never_delivered():
    framer = Framer(patience_ms=1000)
    assert codes_of(framer, (b"6901", 0)) == []
    assert framer.due_ms == 1000
    assert framer.expire(999) == []
    assert framer.expire(1000) == []
    assert framer.dropped.torn == 1
    assert framer.due_ms is None
    assert codes_of(framer, (b"23\r", 1001)) == [b"23"]


def test_silence_ends_a_code_where_no_suffix_is_sent():
    framer = Framer("none", silence_ms=30)
    assert codes_of(framer, (b"6901", 0), (b"23", 20)) == []
    assert framer.expire(49) == []
    frame = framer.expire(50)[0]
    assert frame.raw == b"690123"
    assert frame.at_ms == 20


def test_late_piece_begins_a_new_code_where_silence_ends_one():
    framer = Framer("none", silence_ms=30)
    assert codes_of(framer, (b"one", 0), (b"two", 100)) == [b"one"]


def test_tab_inside_a_code_stays_when_only_cr_ends_it():
    assert codes_of(Framer("cr"), (b"a\tb\nc\r", 0)) == [b"a\tb\nc"]


def test_crlf_torn_between_its_bytes():
    assert codes_of(Framer("crlf"), (b"a\rb\r", 0), (b"\nc\r\n", 1)) == [b"a\rb", b"c"]


def test_longest_code_passes_and_one_byte_more_does_not():
    framer = Framer("crlf", longest=8)
    assert codes_of(framer, (b"12345678\r", 0), (b"\n", 1)) == [b"12345678"]
    assert codes_of(framer, (b"123456789\r", 2), (b"\n", 3), (b"next\r\n", 4)) == [b"next"]
    assert framer.dropped.too_long == 1


def test_flood_keeps_no_memory_and_ends_with_its_suffix():
    framer = Framer(longest=100)
    for at_ms in range(1000):
        assert framer.feed(b"x" * 997, at_ms) == []
        assert len(framer._pending) <= 100
    assert codes_of(framer, (b"tail\rnext\r", 1000)) == [b"next"]
    assert framer.dropped.too_long == 1


def test_prefix_is_taken_off_and_demanded():
    framer = Framer(prefix=b"\x02")
    assert codes_of(framer, (b"\x0212\r34\r\x02\r", 0)) == [b"12"]
    assert framer.dropped.without_prefix == 1


def test_unplugged_in_the_middle_forgets_the_half():
    framer = Framer()
    framer.feed(b"690", 0)
    framer.clear()
    assert codes_of(framer, (b"123\r", 5)) == [b"123"]


@given(
    st.lists(letters, max_size=12),
    st.lists(st.integers(1, 9), max_size=60),
    st.sampled_from([b"\r", b"\n", b"\t", b"\r\n"]),
)
def test_however_it_is_torn_the_same_codes_come_out(codes, lengths, suffix):
    sent = b"".join(code + suffix for code in codes)
    framer = Framer()
    pieces = []
    for length in lengths:
        pieces.append(sent[:length])
        sent = sent[length:]
    assert codes_of(framer, *((piece, at) for at, piece in enumerate([*pieces, sent]))) == codes
    assert framer.dropped.total() == 0
    assert framer.due_ms is None


@given(
    st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 200)), max_size=30),
    st.sampled_from(["any", "cr", "lf", "crlf", "tab", "none"]),
    st.binary(max_size=2),
)
def test_garbage_never_breaks_the_limits(pieces, suffix, prefix):
    framer = Framer(suffix, prefix=prefix, longest=16, silence_ms=30, patience_ms=100)
    now_ms = 0
    for piece, pause_ms in pieces:
        now_ms += pause_ms
        frames = framer.feed(piece, now_ms)
        assert all(0 < len(frame.raw) <= 16 for frame in frames)
        assert all(end not in frame.raw for frame in frames for end in framer._suffixes)
        assert len(framer._pending) <= 16 + len(prefix) + 1
    framer.expire(now_ms + 1000)
    assert framer.due_ms is None


def test_pace_lets_a_hand_pass_and_stops_a_flood():
    pace = Pace(10)
    assert sum(pace.allows(0) for _ in range(100)) == 10
    assert pace.refused == 90
    assert not pace.allows(50)
    assert pace.allows(200)
    assert sum(pace.allows(10_000) for _ in range(100)) == 10
