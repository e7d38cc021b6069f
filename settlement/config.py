"""The settings of settlement: `settlement.toml`. Paths are relative to the file; unknown keys are refused.

mall = "riverside"                    # as in the topics
currency = "CNY"
merchant = "Riverside Tea"            # who owns a terminal that is not listed below
state = "state"                       # folder of the database, made with mode 0700
# database = "postgresql+psycopg://"  # default: SQLite in the state folder
authority = "ca.crt"                  # the mall's authority, for terminals and the broker
key = "settlement.key"                # signs decisions, receipts and vouchers
certificate = "settlement.crt"
beat_s = 3.0
timezone = "Asia/Shanghai"            # in which a day of the books begins and ends

[broker]
host = "127.0.0.1"
port = 8883
certificate = "tls.crt"
key = "tls.key"

[http]                                # for phones; without certificate and key only on loopback
listen = "127.0.0.1"
port = 8443
certificate = "tls.crt"
key = "tls.key"

[splits]                              # hundredths of a percent, together 10000
version = "2026-1"
merchant = 9000
platform = 300
store = 200
guide = 200
mall = 200
third = 100
third_party = "Riverside Charity"     # without it the third party's share goes to the merchant
partners = ["tea-blog"]                # or to one of these, if a split code such as TWS:TEA-BLOG was shown

[splits.limits.guide]                 # also for platform, store, mall and third; minor units
fixed = 50                            # for each payment, on top of the share
cap = 2000                            # no more than this of one payment
minimum = 1000                        # nothing of a smaller payment

[fees.acquirer.alipay]                # what the merchant pays for each payment of this scheme
basis_points = 60
fixed = 0
[fees.platform.alipay]
basis_points = 10

[wallet]
voucher_limit = 20000                 # minor units that a voucher is good for
voucher_days = 7

[coupons]
funders = ["merchant", "platform", "brand"]
reservation_minutes = 10

[terminals]
revoked = ["5f3a"]                    # serial numbers of certificates, hexadecimal
believe_before = 2026-01-31T09:00:00+08:00   # only after the database was put back to an older copy

[terminals.named.till-1]
merchant = "Jade Tea House"
store = "Ground floor"
"""

from __future__ import annotations

import ipaddress
import tomllib
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from protocol import currencies, ids
from settlement.errors import SettingsWrong, SomethingMissing

WHOLE = 10_000
"""Basis points of everything."""
FUNDERS = ("merchant", "platform", "brand")

Port = Annotated[int, Meta(ge=1, le=65535)]
BasisPoints = Annotated[int, Meta(ge=0, le=WHOLE)]
Name = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^:\x00-\x1f]+$")]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


class BrokerSettings(_Table, frozen=True, kw_only=True):
    """Where MQTT is."""

    certificate: Path
    key: Path
    host: str = "127.0.0.1"
    port: Port = 8883


class HttpSettings(_Table, frozen=True, kw_only=True):
    """Where phones call. Without certificate and key it is plain HTTP, which only loopback may be."""

    listen: str = "127.0.0.1"
    port: Port = 8443
    certificate: Path | None = None
    key: Path | None = None


Minor = Annotated[int, Meta(ge=0, le=10**9)]


class Limits(_Table, frozen=True, kw_only=True):
    """What bounds the share of one party, in minor units."""

    fixed: Minor = 0
    """For each payment, on top of the share."""
    cap: Minor | None = None
    minimum: Minor = 0
    """Of a smaller payment the party gets nothing."""


class Fee(_Table, frozen=True, kw_only=True):
    """What the merchant pays for one payment: basis points of it, rounded half up, and a fixed part in minor units."""

    basis_points: BasisPoints = 0
    fixed: Minor = 0


class Fees(_Table, frozen=True, kw_only=True):
    """Fees by scheme."""

    acquirer: dict[Name, Fee] = {}
    platform: dict[Name, Fee] = {}


class Splits(_Table, frozen=True, kw_only=True):
    """The rule by which one payment is shared among six parties."""

    version: Name
    merchant: BasisPoints
    platform: BasisPoints = 0
    store: BasisPoints = 0
    guide: BasisPoints = 0
    mall: BasisPoints = 0
    third: BasisPoints = 0
    third_party: Name | None = None
    partners: tuple[Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,20}$")], ...] = ()
    """Whom split codes may name as who brought the shopper."""
    limits: dict[Literal["platform", "store", "guide", "mall", "third"], Limits] = {}


class WalletSettings(_Table, frozen=True, kw_only=True):
    """What the house wallet gives to phones."""

    voucher_limit: Annotated[int, Meta(ge=1, le=2**32 - 1)] = 20_000
    voucher_days: Annotated[int, Meta(ge=1, le=90)] = 7


class CouponSettings(_Table, frozen=True, kw_only=True):
    """Who may pay for coupons, and how long one is kept for a sale."""

    funders: tuple[str, ...] = FUNDERS
    reservation_minutes: Annotated[int, Meta(ge=1, le=240)] = 10


class TerminalSettings(_Table, frozen=True, kw_only=True):
    """Whose terminal it is."""

    merchant: Name | None = None
    store: Name | None = None


