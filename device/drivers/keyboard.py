"""What a keyboard wedge types: Linux key codes become bytes by the US layout (linux/input-event-codes.h).

Shift, Caps Lock, Ctrl (Ctrl+] is the group separator of GS1) and Alt with digits of the number pad are understood.
"""

from __future__ import annotations

from typing import Final

ENTER: Final = frozenset({28, 96})
TAB: Final = 15
_RELEASED, _PRESSED, _REPEATED = 0, 1, 2
_CAPS_LOCK: Final = 58
_SHIFTS: Final = frozenset({42, 54})
_CONTROLS: Final = frozenset({29, 97})
_ALTS: Final = frozenset({56, 100})
_LARGEST_BYTE: Final = 255
_CONTROL_CODES: Final = "@abcdefghijklmnopqrstuvwxyz[\\]^_"

_ROWS: Final = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
)
_PLAIN: Final = {first + at: letter for first, plain, _ in _ROWS for at, letter in enumerate(plain)}
_SHIFTED: Final = {first + at: letter for first, _, shifted in _ROWS for at, letter in enumerate(shifted)}
_PAD: Final = dict(zip((71, 72, 73, 75, 76, 77, 79, 80, 81, 82), "7894561230", strict=True))
_PAD_SIGNS: Final = {55: "*", 74: "-", 78: "+", 83: ".", 98: "/"}


class KeyDecoder:
    """Turns key events, one after another, into the bytes that were meant; Enter gives CR, Tab gives TAB."""

    def __init__(self) -> None:
        self._held: set[int] = set()
        self._caps_lock = False
        self._pad_number = ""

    def feed(self, code: int, value: int) -> bytes:
        """Take one EV_KEY event (value 1 pressed, 0 released, 2 repeated) and give the bytes it means."""
        if value == _RELEASED:
            return self._release(code)
        if value == _REPEATED:
            return b""  # a scanner presses every letter anew; a repetition comes from a stalled line
        return self._press(code)

    def clear(self) -> None:
        """Forget which keys are held, because some were lost."""
        self._held.clear()
        self._caps_lock = False
        self._pad_number = ""

    def _release(self, code: int) -> bytes:
        self._held.discard(code)
        if code not in _ALTS or not self._pad_number:
            return b""
        number, self._pad_number = int(self._pad_number), ""
        return bytes([number]) if number <= _LARGEST_BYTE else b"?"

    def _press(self, code: int) -> bytes:
        if code in _SHIFTS | _CONTROLS | _ALTS:
            self._held.add(code)
        elif code == _CAPS_LOCK:
            self._caps_lock = not self._caps_lock
        elif self._held & _ALTS and code in _PAD:
            self._pad_number = (self._pad_number + _PAD[code])[-4:]
        elif code in ENTER:
            return b"\r"
        elif code == TAB:
            return b"\t"
        else:
            return self._letter(code).encode("ascii")
        return b""

    def _letter(self, code: int) -> str:
        plain = _PLAIN.get(code, "")
        if self._held & _CONTROLS:
            place = _CONTROL_CODES.find(plain) if plain else -1
            return chr(place) if place >= 0 else ""
        if not plain:
            return _PAD.get(code) or _PAD_SIGNS.get(code, "")
        shifted = bool(self._held & _SHIFTS) != (self._caps_lock and plain.isalpha())
        return _SHIFTED[code] if shifted else plain
