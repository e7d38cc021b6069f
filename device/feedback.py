"""Lamps, chimes and slips follow what the counter shows; they are told only after it is on disk."""

from __future__ import annotations

from collections.abc import Sequence

from device.drivers.base import Buzzer, Chime, Lamp, Lamps, Light, Printer
from device.payment.views import CounterView, Phase, SaleView
from device.slips import payment_slip

_LIGHTS: dict[Phase, dict[Lamp, Light]] = {
    Phase.GATHERING: {Lamp.WORKING: Light.ON},
    Phase.AUTHORISING: {Lamp.WORKING: Light.BLINK},
    Phase.WAITING: {Lamp.WORKING: Light.BLINK},
    Phase.UNKNOWN: {Lamp.WORKING: Light.BLINK, Lamp.TROUBLE: Light.ON},
    Phase.CANCELLING: {Lamp.WORKING: Light.BLINK},
    Phase.PAID: {Lamp.READY: Light.ON},
    Phase.UNPAID: {Lamp.TROUBLE: Light.ON},
    Phase.CANCELLED: {},
}


class Feedback:
    """Tells the shopper by light, sound and paper."""

    def __init__(
        self, *, lamps: Sequence[Lamps], buzzers: Sequence[Buzzer], printers: Sequence[Printer], language: str
    ) -> None:
        self._lamps = lamps
        self._buzzers = buzzers
        self._printers = printers
        self._language = language
        self._shown: dict[Lamp, Light] = {}
        self._last: SaleView | None = None

    def start(self, view: CounterView) -> None:
        """Show where the counter stands, without repeating what was sounded and printed before."""
        self._last = view.sale
        self._light(view)

    def follow(self, view: CounterView) -> None:
        """Follow a change."""
        before, self._last = self._last, view.sale
        self._light(view)
        if view.sale is None:
            return
        is_same = before is not None and before.sale == view.sale.sale
        chime = _chime(before if is_same else None, view.sale)
        if chime is not None:
            for buzzer in self._buzzers:
                buzzer.sound(chime)
        if chime is Chime.PAID:
            for printer in self._printers:
                printer.print(payment_slip(view.terminal, view.sale, self._language))

    def _light(self, view: CounterView) -> None:
        if view.in_service:
            lights = _LIGHTS[view.sale.phase] if view.sale else {Lamp.READY: Light.ON}
        else:
            lights = {Lamp.TROUBLE: Light.BLINK}
        for lamp in Lamp:
            light = lights.get(lamp, Light.OFF)
            if self._shown.get(lamp) is not light:
                self._shown[lamp] = light
                for lamps in self._lamps:
                    lamps.show(lamp, light)


def _chime(before: SaleView | None, sale: SaleView) -> Chime | None:
    phase_before = before.phase if before else Phase.GATHERING
    if sale.phase is Phase.PAID and phase_before is not Phase.PAID:
        return Chime.PAID
    if sale.phase is not phase_before:
        return _CHIMES.get((phase_before, sale.phase))
    if before is not None and sale.notice and sale.notice != before.notice:
        return Chime.SEEN if sale.notice in _GOOD_NOTICES else Chime.ATTENTION
    return None


_GOOD_NOTICES = frozenset({"goods-added", "coupon-taken", "member-taken", "attribution-taken"})
_CHIMES = {
    (Phase.GATHERING, Phase.AUTHORISING): Chime.SEEN,
    (Phase.AUTHORISING, Phase.GATHERING): Chime.DECLINED,
    (Phase.WAITING, Phase.GATHERING): Chime.DECLINED,
    (Phase.AUTHORISING, Phase.WAITING): Chime.ATTENTION,
    (Phase.AUTHORISING, Phase.UNKNOWN): Chime.ATTENTION,
    (Phase.WAITING, Phase.UNKNOWN): Chime.ATTENTION,
    (Phase.UNKNOWN, Phase.UNPAID): Chime.DECLINED,
}
