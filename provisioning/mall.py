"""What a mall knows of itself: its name, currency, usual merchant and broker; kept beside the authority's key."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from pathlib import Path

import msgspec

from protocol import currencies, emv_qr, ids, topics
from provisioning.errors import BadName, BadSettings, NotThere
from provisioning.files import replace
from provisioning.toml import write_toml

BROKER_NAME = "broker"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_RESERVED = frozenset({topics.SETTLEMENT_USER, BROKER_NAME, "all"})
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)
_LONGEST_HOST, _LARGEST_PORT = 253, 65535
_LONGEST_NAME = 60


class Merchant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is paid, as a dynamic code names him."""

    name: str
    city: str
    country: str
    """ISO 3166, two capital letters."""
    category_code: str = "5311"
    """ISO 18245, four digits; 5311 is a department store."""
    local_name: str = ""
    """In Chinese, beside the Latin letters of `name`."""
    local_city: str = ""

    def __post_init__(self) -> None:
        """Refuse what no code, and no account of settlement, has a place for."""
        try:
            emv_qr.MerchantDetails(
                name=self.name,
                city=self.city,
                country=self.country,
                category_code=self.category_code,
                local_language="zh" if self.local_name or self.local_city else "",
                local_name=self.local_name,
                local_city=self.local_city,
            )
        except ValueError as error:
            raise BadName(f"merchant: {error}") from error
        if ":" in self.name or len(self.name) > _LONGEST_NAME:
            raise BadName(f"merchant: a name has no colon and at most {_LONGEST_NAME} characters")


class BrokerAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where terminals and settlement find the broker."""

    host: str
    port: int

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        check_host(self.host)
        check_port(self.port)


class Mall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mall: one authority, one broker, one settlement."""

    name: str
    currency: str
    merchant: Merchant
    broker: BrokerAddress | None = None
    """None until the broker was provisioned."""

    def __post_init__(self) -> None:
        """Refuse a name that no topic can carry, and a currency without minor units."""
        if not ids.is_name(self.name):
            raise BadName("a mall is named by 1 to 20 characters of a-z, 0-9 and the hyphen")
        try:
            currencies.by_code(self.currency)
        except currencies.UnknownCurrency as error:
            raise BadName(str(error)) from error


def merchant_table(merchant: Merchant) -> dict[str, str]:
    """Give a merchant as a table of a settings file, without names that he has not."""
    return {key: value for key, value in msgspec.structs.asdict(merchant).items() if value}


def save_mall(path: Path, mall: Mall) -> None:
    """Write mall.toml."""
    document = {**msgspec.to_builtins(mall), "merchant": merchant_table(mall.merchant)}
    if mall.broker is None:
        del document["broker"]
    replace(path, write_toml(document))


def load_mall(path: Path) -> Mall:
    """Read mall.toml; NotThere, or BadSettings with a sentence."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Mall)
    except FileNotFoundError as error:
        raise NotThere(path, "run: tillwave provision authority") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadSettings(path, str(error)) from error


def check_terminal_name(name: str) -> None:
    """Raise BadName unless a terminal may be called so."""
    if not ids.is_name(name):
        raise BadName("a terminal is named by 1 to 20 characters of a-z, 0-9 and the hyphen")
    if name in _RESERVED:
        raise BadName(f"{name} is a name of the mall itself; choose another for the terminal")


def check_host(host: str) -> None:
    """Raise BadName unless it is a host name or an IP address."""
    if not is_address(host) and not (_HOST.fullmatch(host) and len(host) <= _LONGEST_HOST):
        raise BadName(f"{host[:60]!r} is neither a host name nor an IP address")


def check_port(port: int) -> None:
    """Raise BadName unless a listener can have this port."""
    if not 1 <= port <= _LARGEST_PORT:
        raise BadName(f"a port is a number from 1 to {_LARGEST_PORT}")


def is_address(host: str) -> bool:
    """Tell whether it is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
