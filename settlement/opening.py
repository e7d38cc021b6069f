"""Opens the office: key, certificate and acquirers, as the settings say."""

from __future__ import annotations

from keys.certificates import load_certificate, public_key_of
from keys.file import FileKey
from keys.port import Signer
from settlement.acquirers.house_wallet import SCHEME, HouseWallet
from settlement.clock import Clock, SystemClock
from settlement.config import Settings
from settlement.errors import SettingsWrong
from settlement.office import Office


def make_office(settings: Settings) -> Office:
    """Load key and certificate for work in real time; a KeyProblem or SettingsWrong when they do not fit together."""
    signer = FileKey.load(settings.key)
    certificate = load_certificate(settings.certificate)
    if public_key_of(certificate) != signer.public_key:
        raise SettingsWrong(settings.certificate, f"is not the certificate of {settings.key}")
    return office_of(settings, signer, SystemClock())


def office_of(settings: Settings, signer: Signer, clock: Clock) -> Office:
    """Put an office together with its acquirers."""
    return Office(settings, signer, clock, {SCHEME: HouseWallet(signer.public_key)})
