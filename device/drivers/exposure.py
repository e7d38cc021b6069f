"""Exposure for pictures of displays, which are bright and do not shine all the time.

A display is dimmed by switching its light on and off, mostly 240, 480 or more times a second, and lamps on 50 Hz mains
flicker 100 times. A sensor that reads its rows one after another shows this as bands, unless each row gathers light for
whole periods of it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Microseconds = Annotated[int, Meta(ge=50, le=1_000_000)]
"""4167 is one period of 240 Hz and two of 480 Hz, 10000 one of lamps at 50 Hz, 8333 one of lamps at 60 Hz."""


def without_bands(exposure_us: int, flicker_us: int | None) -> int:
    """Give the whole number of periods, at least one, that is nearest to an exposure; as it is without a period."""
    if flicker_us is None:
        return exposure_us
    return max(1, round(exposure_us / flicker_us)) * flicker_us
