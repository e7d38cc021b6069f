"""Text of scanners becomes readings: the AIM identifier is taken off, babble and repetitions are refused.

ScanRefused
+-- EmptyScan       nothing but perhaps an identifier
+-- OversizeScan    more than any code holds
+-- BabblingScan    control characters that no code of a shop holds: a wrong baud rate, or a hostile code
+-- MisnamedScan    digits that are no number of the kind that the scanner names
"""

from __future__ import annotations

import logging
from typing import Final

from device.decode import articles
from device.decode.symbologies import SYMBOLOGIES, UNKNOWN, split_aim, symbology_of_aim
from device.drivers.base import Scan
from device.ports import Reading, Source

log = logging.getLogger(__name__)

LONGEST: Final = 4096
"""Bytes; the largest QR code holds 2953."""
ALLOWED_CONTROLS: Final = b"\x04\x1c\x1d\x1e\x1f"
"""The separators of ISO/IEC 15434 and of GS1 (GS stands for FNC1), and the end of transmission."""
_BABBLE: Final = frozenset(range(0x20)) - frozenset(ALLOWED_CONTROLS) | {0x7F}


class ScanRefused(ValueError):
    """Something from a scanner that is no code; `device` is the scanner. The payload is not told."""

    def __init__(self, device: str, detail: str) -> None:
        self.device = device
        self.detail = detail
        super().__init__(f"{device}: {detail}")


class EmptyScan(ScanRefused):
    """There is no payload."""


class OversizeScan(ScanRefused):
    """The payload is too long."""


class BabblingScan(ScanRefused):
    """The payload is not what a code holds."""


class MisnamedScan(ScanRefused):
    """The payload cannot be of the kind that the scanner says."""


def reading_of(scan: Scan) -> Reading:
    """Give the reading of one scan; ScanRefused if it is no code."""
    if len(scan.raw) > LONGEST:
        raise OversizeScan(
            scan.device, f"a scan of {len(scan.raw)} bytes was refused, no code holds more than {LONGEST}"
        )
    symbology, aim, payload = _named(scan) if scan.identifier else split_aim(scan.raw)
    if not payload.strip():
        raise EmptyScan(scan.device, "an empty scan was refused")
    babble = sum(byte in _BABBLE for byte in payload)
    if babble:
        raise BabblingScan(
            scan.device,
            f"a scan of {len(payload)} bytes with {babble} control characters was refused: "
            "if it happens with every code, check the baud rate and the suffix of the scanner",
        )
    return Reading(Source.SCANNER, scan.device, symbology, payload, scan.at_ms, aim)


def _named(scan: Scan) -> tuple[str, str, bytes]:
    """Give (symbology, AIM identifier, payload) of a scan whose scanner says apart from the text what it is."""
    name = scan.identifier
    if name.startswith("]"):
        return symbology_of_aim(name), name, scan.raw
    if name in articles.NAMES:
        try:
            symbology, digits = articles.article_number(name, scan.raw.decode("latin-1"))
        except articles.NotAnArticle as error:
            raise MisnamedScan(scan.device, f"a scan of {len(scan.raw)} bytes was refused: {error}") from error
        return symbology, SYMBOLOGIES[symbology].aim, digits.encode()
    known = SYMBOLOGIES.get(name)
    return (known.name, known.aim, scan.raw) if known else (UNKNOWN, "", scan.raw)


class ScannerDecoder:
    """Gives each scan once: a scanner that sends the same code again at once is twitching, not scanning.

    One for all scanners; not for several threads.
    """

    TWITCH_MS: Final = 300
    SAY_AGAIN_MS: Final = 10_000
    """Refusals are said at most so often for a scanner, because one that babbles would fill the log."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[bytes, int]] = {}
        self._said: dict[str, tuple[int, int]] = {}
        """When a refusal was last said, and how many were not said since."""

    def feed(self, scan: Scan) -> list[Reading]:
        """Give the reading of a scan; none for a repetition, and none, with a line in the log, for what is no code."""
        try:
            reading = reading_of(scan)
        except ScanRefused as refused:
            self._say(refused, scan.at_ms)
            return []
        return [] if self._is_twitch(scan) else [reading]

    def _say(self, refused: ScanRefused, now_ms: int) -> None:
        said_ms, unsaid = self._said.get(refused.device, (now_ms - self.SAY_AGAIN_MS, 0))
        if now_ms - said_ms < self.SAY_AGAIN_MS:
            self._said[refused.device] = said_ms, unsaid + 1
            return
        self._said[refused.device] = now_ms, 0
        log.warning("%s%s", refused, f" (and {unsaid} more like it before)" if unsaid else "")

    def _is_twitch(self, scan: Scan) -> bool:
        """Whether the same came from the same scanner just now; each repetition extends the time."""
        last = self._last.get(scan.device)
        self._last[scan.device] = scan.raw, scan.at_ms
        return last is not None and last[0] == scan.raw and scan.at_ms - last[1] < self.TWITCH_MS
