"""The sound section of the technician's page: what the microphones hear, and how well tokens come through."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from starlette.routing import Route

from device.decode.acoustic import Hearing
from device.decode.sound_meter import Levels, SoundMeter
from device.drivers.base import Speaker
from device.ears import Ears


class SoundSection:
    """Figures of all microphones and loudspeakers. Meters run only while a page looks."""

    name = "sound"

    def __init__(self, ears: Sequence[Ears], speakers: Sequence[Speaker]) -> None:
        self._meters = [(ear, SoundMeter()) for ear in ears]
        self._speakers = speakers
        self._pages = 0

    def watched(self) -> AbstractContextManager[None]:
        """Let the meters run while one page looks."""
        return self._running()

    def figures(self) -> dict[str, Any]:
        """Show levels, spectrum and counters."""
        return {
            "microphones": [_microphone(ear, meter) for ear, meter in self._meters],
            "speakers": [
                {"name": each.name, "state": each.health.state.value, "underruns": each.underruns}
                for each in self._speakers
            ],
        }

    def routes(self) -> Sequence[Route]:
        """Give no further addresses."""
        return ()

    @contextmanager
    def _running(self) -> Iterator[None]:
        self._pages += 1
        self._switch()
        try:
            yield
        finally:
            self._pages -= 1
            self._switch()

    def _switch(self) -> None:
        for ear, meter in self._meters:
            ear.measure(meter if self._pages else None)


def _microphone(ear: Ears, meter: SoundMeter) -> dict[str, Any]:
    shot = ear.earshot()
    return {
        "name": shot.device,
        "rate_hz": shot.rate_hz,
        "levels": levels_json(meter.levels()),
        "last": hearing_json(shot.last),
        "heard": shot.heard,
        "unread": shot.unread,
        "overruns": shot.overruns,
        "dropped": shot.dropped,
    }


def levels_json(levels: Levels | None) -> dict[str, Any] | None:
    """Show what a meter saw; None if that is nothing."""
    if levels is None:
        return None
    return {
        "peak_dbfs": levels.peak_dbfs,
        "rms_dbfs": levels.rms_dbfs,
        "clipped": levels.is_clipped,
        "bands_hz": levels.bands_hz,
        "bands_dbfs": levels.bands_dbfs,
    }


def hearing_json(hearing: Hearing | None) -> dict[str, Any] | None:
    """Show how well a token was heard, never what it said; None if none was."""
    if hearing is None:
        return None
    return {
        "waveform": hearing.waveform,
        "form": hearing.form,
        "band": hearing.band,
        "snr_db": hearing.snr_db,
        "clock_ppm": hearing.clock_ppm,
        "ago_s": round(time.monotonic() - hearing.at_ms / 1000, 1),
    }
