"""Input reports of scanners of the USB class HID POS (usage page 8C): length, AIM identifier, data, "more follows".

Report 2, 63 bytes after its number: byte 0 says how many bytes of data there are, bytes 1 to 3 are the AIM identifier,
the data begin at byte 4, byte 62 is not zero if the next report goes on with the code. Some devices put all but the
length one byte later.
"""

from __future__ import annotations

from typing import Final

from device.drivers.framing import LONGEST_CODE, Dropped, Frame

USAGE_PAGE: Final = 0x8C
USAGE_SCANNER: Final = 0x02
REPORT_BYTES: Final = 64
SCANNED: Final = 2
"""Number of the report of scanned data."""
DATA_BYTES: Final = 56
"""Data that fit between byte 4 and the maker's symbology in byte 60."""

_AIM: Final = 1
_DATA: Final = 4
_MORE: Final = 62
_MARK: Final = 0x5D
_PATIENCE_MS: Final = 200
"""Reports of one code follow one another within milliseconds, two codes do not."""


class ReportReader:
    """Puts codes together from reports, one a `feed`."""

    def __init__(self, longest: int = LONGEST_CODE) -> None:
        self.dropped = Dropped()
        self._longest = longest
        self._pending = bytearray()
        self._aim = ""
        self._is_lost = False
        self._last_ms = 0

    @property
    def due_ms(self) -> int | None:
        """When the rest of a code is too late."""
        return self._last_ms + _PATIENCE_MS if self._aim or self._is_lost else None

    def feed(self, piece: bytes, at_ms: int) -> list[Frame]:
        """Take one report with its number, or nothing, and give the code that is now complete."""
        if self.due_ms is not None and at_ms >= self.due_ms:
            self.dropped.torn += not self._is_lost
            self.clear()
        if not piece or piece[0] != SCANNED:
            return []
        self._last_ms = at_ms
        body = piece[1:].ljust(REPORT_BYTES - 1, b"\x00")
        part = _read(body)
        if part is None or (self._aim and part[0] != self._aim):
            self._lose("damaged")
        elif not self._is_lost:
            self._aim, data = part
            self._pending += data
            if len(self._pending) > self._longest:
                self._lose("too_long")
        return [] if body[_MORE] else self._finish(at_ms)

    def clear(self) -> None:
        """Forget a code that is half there."""
        self._pending.clear()
        self._aim = ""
        self._is_lost = False

    def _finish(self, at_ms: int) -> list[Frame]:
        raw, aim, is_lost = bytes(self._pending).removesuffix(b"\r"), self._aim, self._is_lost
        self.clear()
        return [Frame(raw, at_ms, aim)] if raw and not is_lost else []

    def _lose(self, why: str) -> None:
        """Drop the code to its very end."""
        if not self._is_lost:
            setattr(self.dropped, why, getattr(self.dropped, why) + 1)
        self._pending.clear()
        self._is_lost = True


def make_reports(code: bytes, aim: str) -> list[bytes]:
    """Give the reports, with their number, that a scanner sends for a code."""
    pieces = [code[at : at + DATA_BYTES] for at in range(0, len(code), DATA_BYTES)]
    reports = []
    for number, piece in enumerate(pieces, 1):
        body = bytes([len(piece)]) + aim.encode("ascii") + piece
        more = bytes([number < len(pieces)])
        reports.append(bytes([SCANNED]) + body.ljust(_MORE, b"\x00") + more)
    return reports


def _read(body: bytes) -> tuple[str, bytes] | None:
    """Give (AIM identifier, data); None for a report that makes no sense."""
    shift = next((shift for shift in (0, 1) if body[_AIM + shift] == _MARK), None)
    if shift is None or body[0] > DATA_BYTES:
        return None
    aim = body[_AIM + shift : _DATA + shift]
    if not aim[1:].isalnum() or not aim.isascii():
        return None
    begin = _DATA + shift
    return aim.decode("ascii"), body[begin : begin + body[0]]
