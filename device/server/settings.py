"""How the terminal's local server is set up."""

from __future__ import annotations

from typing import Literal

import msgspec

Language = Literal["zh", "en"]


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the server listens, by which names it may be called, and what its pages say."""

    host: str = "127.0.0.1"
    port: int = 8480
    names: tuple[str, ...] = ()
    """Further host names or addresses, without port, by which registers and browsers call this terminal."""
    shop: str = ""
    """How the shopper's display names the shop; empty shows the terminal's name."""
    currency: str = "CNY"
    """Of amounts typed on the cashier's page."""
    language: Language = "zh"
    """Of the pages, until somebody switches."""
