"""How the terminal's local server is set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """By which names the server may be called, and what its pages say."""

    host: str = "127.0.0.1"
    """The address that it listens on."""
    names: tuple[str, ...] = ()
    """Further host names or addresses, without port, by which registers and browsers call this terminal."""
    shop: str = ""
    """How the shopper's display names the shop; empty shows the terminal's name."""
    currency: str = "CNY"
    """Of amounts typed on the cashier's page."""
    language: Language = "zh"
    """Of the pages, until somebody switches."""
