"""Reads ESC/POS back: what a slip says, from the bytes that would print it."""

from __future__ import annotations

from typing import Final

_ESC, _FS, _GS, _LINE_FEED = 0x1B, 0x1C, 0x1D, 0x0A
_ARGUMENTS: Final[dict[tuple[int, int], int]] = {
    **{(_ESC, command): 1 for command in b"!-EGMRVadJt{3 "},
    **{(_ESC, command): 0 for command in b"@2"},
    **{(_FS, command): 0 for command in b"&."},
    **{(_FS, command): 1 for command in b"!-W"},
    **{(_GS, command): 1 for command in b"!BbHfhwr"},
}
_STORE_QR: Final = b"1P0"
_QR_HEADER: Final = 3


class PaperReader:
    """Turns a printer's bytes into lines of text; QR codes and pictures stand in brackets."""

    def __init__(self, encoding: str) -> None:
        self._encoding = "cp437" if encoding == "auto" else encoding
        self._text = ""
        self._line = bytearray()
        self._stored_qr = b""

    def read(self, data: bytes) -> str:
        """Read a whole slip; what is no known command raises ValueError."""
        position = 0
        while position < len(data):
            position += self._take(data[position:])
        self._end_line()
        return self._text

    def _take(self, data: bytes) -> int:
        if data[0] == _LINE_FEED:
            self._end_line(force=True)
            return 1
        if data[0] not in (_ESC, _FS, _GS):
            self._line.append(data[0])
            return 1
        return self._command(data)

    def _command(self, data: bytes) -> int:
        command = (data[0], data[1] if len(data) > 1 else -1)
        if command in _ARGUMENTS:
            return 2 + _ARGUMENTS[command]
        if command == (_GS, ord("(")):
            return self._function(data)
        if command == (_GS, ord("v")):
            return self._raster(data)
        if command == (_GS, ord("V")):
            return 4 if data[2] in b"AB" else 3
        raise ValueError(f"unknown printer command {data[:4].hex(' ')}")

    def _function(self, data: bytes) -> int:
        length = int.from_bytes(data[3:5], "little")
        body = data[5 : 5 + length]
        if body.startswith(_STORE_QR):
            self._stored_qr = body[_QR_HEADER:]
        elif body.startswith(b"1Q"):
            self._put(f"[QR {self._stored_qr.decode('utf-8', 'replace')}]")
        return 5 + length

    def _raster(self, data: bytes) -> int:
        row, rows = int.from_bytes(data[4:6], "little"), int.from_bytes(data[6:8], "little")
        self._put(f"[picture {8 * row} x {rows}]")
        return 8 + row * rows

    def _put(self, text: str) -> None:
        self._end_line()
        self._text += text

    def _end_line(self, *, force: bool = False) -> None:
        self._text += self._line.decode(self._encoding, "replace")
        if force or self._line:
            self._text += "\n"
        self._line.clear()
