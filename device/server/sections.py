"""What a section of the technician's page is made of."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from starlette.routing import Route

from device.server.shown import Json


class Section(Protocol):
    """One section: figures from here, drawn by the script `pages/section-NAME.js`.

    All of it is called on the event loop, and must return at once.
    """

    @property
    def name(self) -> str:
        """A word of a-z: the name of its figures, of its script and of its texts."""

    def watched(self) -> AbstractContextManager[None]:
        """Entered while one page looks, by several pages at once: whatever costs something happens in here only."""

    def figures(self) -> Json:
        """Show how things stand; asked some times a second for each page that looks. Nothing secret."""

    def routes(self) -> Sequence[Route]:
        """Give further addresses, such as pictures, below /technician/NAME, for pages that have paired only."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """One device of the settings."""

    name: str
    kind: str
    driver: str
