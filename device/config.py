"""The terminal's settings: a TOML file, read strictly, every fault named by file and key.

SettingsProblem
+-- SettingsMissing    the file, or a file it names, is not there (also a FileNotFoundError)
+-- SettingsWrong      unknown keys, wrong types, values that make no sense (also a ValueError)
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from device.decode.disturbance import JammingSettings
from device.decode.wanted import RETAIL_ITF, UnknownSymbology, Wanted
from device.drivers.registry import KINDS
from device.gs1.labels import COUNTRIES, check_layout
from device.gs1.problems import BadLabel
from device.lighting import LightingSettings
from device.payment.classifying import SHAPES, CodeShape, MemberShape
from device.payment.events import Timing
from device.payment.pricing import GoodsRules
from device.payment.risk import OfflineLimits
from device.voice import ChallengeSettings
from keys.badges import is_badge_hash
from protocol import currencies, ids
from protocol.emv_problems import EmvQrProblem
from protocol.emv_qr import MerchantDetails

_LONGEST_NAME = 40


class SettingsProblem(Exception):
    """The settings cannot be used; the text names file and key."""


class SettingsMissing(SettingsProblem, FileNotFoundError):
    """A file is not there."""


class SettingsWrong(SettingsProblem, ValueError):
    """The content of the file is wrong."""


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


class TerminalSettings(_Section, frozen=True):
    """Who the terminal is."""

    name: str
    mall: str
    state: Path
    currency: str = "CNY"
    language: Literal["zh", "en"] = "zh"


class MerchantSettings(_Section, frozen=True):
    """Who sells, as the shopper's phone shows it; Latin letters, with local names beside them."""

    name: str
    city: str
    country: str
    category_code: str = "0000"
    local_name: str = ""
    local_city: str = ""

    def details(self) -> MerchantDetails:
        """Give them as the dynamic code shows them; EmvQrProblem if they do not fit in there."""
        return MerchantDetails(
            name=self.name,
            city=self.city,
            country=self.country,
            category_code=self.category_code,
            local_language="zh" if self.local_name or self.local_city else "",
            local_name=self.local_name,
            local_city=self.local_city,
        )


class KeySettings(_Section, frozen=True):
    """The files of the terminal's identity."""

    record_key: Path = Path("record.key")
    record_certificate: Path = Path("record.crt")
    tls_key: Path = Path("tls.key")
    tls_certificate: Path = Path("tls.crt")
    authority: Path = Path("ca.crt")
    settlement_certificate: Path = Path("settlement.crt")


class BrokerSettings(_Section, frozen=True):
    """Where the broker is."""

    host: str
    port: int = 8883


class ListenSettings(_Section, frozen=True):
    """Where the local HTTP server listens; on another address than loopback it needs a certificate."""

    host: str = "127.0.0.1"
    port: int = 8800
    names: tuple[str, ...] = ()
    """Host names by which registers reach the terminal, besides `host`."""
    tls_key: Path | None = None
    tls_certificate: Path | None = None


class NexoSettings(_Section, frozen=True):
    """The listener for registers that speak nexo; `certificate_name` is the common name of its certificate."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = 8443
    certificate_name: str = ""


class CheckoutSettings(Timing, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the checkout behaves."""

    catalogue: Path | None = None


class SoundSettings(_Section, frozen=True):
    """What is listened for at every microphone, and what the loudspeaker plays."""

    waveforms: Annotated[tuple[Literal["TILLWAVE", "GGWAVE"], ...], msgspec.Meta(min_length=1)] = ("TILLWAVE",)
    bound_only: bool = False
    """Take tokens of sound only if they are bound to a challenge."""
    challenge: ChallengeSettings = ChallengeSettings()
    jamming: JammingSettings = JammingSettings()


class SupervisorSettings(_Section, frozen=True):
    """One person who may approve refunds."""

    name: str
    badge_hash: str


class DeviceSettings(_Section, frozen=True):
    """One device and its driver."""

    kind: str
    name: str
    driver: str
    options: dict[str, Any] = {}
    symbologies: tuple[str, ...] | None = None
    """What a camera reads; every symbology unless told."""
    itf_digits: tuple[int, ...] = tuple(RETAIL_ITF)
    """Lengths of ITF codes that a camera believes."""


class Settings(_Section, frozen=True):
    """The whole file. Paths are absolute after `load_settings`."""

    terminal: TerminalSettings
    merchant: MerchantSettings
    broker: BrokerSettings
    keys: KeySettings = KeySettings()
    server: ListenSettings = ListenSettings()
    nexo: NexoSettings = NexoSettings()
    checkout: CheckoutSettings = CheckoutSettings()
    offline: OfflineLimits = OfflineLimits()
    sound: SoundSettings = SoundSettings()
    lighting: LightingSettings = LightingSettings()
    supervisors: tuple[SupervisorSettings, ...] = ()
    devices: tuple[DeviceSettings, ...] = ()
    codes: tuple[CodeShape, ...] = SHAPES
    member_codes: tuple[MemberShape, ...] = ()
    goods: GoodsRules = GoodsRules()

    @property
    def journal(self) -> Path:
        """Where the journal lies."""
        return self.terminal.state / "journal.db"


