"""What `tillwave sound meter` measures, and how it looks on a screen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from device.decode.acoustic import AcousticDecoder
from device.decode.sound_meter import SILENCE_DB, Levels, SoundMeter
from device.listening import hearing_json, levels_json

_LOWEST_DB = -90.0
_WIDTH = 40
_ROWS = 8
_EIGHTHS = " ▁▂▃▄▅▆▇█"


class Sounding:
    """Measures a stream of sound, and listens for tokens in it. No payload comes out of here."""

    def __init__(self, waveforms: tuple[str, ...]) -> None:
        self._waveforms = waveforms
        self._meter = SoundMeter()
        self._decoder: AcousticDecoder | None = None
        self._rate_hz = 0
        self._samples = 0
        self._loudest = SILENCE_DB
        self._was_clipped = False

    def take(self, pcm: bytes, rate_hz: int) -> None:
        """Take 16-bit mono samples; raises a WaveformError for a rate that carries no token."""
        if self._decoder is None or rate_hz != self._rate_hz:
            self.close()
            self._decoder, self._rate_hz = AcousticDecoder(rate_hz, waveforms=self._waveforms), rate_hz
        self._samples += len(pcm) // 2
        self._meter.take(pcm, rate_hz)
        self._decoder.feed(pcm)

    def end(self) -> None:
        """Hear a token that ends with the last sample of a recording."""
        if self._decoder is not None:
            self._decoder.flush()

    def close(self) -> None:
        """Stop listening."""
        if self._decoder is not None:
            self._decoder.close()

    @property
    def heard_s(self) -> float:
        """Seconds of sound so far."""
        return self._samples / self._rate_hz if self._rate_hz else 0.0

    def look(self) -> dict[str, Any]:
        """Show the last moment, and what was heard so far."""
        levels = self._meter.levels()
        self._note(levels)
        return {
            "at_s": round(self.heard_s, 2),
            "rate_hz": self._rate_hz,
            "levels": levels_json(levels),
            "loudest_dbfs": self._loudest,
            "was_clipped": self._was_clipped,
            "last": hearing_json(self._decoder.last) if self._decoder else None,
            "heard": self._decoder.heard if self._decoder else 0,
            "unread": self._decoder.unread if self._decoder else 0,
        }

    def _note(self, levels: Levels | None) -> None:
        if levels is not None:
            self._loudest = max(self._loudest, levels.peak_dbfs)
            self._was_clipped = self._was_clipped or levels.is_clipped


def picture(seen: dict[str, Any], source: str, overruns: int = 0) -> RenderableType:
    """Draw what `Sounding.look` gave."""
    levels = seen["levels"]
    parts: list[RenderableType] = [Text(f"{source}, {seen['rate_hz']} Hz", style="bold")]
    if levels is None:
        parts.append(Text("nothing is heard", style="yellow"))
    else:
        parts += [_level(levels), *_spectrum(levels)]
    parts.append(_facts(seen, overruns))
    return Group(*parts)


def _level(levels: dict[str, Any]) -> Text:
    filled = round(_WIDTH * _share(levels["rms_dbfs"]))
    peak = min(_WIDTH - 1, round(_WIDTH * _share(levels["peak_dbfs"])))
    bar = "".join("|" if place == peak else "█" if place < filled else "·" for place in range(_WIDTH))
    line = Text(bar, style="red" if levels["clipped"] else "cyan")
    line.append(f"  peak {levels['peak_dbfs']:.1f}  rms {levels['rms_dbfs']:.1f} dBFS", style="default")
    if levels["clipped"]:
        line.append("  CLIPPED: too loud", style="bold red")
    return line


def _spectrum(levels: dict[str, Any]) -> list[Text]:
    """Draw a bar of two columns for each band, and frequencies below."""
    heights = [_ROWS * _share(level) for level in levels["bands_dbfs"]]
    rows = []
    for row in reversed(range(_ROWS)):
        cells = (_EIGHTHS[min(8, max(0, math.ceil(8 * (height - row))))] * 2 for height in heights)
        rows.append(Text(" ".join(cells), style="cyan"))
    marks = [" "] * (3 * len(heights) + 6)
    for hertz in (200, 1000, 5000, 10_000):
        band = int(np.argmin(np.abs(np.log(np.array(levels["bands_hz"]) / hertz))))
        label = f"{hertz}" if hertz < 1000 else f"{hertz // 1000}k"  # noqa: PLR2004
        if levels["bands_hz"][-1] * 1.2 > hertz:
            marks[3 * band : 3 * band + len(label)] = label
    return [*rows, Text("".join(marks).rstrip(), style="dim")]


def _facts(seen: dict[str, Any], overruns: int) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    last = seen["last"]
    if last is None:
        table.add_row("last token", "none yet")
    else:
        kind = " · ".join(filter(None, (last["waveform"], last["form"], last["band"])))
        table.add_row("last token", f"{kind}, {last['ago_s']:.0f} s ago")
        if last["snr_db"] is not None:
            table.add_row("signal to noise", f"{last['snr_db']:.1f} dB")
            table.add_row("clock of the phone", f"{last['clock_ppm']} ppm")
    table.add_row("tokens heard", str(seen["heard"]))
    table.add_row("begun but not readable", str(seen["unread"]))
    table.add_row("loudest so far", f"{seen['loudest_dbfs']:.1f} dBFS{', clipped' if seen['was_clipped'] else ''}")
    if overruns:
        table.add_row("gaps in the sound", str(overruns))
    return table


def _share(db: float) -> float:
    return min(1.0, max(0.0, 1 - db / _LOWEST_DB))
