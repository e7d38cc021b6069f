"""A new terminal in three steps on two machines; its keys are made on the device and stay there.

on the device       request_certificates   makes both keys, writes request.json
at the authority    sign_request           request.json -> answer.json
on the device       install_answer         checks that the answer fits the keys, writes terminal.toml
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from cryptography import x509

from keys.certificates import (
    RECORD_UNIT,
    SETTLEMENT_UNIT,
    TLS_UNIT,
    check_certificate,
    parse_certificate,
    write_fingerprint,
)
from keys.file import FileKey
from keys.port import key_id_of
from keys.requests import make_request
from protocol import ids, topics
from provisioning import layout
from provisioning.authority import Authority
from provisioning.bundles import Answer, Request, require_fingerprint, write_bundle
from provisioning.errors import AlreadyThere, BadBundle, BadName
from provisioning.files import PRIVATE, make_folder, refuse_existing, replace, write_new
from provisioning.issuing import read_request, to_pem
from provisioning.layout import TerminalChoices, terminal_settings
from provisioning.mall import Merchant, check_terminal_name
from provisioning.roles import Role


class Existing(Enum):
    """What to do with a terminal.toml that is there."""

    REFUSE = "refuse"
    KEEP = "keep"
    """New certificates, old settings: a renewal."""
    REPLACE = "replace"
    """New settings; the old file stays as terminal.toml.old."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation did."""

    settings: Path
    replaced: Path | None
    """Where the former settings are now."""
    authority_fingerprint: str


def request_certificates(folder: Path, name: str, mall: str) -> Request:
    """On the device: make record.key and tls.key and write request.json; AlreadyThere if the folder has any of them."""
    check_terminal_name(name)
    if not ids.is_name(mall):
        raise BadName("a mall is named by 1 to 20 characters of a-z, 0-9 and the hyphen")
    folder = make_folder(folder)
    refuse_existing(folder, (layout.RECORD_KEY, layout.TLS_KEY, layout.REQUEST, layout.SETTINGS))
    record, tls = FileKey.create(folder / layout.RECORD_KEY), FileKey.create(folder / layout.TLS_KEY)
    request = Request(
        mall=mall,
        terminal=name,
        record=make_request(record, common_name=name, unit=RECORD_UNIT),
        tls=make_request(tls, common_name=name, unit=TLS_UNIT),
    )
    write_new(folder / layout.REQUEST, write_bundle(request))
    return request


def sign_request(
    authority: Authority,
    request: Request,
    *,
    at: datetime,
    merchant: Merchant | None = None,
    fingerprint: str | None = None,
    replace_holder: bool = False,
) -> Answer:
    """At the authority: answer a request; BadBundle, BadName or NameTaken if it is refused.

    `fingerprint` is what the technician at the terminal reads out; `merchant` owns the terminal if the mall's does not.
    """
    require_fingerprint(request, fingerprint)
    name = request.terminal
    check_terminal_name(name)
    if request.mall != authority.mall.name:
        raise BadBundle(f"the request is for the mall {request.mall[:20]!r}, this is {authority.mall.name!r}")
    if _key_id(request.record, name, RECORD_UNIT) == _key_id(request.tls, name, TLS_UNIT):
        raise BadBundle("the request has one key for both purposes; a terminal has two")
    broker, settlement = authority.broker, authority.settlement_certificate
    record = authority.issue(request.record, Role.TERMINAL_RECORD, name, at=at, replace_holder=replace_holder)
    tls = authority.issue(request.tls, Role.TERMINAL_TLS, name, at=at, replace_holder=replace_holder)
    return Answer(
        mall=authority.mall.name,
        terminal=name,
        currency=authority.mall.currency,
        merchant=merchant or authority.mall.merchant,
        broker=broker,
        record_certificate=to_pem(record),
        tls_certificate=to_pem(tls),
        authority=to_pem(authority.certificate),
        settlement_certificate=to_pem(settlement),
    )


def install_answer(
    folder: Path,
    answer: Answer,
    *,
    at: datetime,
    choices: TerminalChoices | None = None,
    existing: Existing = Existing.REFUSE,
    fingerprint: str | None = None,
) -> Installed:
    """On the device: check that the answer fits the keys and itself, then write certificates and terminal.toml.

    KeyMissing before `request_certificates`, BadBundle or CertificateProblem for an answer that does not fit,
    AlreadyThere for a terminal.toml unless `existing` allows it.
    """
    require_fingerprint(answer, fingerprint)
    folder = make_folder(folder)
    certificates = _checked(folder, answer, at)
    settings = folder / layout.SETTINGS
    there = settings.exists()
    if there and existing is Existing.REFUSE:
        raise AlreadyThere(settings, "keep it with --keep-settings, or write a new one with --replace-settings")
    for name, certificate in certificates.items():
        replace(folder / name, to_pem(certificate))
    replaced = None
    if there and existing is Existing.REPLACE:
        replaced = settings.replace(settings.with_name(settings.name + ".old"))
    if not settings.exists():
        write_new(settings, terminal_settings(answer, choices or TerminalChoices()), mode=PRIVATE)
    return Installed(settings, replaced, write_fingerprint(certificates[layout.AUTHORITY]))


def provision_terminal(
    folder: Path,
    name: str,
    authority: Authority,
    *,
    at: datetime,
    merchant: Merchant | None = None,
    choices: TerminalChoices | None = None,
) -> Path:
    """Do all three steps on one machine, for a bench, and give terminal.toml."""
    request = request_certificates(folder, name, authority.mall.name)
    answer = sign_request(authority, request, at=at, merchant=merchant)
    return install_answer(folder, answer, at=at, choices=choices).settings


def _checked(folder: Path, answer: Answer, at: datetime) -> dict[str, x509.Certificate]:
    check_terminal_name(answer.terminal)
    authority = _certificate(answer.authority)
    record, tls = _certificate(answer.record_certificate), _certificate(answer.tls_certificate)
    settlement = _certificate(answer.settlement_certificate)
    for key_name, certificate, unit in ((layout.RECORD_KEY, record, RECORD_UNIT), (layout.TLS_KEY, tls, TLS_UNIT)):
        own = FileKey.load(folder / key_name)
        certified = check_certificate(certificate, authority, common_name=answer.terminal, unit=unit, at=at)
        if key_id_of(certified) != own.key_id:
            raise BadBundle(f"the answer is not for {folder / key_name}; bring the answer to this terminal's request")
    check_certificate(settlement, authority, common_name=topics.SETTLEMENT_USER, unit=SETTLEMENT_UNIT, at=at)
    return {
        layout.RECORD_CERTIFICATE: record,
        layout.TLS_CERTIFICATE: tls,
        layout.AUTHORITY: authority,
        layout.SETTLEMENT_CERTIFICATE: settlement,
    }


def _certificate(pem: str) -> x509.Certificate:
    return parse_certificate(pem.encode("utf-8", "replace"))


def _key_id(request: str, name: str, unit: str) -> bytes:
    return key_id_of(read_request(request, name, unit))
