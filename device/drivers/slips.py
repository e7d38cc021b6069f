"""From a slip to the bytes of a printer, through python-escpos; shared by the real and the simulated printer.

Chinese printers take ASCII and Chinese mixed, in GB18030, once their kanji mode is on (FS &); other printers take one
code page at a time, which python-escpos selects.
"""

from __future__ import annotations

import textwrap
import unicodedata
from typing import Annotated, Any, Final

from msgspec import Meta

from device.drivers.base import DriverOptions, Slip, SlipLine, Style
from device.drivers.escpos_loader import load_escpos

_KANJI_ON: Final = b"\x1c&"
_KANJI_OFF: Final = b"\x1c."
_CHINESE: Final = frozenset({"gb18030", "gbk", "gb2312"})
_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LARGE: Final = 2
_LONGEST_QR: Final = 2000


class PaperOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of the paper and of the printer's language."""

    columns: Annotated[int, Meta(ge=16, le=80)] = 32
    """Latin letters in a line: 32 on paper of 58 mm, 48 on paper of 80 mm."""
    encoding: str = "gb18030"
    """For Chinese printers "gb18030", "gbk" or "gb2312"; else a code page ("cp858"), or "auto" to choose by text."""
    profile: str = "default"
    """python-escpos' name of the printer, which knows its code pages and its cutter."""
    cut: bool = True
    qr_dots: Annotated[int, Meta(ge=1, le=16)] = 6
    """Size of a module of a QR code."""
    qr_native: bool = True
    """Let the printer draw QR codes; false sends them as a picture."""


def slip_bytes(slip: Slip, paper: PaperOptions) -> bytes:
    """Give the bytes that print a slip; raises ValueError for an encoding or profile that python-escpos lacks."""
    Dummy = load_escpos().Dummy  # noqa: N806  a class

    try:
        printer = Dummy(profile=paper.profile)
        printer.hw("INIT")
        _select_language(printer, paper)
        for line in slip.lines:
            _print_line(printer, line, paper)
        printer.set(align="left", bold=False, custom_size=True, width=1, height=1)
        _finish(printer, paper)
    except (LookupError, _escpos_error()) as error:
        raise ValueError(f"python-escpos cannot print that: {error}") from error
    output: bytes = printer.output
    return output


def lay_out(text: str, right: str, columns: int) -> list[str]:
    """Break a line to the width of the paper; `right` ends flush right on the last one."""
    text, right = printable(text), printable(right)
    if not right:
        return _wrap(text, columns)
    right = _cut_to(right, columns)
    room = columns - width(right) - 1
    lines = _wrap(text, columns)
    if width(lines[-1]) > room:
        lines = [*lines[:-1], *_wrap(lines[-1], max(room, 2))] if room > 1 else [*lines, ""]
    lines[-1] += " " * (columns - width(lines[-1]) - width(right)) + right
    return lines


def width(text: str) -> int:
    """Count columns: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def printable(text: str) -> str:
    """Replace control characters, so that no name of a product can command the printer."""
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs") else character for character in text
    )


def _select_language(printer: Any, paper: PaperOptions) -> None:
    if _is_chinese(paper):
        printer._raw(_KANJI_ON)  # noqa: SLF001  python-escpos has no public name for this command
        return
    printer._raw(_KANJI_OFF)  # noqa: SLF001
    printer.charcode("AUTO" if paper.encoding == "auto" else paper.encoding.upper())


def _print_line(printer: Any, line: SlipLine, paper: PaperOptions) -> None:
    match line.style:
        case Style.QR:
            _print_qr(printer, line.text, paper)
        case Style.RULE:
            _print_text(printer, ["-" * paper.columns], paper)
        case Style.LARGE:
            printer.set(align="center", bold=True, custom_size=True, width=_LARGE, height=_LARGE)
            _print_text(printer, lay_out(line.text, line.right, paper.columns // _LARGE), paper)
        case Style.CENTRED:
            printer.set(align="center", bold=False, custom_size=True, width=1, height=1)
            _print_text(printer, lay_out(line.text, line.right, paper.columns), paper)
        case Style.NORMAL | Style.BOLD:
            printer.set(align="left", bold=line.style is Style.BOLD, custom_size=True, width=1, height=1)
            _print_text(printer, lay_out(line.text, line.right, paper.columns), paper)


def _print_text(printer: Any, lines: list[str], paper: PaperOptions) -> None:
    for line in lines:
        if _is_chinese(paper):
            printer._raw(line.encode(paper.encoding, "replace") + b"\n")  # noqa: SLF001
        else:
            printer.text(line + "\n")


def _print_qr(printer: Any, text: str, paper: PaperOptions) -> None:
    if not 0 < len(text.encode()) <= _LONGEST_QR:
        raise ValueError(f"a QR code on a slip holds 1 to {_LONGEST_QR} bytes, not {len(text.encode())}")
    printer.set(align="center", bold=False, custom_size=True, width=1, height=1)
    printer.qr(text, size=paper.qr_dots, native=paper.qr_native)
    _print_text(printer, [""], paper)


def _finish(printer: Any, paper: PaperOptions) -> None:
    if paper.cut:
        printer.cut()
    else:
        printer.print_and_feed(4)


def _is_chinese(paper: PaperOptions) -> bool:
    return paper.encoding.lower() in _CHINESE


def _wrap(text: str, columns: int) -> list[str]:
    if width(text) == len(text):
        return textwrap.wrap(text, columns, drop_whitespace=False, replace_whitespace=False) or [""]
    lines = [""]
    for character in text:
        if width(lines[-1]) + width(character) > columns:
            lines.append("")
        lines[-1] += character
    return lines


def _cut_to(text: str, columns: int) -> str:
    while width(text) > columns:
        text = text[:-1]
    return text


def _escpos_error() -> type[Exception]:
    from escpos.exceptions import Error  # noqa: PLC0415

    error: type[Exception] = Error
    return error
