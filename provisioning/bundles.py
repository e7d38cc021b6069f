"""The two files that travel between a new terminal and the authority: a request there, an answer back.

Neither holds anything secret. Both have a fingerprint that two people can compare by telephone, so that nobody can
exchange the file on its way.
"""

from __future__ import annotations

import hashlib
from typing import Literal, TypeVar

import msgspec

from provisioning.errors import BadBundle
from provisioning.mall import BrokerAddress, Merchant

_Bundle = TypeVar("_Bundle", "Request", "Answer")


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A terminal asks the authority of a mall for its two certificates."""

    kind: Literal["tillwave terminal request"] = "tillwave terminal request"
    version: Literal[1] = 1
    mall: str
    terminal: str
    record: str
    """PKCS #10 request in PEM, for the key that signs records."""
    tls: str
    """PKCS #10 request in PEM, for the key of the connection."""

    @property
    def fingerprint(self) -> str:
        """Name the request for people: eight groups of four hexadecimal digits."""
        return _fingerprint(self)


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The authority gives a terminal its certificates and what it must know of the mall."""

    kind: Literal["tillwave terminal answer"] = "tillwave terminal answer"
    version: Literal[1] = 1
    mall: str
    terminal: str
    currency: str
    merchant: Merchant
    broker: BrokerAddress
    record_certificate: str
    tls_certificate: str
    authority: str
    settlement_certificate: str

    @property
    def fingerprint(self) -> str:
        """Name the answer for people: eight groups of four hexadecimal digits."""
        return _fingerprint(self)


def write_bundle(bundle: Request | Answer) -> str:
    """Write a request or answer as JSON with a line for each field."""
    return msgspec.json.format(msgspec.json.encode(bundle), indent=2).decode() + "\n"


def read_request_bundle(data: bytes) -> Request:
    """Read a request without believing it; BadBundle if it is none."""
    return _read(data, Request)


def read_answer(data: bytes) -> Answer:
    """Read an answer without believing it; BadBundle if it is none."""
    return _read(data, Answer)


def require_fingerprint(bundle: Request | Answer, fingerprint: str | None) -> None:
    """Raise BadBundle if a fingerprint was told and is not that of the bundle; spaces and case do not matter."""
    if fingerprint is None:
        return
    if "".join(fingerprint.split()).lower() != bundle.fingerprint.replace(" ", ""):
        raise BadBundle(f"the fingerprint of the file is {bundle.fingerprint}; it was exchanged or is the wrong one")


def _read(data: bytes, kind: type[_Bundle]) -> _Bundle:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBundle(f"this is no {kind.__name__.lower()} of tillwave provision: {error}") from error


def _fingerprint(bundle: Request | Answer) -> str:
    digits = hashlib.sha256(msgspec.json.encode(bundle)).hexdigest()[:32]
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
