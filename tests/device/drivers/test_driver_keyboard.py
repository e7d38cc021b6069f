import pytest
from driver_stand import wait_until
from hypothesis import given
from hypothesis import strategies as st

from device.drivers.errors import DriverError
from device.drivers.keyboard import KeyDecoder
from device.drivers.registry import make_driver
from device.ports import HealthState

# From linux/input-event-codes.h.
KEYS = {
    "1": 2, "2": 3, "3": 4, "4": 5, "5": 6, "6": 7, "7": 8, "8": 9, "9": 10, "0": 11, "-": 12, "=": 13,
    "q": 16, "w": 17, "e": 18, "r": 19, "t": 20, "y": 21, "u": 22, "i": 23, "o": 24, "p": 25, "[": 26, "]": 27,
    "a": 30, "s": 31, "d": 32, "f": 33, "g": 34, "h": 35, "j": 36, "k": 37, "l": 38, ";": 39, "'": 40, "`": 41,
    "\\": 43, "z": 44, "x": 45, "c": 46, "v": 47, "b": 48, "n": 49, "m": 50, ",": 51, ".": 52, "/": 53, " ": 57,
}  # fmt: skip
SHIFTED = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./", strict=True))
SHIFT, CTRL, ALT, CAPS, ENTER, TAB = 42, 29, 56, 58, 28, 15
PAD = {"0": 82, "1": 79, "2": 80, "3": 81, "4": 75, "5": 76, "6": 77, "7": 71, "8": 72, "9": 73}


def press(decoder: KeyDecoder, *codes: int) -> bytes:
    """Press and release one key after another."""
    return b"".join(decoder.feed(code, value) for code in codes for value in (1, 0))


def type_text(decoder: KeyDecoder, text: str) -> bytes:
    typed = b""
    for letter in text:
        plain = SHIFTED.get(letter, letter.lower())
        if plain == letter:
            typed += press(decoder, KEYS[plain])
            continue
        typed += decoder.feed(SHIFT, 1)
        typed += press(decoder, KEYS[plain])
        typed += decoder.feed(SHIFT, 0)
    return typed


def test_payment_code_is_typed_as_it_is():
    text = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
    assert type_text(KeyDecoder(), text) + press(KeyDecoder(), ENTER) == text.encode() + b"\r"


@given(st.text(st.sampled_from([chr(code) for code in range(32, 127)])))
def test_every_printable_letter_of_ascii(text):
    assert type_text(KeyDecoder(), text) == text.encode()


def test_caps_lock_turns_letters_but_not_digits():
    decoder = KeyDecoder()
    assert press(decoder, CAPS, KEYS["a"], KEYS["1"]) == b"A1"
    assert type_text(decoder, "B") == b"b"
    assert press(decoder, CAPS, KEYS["a"]) == b"a"


def test_enter_and_tab_of_both_pads():
    assert press(KeyDecoder(), ENTER, 96, TAB) == b"\r\r\t"


def test_group_separator_of_gs1_comes_as_control_bracket():
    decoder = KeyDecoder()
    decoder.feed(CTRL, 1)
    assert press(decoder, KEYS["]"]) == b"\x1d"
    decoder.feed(CTRL, 0)
    assert press(decoder, KEYS["]"]) == b"]"


def test_alt_and_number_pad_give_a_byte():
    decoder = KeyDecoder()
    decoder.feed(ALT, 1)
    assert press(decoder, PAD["0"], PAD["2"], PAD["9"]) == b""
    assert decoder.feed(ALT, 0) == b"\x1d"
    assert press(decoder, PAD["7"]) == b"7"


def test_number_too_large_for_a_byte_becomes_a_question_mark():
    decoder = KeyDecoder()
    decoder.feed(ALT, 1)
    press(decoder, PAD["9"], PAD["9"], PAD["9"])
    assert decoder.feed(ALT, 0) == b"?"


def test_repeated_key_counts_once():
    decoder = KeyDecoder()
    assert decoder.feed(KEYS["a"], 1) + decoder.feed(KEYS["a"], 2) + decoder.feed(KEYS["a"], 0) == b"a"


def test_unplugged_with_shift_held_forgets_it():
    decoder = KeyDecoder()
    decoder.feed(SHIFT, 1)
    decoder.clear()
    assert press(decoder, KEYS["a"]) == b"a"


@given(st.lists(st.tuples(st.integers(0, 767), st.integers(0, 2))))
def test_no_key_event_breaks_it(events):
    decoder = KeyDecoder()
    assert all(len(decoder.feed(code, value)) <= 1 for code, value in events)


def test_keyboard_that_is_not_there_is_missing(tmp_path):
    pytest.importorskip("evdev", reason="evdev is not installed")
    subject = make_driver("scanner", "hid", "wedge", {"path": str(tmp_path / "event0")})
    subject.start()
    assert wait_until(lambda: subject.health.state is HealthState.MISSING)
    subject.stop()


def test_what_is_no_keyboard_is_refused_with_a_reason(tmp_path):
    pytest.importorskip("evdev", reason="evdev is not installed")
    subject = make_driver("scanner", "hid", "wedge", {"path": "/dev/null"})
    subject.start()
    assert wait_until(lambda: subject.health.state in (HealthState.MISSING, HealthState.FAILED))
    assert subject.health.detail
    subject.stop()


def test_without_evdev_the_technician_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    subject = make_driver("scanner", "hid", "wedge", {"path": "/dev/null"})
    with pytest.raises(DriverError, match="pip install"):
        subject.start()
    assert subject.health.state is HealthState.FAILED
