"""What the cameras would say to the shopper, while a sale gathers and at no other time."""

from __future__ import annotations

import logging
from collections.abc import Callable

from device.payment.views import CounterView, Phase
from device.sight import Guidance

log = logging.getLogger(__name__)


class Guide:
    """Keeps what each camera says of a code that it cannot read; `shown` is what counts now. On the event loop."""

    def __init__(self) -> None:
        self._said: dict[str, Guidance] = {}
        self._gathers = False
        self._shown: Guidance | None = None
        self._listeners: list[Callable[[Guidance | None], None]] = []

    @property
    def shown(self) -> Guidance | None:
        """What to tell the shopper; None for nothing."""
        return self._shown

    def subscribe(self, changed: Callable[[Guidance | None], None]) -> Callable[[], None]:
        """Call `changed` with what is shown after every change; the result ends it."""
        self._listeners.append(changed)
        return lambda: self._listeners.remove(changed) if changed in self._listeners else None

    def take(self, guidance: Guidance) -> None:
        """Take what a camera says; of several cameras the latest counts that sees a code, else the latest."""
        self._said.pop(guidance.device, None)
        if guidance.hint is not None:
            self._said[guidance.device] = guidance
        self._settle()

    def follow(self, view: CounterView) -> None:
        """Follow the counter: nothing is shown but while a sale gathers."""
        self._gathers = view.in_service and view.sale is not None and view.sale.phase is Phase.GATHERING
        self._settle()

    def _settle(self) -> None:
        counts = self._latest() if self._gathers else None
        if counts == self._shown:
            return
        self._shown = counts
        for listener in tuple(self._listeners):
            try:
                listener(counts)
            except Exception:  # a page or a lamp must not keep the others from hearing it
                log.exception("a listener of the guide failed")

    def _latest(self) -> Guidance | None:
        newest_first = tuple(reversed(self._said.values()))
        return next((each for each in newest_first if each.places), next(iter(newest_first), None))
