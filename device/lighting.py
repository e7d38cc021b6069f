"""The lamp and the light beside the camera: on while a sale gathers, as bright as the camera can use, off otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec

from device.drivers.base import Aim, Illumination, Light
from device.payment.views import CounterView, Phase
from device.sight import Guidance, Hint

_DIMMED: Final = 0.25
"""Part of its brightness that is left of a lamp which was too bright."""


class LightingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the lamp shines, and how brightly."""

    when: Literal["gathering", "dark", "never"] = "gathering"
    """"dark": only once the camera finds it too dark in this sale."""
    brightness: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.6


class Lighting:
    """Follows the counter, and what the cameras say.

    What is too bright stays dimmed until the next sale: a lamp that went up and down with the hint would flicker.
    """

    def __init__(self, lamps: Sequence[Illumination], aims: Sequence[Aim], settings: LightingSettings) -> None:
        self._lamps = lamps
        self._aims = aims
        self._settings = settings
        self._sale = ""
        self._is_dimmed = False
        self._is_raised = False
        self._is_hinted = False
        self._shown: tuple[float | None, Light | None] = (None, None)

    def follow(self, view: CounterView) -> None:
        """Follow the counter."""
        gathers = view.in_service and view.sale is not None and view.sale.phase is Phase.GATHERING
        sale = view.sale.sale if view.sale is not None and gathers else ""
        if sale and sale != self._sale:
            self._is_dimmed = self._is_raised = False
        self._sale = sale
        self._show()

    def guided(self, guidance: Guidance | None) -> None:
        """Follow what the shopper is told; None for nothing."""
        hint = guidance.hint if guidance else None
        self._is_hinted = guidance is not None and bool(guidance.places)
        if hint is Hint.TOO_BRIGHT:
            self._is_dimmed, self._is_raised = True, False
        elif hint is Hint.TOO_DARK and not self._is_dimmed:
            self._is_raised = True
        self._show()

    def _show(self) -> None:
        level, light = self._level(), self._light()
        if level != self._shown[0]:
            for lamp in self._lamps:
                lamp.shine(0.0 if self._is_dimmed and not lamp.dimmable else level)
        if light is not self._shown[1]:
            for aim in self._aims:
                aim.show(light)
        self._shown = level, light

    def _level(self) -> float:
        when, brightness = self._settings.when, self._settings.brightness
        if not self._sale or when == "never":
            return 0.0
        if self._is_raised:
            return 1.0
        if when == "dark":
            return 0.0
        return brightness * _DIMMED if self._is_dimmed else brightness

    def _light(self) -> Light:
        if not self._sale:
            return Light.OFF
        return Light.BLINK if self._is_hinted else Light.ON
