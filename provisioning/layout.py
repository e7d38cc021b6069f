"""How a terminal's folder looks: names of its files, and `terminal.toml` as it is first written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

import msgspec

from keys.badges import is_badge_hash
from provisioning.bundles import Answer
from provisioning.errors import BadName
from provisioning.mall import LOOPBACK, check_port, merchant_table
from provisioning.toml import write_toml

SETTINGS = "terminal.toml"
REQUEST, ANSWER = "request.json", "answer.json"
RECORD_KEY, RECORD_CERTIFICATE = "record.key", "record.crt"
TLS_KEY, TLS_CERTIFICATE = "tls.key", "tls.crt"
AUTHORITY, SETTLEMENT_CERTIFICATE = "ca.crt", "settlement.crt"

_COMMENTS = {
    "terminal.language": 'pages start in this language: "zh" or "en"',
    "terminal.state": "folder of the journal",
    "checkout.catalogue": "goods and their prices",
    "offline.limit_per_sale": "minor units",
    "offline.limit_total": "minor units",
}
_ADVICE = """
# A supervisor's badge: tillwave provision badge NAME
# [[supervisors]]
# name = "Chen"
# badge_hash = "scrypt:..."

# What is plugged in, one table each, for example:
# [[devices]]
# kind = "camera"
# name = "front"
# driver = "picamera2"
# [devices.options]
"""


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Who may refund; the hash is made by `provisioning.badge.make_badge`."""

    name: str
    badge_hash: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a badge that is not hashed."""
        if not is_badge_hash(self.badge_hash):
            raise BadName(f"supervisor {self.name}: give the hash of the badge, not the badge")


@dataclass(frozen=True, slots=True)
class Device:
    """A driver of the terminal and what it is told."""

    kind: str
    name: str
    driver: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """What the terminal may accept alone; amounts in minor units."""

    enabled: bool = False
    limit_per_sale: int = 5000
    limit_total: int = 50000
    limit_count: int = 20

    def __post_init__(self) -> None:
        """Refuse limits below zero."""
        if min(self.limit_per_sale, self.limit_total, self.limit_count) < 0:
            raise BadName("an offline limit is not below zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalChoices:
    """What a technician decides about one terminal; the rest of terminal.toml comes from the authority."""

    language: Literal["zh", "en"] = "zh"
    server_host: str = "127.0.0.1"
    """On loopback; for another address a technician adds tls_key and tls_certificate to the file."""
    server_port: int = 8800
    sale_deadline_s: int = 180
    decision_timeout_s: int = 5
    catalogue: str | None = None
    """Path of the catalogue file, relative to terminal.toml."""
    offline: Offline = Offline()
    supervisors: Sequence[Supervisor] = ()
    devices: Sequence[Device] = ()

    def __post_init__(self) -> None:
        """Refuse an address that no server can have."""
        if self.server_host not in LOOPBACK:
            raise BadName(f"without a certificate of its own the terminal's server listens on {LOOPBACK[1]} only")
        check_port(self.server_port)


def terminal_settings(answer: Answer, choices: TerminalChoices) -> str:
    """Write terminal.toml."""
    document: dict[str, object] = {
        "terminal": {
            "name": answer.terminal,
            "mall": answer.mall,
            "language": choices.language,
            "currency": answer.currency,
            "state": "state",
        },
        "merchant": merchant_table(answer.merchant),
        "keys": {
            "record_key": RECORD_KEY,
            "record_certificate": RECORD_CERTIFICATE,
            "tls_key": TLS_KEY,
            "tls_certificate": TLS_CERTIFICATE,
            "authority": AUTHORITY,
            "settlement_certificate": SETTLEMENT_CERTIFICATE,
        },
        "broker": msgspec.to_builtins(answer.broker),
        "server": {"host": choices.server_host, "port": choices.server_port},
        "checkout": _checkout(choices),
        "offline": asdict(choices.offline),
        "supervisors": [asdict(supervisor) for supervisor in choices.supervisors],
        "devices": [asdict(device) for device in choices.devices],
    }
    for optional in ("supervisors", "devices"):
        if not document[optional]:
            del document[optional]
    return write_toml(document, _COMMENTS) + _ADVICE


def _checkout(choices: TerminalChoices) -> dict[str, object]:
    table: dict[str, object] = {
        "sale_deadline_s": choices.sale_deadline_s,
        "decision_timeout_s": choices.decision_timeout_s,
    }
    if choices.catalogue is not None:
        table["catalogue"] = choices.catalogue
    return table