def load_settings(path: Path) -> Settings:
    """Read and check a settings file; SettingsMissing or SettingsWrong with a sentence for the technician."""
    try:
        settings = msgspec.toml.decode(path.read_bytes(), type=Settings, dec_hook=_read_path)
    except FileNotFoundError as error:
        raise SettingsMissing(f"there is no settings file {path}") from error
    except OSError as error:
        raise SettingsMissing(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsWrong(f"{path}: {error}") from error
    _check(path, settings)
    folder = path.absolute().parent
    absolute: Settings = _with_absolute_paths(settings, folder)
    return msgspec.structs.replace(absolute, devices=tuple(_on_bench(device, folder) for device in absolute.devices))


def settings_hash(path: Path) -> bytes:
    """Name the content of a settings file: SHA-256."""
    return hashlib.sha256(path.read_bytes()).digest()


def _read_path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    raise ValueError("expected the path of a file")


def _check(path: Path, settings: Settings) -> None:
    terminal = settings.terminal
    for key, name in (("terminal.name", terminal.name), ("terminal.mall", terminal.mall)):
        if not ids.is_name(name):
            raise SettingsWrong(f"{path}: {key} is 1 to 20 characters of a-z, 0-9 and -")
    try:
        currencies.by_code(terminal.currency)
    except currencies.UnknownCurrency as error:
        raise SettingsWrong(f"{path}: terminal.currency: {error}") from error
    _check_devices(path, settings.devices)
    _check_supervisors(path, settings.supervisors)
    _check_server(path, settings.server)
    _check_merchant(path, settings.merchant)
    _check_checkout(path, settings)


def _check_supervisors(path: Path, supervisors: tuple[SupervisorSettings, ...]) -> None:
    for supervisor in supervisors:
        if not supervisor.name.isprintable() or not 1 <= len(supervisor.name) <= _LONGEST_NAME:
            raise SettingsWrong(f"{path}: a supervisor's name is 1 to {_LONGEST_NAME} printable characters")
        if not is_badge_hash(supervisor.badge_hash):
            raise SettingsWrong(f"{path}: the badge_hash of supervisor {supervisor.name!r} is none")


def _check_merchant(path: Path, merchant: MerchantSettings) -> None:
    try:
        merchant.details()
    except EmvQrProblem as error:
        raise SettingsWrong(f"{path}: merchant: {error}") from error


def _check_checkout(path: Path, settings: Settings) -> None:
    for key in Timing.__struct_fields__:
        if getattr(settings.checkout, key) < 1:
            raise SettingsWrong(f"{path}: checkout.{key} is at least 1 second")
    for key in ("limit_per_sale", "limit_total", "limit_count"):
        if getattr(settings.offline, key) < 0:
            raise SettingsWrong(f"{path}: offline.{key} is not negative")
    for shape in settings.codes:
        _check_pattern(path, f"codes: the pattern of {shape.scheme!r}", shape.pattern)
    for member in settings.member_codes:
        _check_pattern(path, "member_codes: the pattern", member.pattern)
    _check_goods(path, settings.goods)


def _check_pattern(path: Path, what: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise SettingsWrong(f"{path}: {what} is none: {error}") from error


def _check_goods(path: Path, goods: GoodsRules) -> None:
    if goods.labels_of and goods.labels_of not in COUNTRIES:
        raise SettingsWrong(f"{path}: goods.labels_of is one of {', '.join(COUNTRIES)}")
    for layout in goods.labels:
        try:
            check_layout(layout)
        except BadLabel as problem:
            raise SettingsWrong(f"{path}: goods.labels: {problem}") from problem


def _check_devices(path: Path, devices: tuple[DeviceSettings, ...]) -> None:
    names: set[str] = set()
    for device in devices:
        if device.kind not in KINDS:
            raise SettingsWrong(f"{path}: device {device.name!r}: kind is one of {', '.join(KINDS)}")
        if not ids.is_name(device.name) or device.name in names:
            raise SettingsWrong(f"{path}: device {device.name!r}: every device has a name of its own of a-z, 0-9, -")
        _check_codes(path, device)
        names.add(device.name)


def _check_codes(path: Path, device: DeviceSettings) -> None:
    if device.symbologies is not None and (device.kind != "camera" or not device.symbologies):
        raise SettingsWrong(f"{path}: device {device.name!r}: symbologies are for cameras, and at least one")
    try:
        Wanted.of(device.symbologies, frozenset(device.itf_digits))
    except UnknownSymbology as error:
        raise SettingsWrong(f"{path}: device {device.name!r}: {error}") from error


def _check_server(path: Path, server: ListenSettings) -> None:
    is_loopback = server.host in ("127.0.0.1", "::1", "localhost")
    if not is_loopback and (server.tls_key is None or server.tls_certificate is None):
        raise SettingsWrong(f"{path}: server.host {server.host} needs server.tls_key and server.tls_certificate")


def _on_bench(device: DeviceSettings, folder: Path) -> DeviceSettings:
    """Make the folder of a simulated device absolute, as all paths of the file."""
    bench = device.options.get("bench")
    if not isinstance(bench, str):
        return device
    return msgspec.structs.replace(device, options={**device.options, "bench": str(folder / bench)})


def _with_absolute_paths(section: Any, folder: Path) -> Any:
    changes: dict[str, Any] = {}
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, Path):
            changes[name] = folder / value
        elif isinstance(value, _Section | Timing):
            changes[name] = _with_absolute_paths(value, folder)
    return msgspec.structs.replace(section, **changes)
