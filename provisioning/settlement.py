"""Settlement's folder: two keys, their certificates and `settlement.toml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from keys.file import FileKey
from keys.requests import make_request
from protocol import topics
from provisioning.authority import Authority
from provisioning.broker import all_names
from provisioning.errors import BadName
from provisioning.files import PRIVATE, make_folder, refuse_existing, write_new
from provisioning.issuing import to_pem
from provisioning.mall import check_host, check_port, check_terminal_name, is_address
from provisioning.roles import Role
from provisioning.toml import write_toml

SETTINGS = "settlement.toml"
WHOLE = 10_000
"""Hundredths of a percent in everything."""
_KEY, _CERTIFICATE, _TLS_KEY, _TLS_CERTIFICATE, _AUTHORITY = (
    "settlement.key",
    "settlement.crt",
    "tls.key",
    "tls.crt",
    "ca.crt",
)
_FILES = (_KEY, _CERTIFICATE, _TLS_KEY, _TLS_CERTIFICATE, _AUTHORITY, SETTINGS)
_COMMENTS = {
    "merchant": "who owns a terminal that is not listed below",
    "authority": "the mall's authority, for terminals and the broker",
    "key": "signs decisions, receipts and vouchers",
    "http.listen": "for phones",
    "splits.version": "change it with the shares",
    "splits.merchant": "hundredths of a percent, together 10000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How a payment is shared by six parties, in hundredths of a percent; `third_party` names the sixth."""

    version: str = "1"
    merchant: int = WHOLE
    platform: int = 0
    store: int = 0
    guide: int = 0
    mall: int = 0
    third: int = 0
    third_party: str | None = None
    partners: tuple[str, ...] | None = None
    """Whom split codes may name as the third party, because they brought the shopper."""

    def __post_init__(self) -> None:
        """Refuse shares that are not the whole."""
        shares = (self.merchant, self.platform, self.store, self.guide, self.mall, self.third)
        if min(shares) < 0 or sum(shares) != WHOLE:
            raise BadName(f"the shares of the six parties are {sum(shares)} together, and must be {WHOLE}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose terminal it is and where it stands; None leaves it to the mall."""

    merchant: str | None = None
    store: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneAddress:
    """Where settlement listens for phones, and under which names they call it."""

    listen: str = "127.0.0.1"
    port: int = 8443
    host: str = "localhost"
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        check_port(self.port)
        check_host(self.host)
        if not is_address(self.listen):
            raise BadName("settlement listens on an IP address of this machine, for example 127.0.0.1 or 0.0.0.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementChoices:
    """What an operator decides about settlement."""

    shares: Shares = Shares()
    phones: PhoneAddress = PhoneAddress()
    owners: Mapping[str, Owner] = field(default_factory=dict)
    """By terminal."""
    beat_s: float = 3.0


def provision_settlement(
    folder: Path,
    authority: Authority,
    *,
    at: datetime,
    choices: SettlementChoices | None = None,
    replace: bool = False,
) -> Path:
    """Make settlement's folder and give its settlement.toml; from then on the authority hands out its certificate.

    NotThere before the broker was provisioned; NameTaken if the mall has a settlement with other keys, unless
    `replace`: then every terminal must install a new answer, because it believes the old settlement only.
    """
    choices = choices or SettlementChoices()
    settings = _settings(authority, choices)
    folder = make_folder(folder)
    refuse_existing(folder, _FILES)
    signing = FileKey.create(folder / _KEY)
    tls = FileKey.create(folder / _TLS_KEY)
    name, phones = topics.SETTLEMENT_USER, choices.phones
    signing_certificate = authority.issue(
        make_request(signing, common_name=name, unit=Role.SETTLEMENT_SIGNING.unit),
        Role.SETTLEMENT_SIGNING,
        name,
        at=at,
        replace_holder=replace,
    )
    tls_certificate = authority.issue(
        make_request(tls, common_name=name, unit=Role.SETTLEMENT_TLS.unit),
        Role.SETTLEMENT_TLS,
        name,
        hosts=all_names(phones.host, phones.names),
        at=at,
        replace_holder=replace,
    )
    write_new(folder / _CERTIFICATE, to_pem(signing_certificate))
    write_new(folder / _TLS_CERTIFICATE, to_pem(tls_certificate))
    write_new(folder / _AUTHORITY, to_pem(authority.certificate))
    write_new(folder / SETTINGS, write_toml(settings, _COMMENTS), mode=PRIVATE)
    authority.remember_settlement(signing_certificate)
    return folder / SETTINGS


def _settings(authority: Authority, choices: SettlementChoices) -> dict[str, object]:
    mall, broker = authority.mall, authority.broker
    for terminal in choices.owners:
        check_terminal_name(terminal)
    document: dict[str, object] = {
        "mall": mall.name,
        "currency": mall.currency,
        "merchant": mall.merchant.name,
        "state": "state",
        "authority": _AUTHORITY,
        "key": _KEY,
        "certificate": _CERTIFICATE,
        "beat_s": choices.beat_s,
        "broker": {"host": broker.host, "port": broker.port, "certificate": _TLS_CERTIFICATE, "key": _TLS_KEY},
        "http": {
            "listen": choices.phones.listen,
            "port": choices.phones.port,
            "certificate": _TLS_CERTIFICATE,
            "key": _TLS_KEY,
        },
        "splits": _given(choices.shares),
    }
    if choices.owners:
        document["terminals"] = {"named": {terminal: _given(owner) for terminal, owner in choices.owners.items()}}
    return document


def _given(value: Shares | Owner) -> dict[str, object]:
    return {key: entry for key, entry in asdict(value).items() if entry is not None}