class TerminalsSettings(_Table, frozen=True, kw_only=True):
    """Particulars of terminals, and certificates that are not good any more."""

    revoked: tuple[Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{1,40}$")], ...] = ()
    believe_before: Annotated[datetime, Meta(tz=True)] | None = None
    """Set after the database was put back to an older copy: what terminals had approved before is charged again."""
    named: dict[str, TerminalSettings] = {}


class Settings(_Table, frozen=True, kw_only=True):
    """All of settlement.toml."""

    mall: str
    currency: str
    merchant: Name
    authority: Path
    key: Path
    certificate: Path
    broker: BrokerSettings
    splits: Splits
    fees: Fees = Fees()
    state: Path = Path("state")
    database: str | None = None
    beat_s: Annotated[float, Meta(ge=0.5, le=5)] = 3.0
    timezone: str = "UTC"
    """In which a day of the books begins and ends."""
    http: HttpSettings = HttpSettings()
    wallet: WalletSettings = WalletSettings()
    coupons: CouponSettings = CouponSettings()
    terminals: TerminalsSettings = TerminalsSettings()

    @property
    def database_url(self) -> str:
        """The database for SQLAlchemy."""
        return self.database or f"sqlite:///{self.state / 'settlement.db'}"

    @property
    def revoked(self) -> frozenset[int]:
        """Serial numbers of certificates that are refused."""
        return frozenset(int(serial, 16) for serial in self.terminals.revoked)

    def merchant_of(self, terminal: str) -> str:
        """Give the merchant whose terminal it is."""
        return self._named(terminal).merchant or self.merchant

    def store_of(self, terminal: str) -> str | None:
        """Give the store in which the terminal stands, if the settings say it."""
        return self._named(terminal).store

    def __repr__(self) -> str:
        """Leave out the address of the database, which may have a password in it."""
        return f"<Settings of the mall {self.mall!r}>"

    def _named(self, terminal: str) -> TerminalSettings:
        return self.terminals.named.get(terminal, TerminalSettings())


def load_settings(path: Path) -> Settings:
    """Read settlement.toml; SettingsWrong or SomethingMissing with a sentence that names file and key."""
    try:
        settings = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Settings, dec_hook=_to_path)
    except FileNotFoundError as error:
        raise SomethingMissing(f"there is no settings file {path}; run: tillwave provision settlement") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsWrong(path, f"is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise SettingsWrong(path, str(error)) from error
    _check(path, settings)
    return _anchored(settings, path.resolve().parent)


def zone_of(name: str) -> tzinfo:
    """Give a time zone by its name; UTC is known to every machine."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _to_path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)


def _check(path: Path, settings: Settings) -> None:
    for complaint in (
        _mall_and_currency(settings),
        _rule(settings.splits),
        _http(settings.http),
        _timezone(settings.timezone),
        _others(settings),
    ):
        if complaint:
            raise SettingsWrong(path, complaint)


def _mall_and_currency(settings: Settings) -> str:
    if not ids.is_name(settings.mall):
        return "`mall` is 1 to 20 characters of a-z, 0-9 and the hyphen"
    try:
        currencies.by_code(settings.currency)
    except currencies.UnknownCurrency as error:
        return f"`currency`: {error}"
    return ""


def _rule(splits: Splits) -> str:
    together = splits.merchant + splits.platform + splits.store + splits.guide + splits.mall + splits.third
    return "" if together == WHOLE else f"the shares in `splits` are {together} together, and must be {WHOLE}"


def _http(http: HttpSettings) -> str:
    if (http.certificate is None) != (http.key is None):
        return "`http` needs both `certificate` and `key`, or neither"
    try:
        loopback = ipaddress.ip_address(http.listen).is_loopback
    except ValueError:
        return "`http.listen` is an address such as 127.0.0.1 or 0.0.0.0"
    if http.certificate is None and not loopback:
        return "`http` needs `certificate` and `key` unless it listens on loopback"
    return ""


def _timezone(name: str) -> str:
    try:
        zone_of(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"`timezone` is {name!r}, which this machine does not know; Asia/Shanghai is one (package tzdata)"
    return ""


def _others(settings: Settings) -> str:
    if wrong := [funder for funder in settings.coupons.funders if funder not in FUNDERS]:
        return f"`coupons.funders` has {wrong[0]!r}; possible are {', '.join(FUNDERS)}"
    if wrong := [name for name in settings.terminals.named if not ids.is_name(name)]:
        return f"`terminals.named` has {wrong[0]!r}, which is no name of a terminal"
    return ""


def _anchored(settings: Settings, folder: Path) -> Settings:
    replace = msgspec.structs.replace
    broker, http = settings.broker, settings.http
    return replace(
        settings,
        state=folder / settings.state,
        authority=folder / settings.authority,
        key=folder / settings.key,
        certificate=folder / settings.certificate,
        broker=replace(broker, certificate=folder / broker.certificate, key=folder / broker.key),
        http=replace(
            http,
            certificate=folder / http.certificate if http.certificate else None,
            key=folder / http.key if http.key else None,
        ),
    )
