"""Settlement's side for phones over HTTPS: messages sealed by the phone go up, JSON comes back.

What a lost connection means differs: before anything was sent nothing happened, afterwards the outcome is unknown.
"""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx
import msgspec

from protocol.money import Money
from protocol.tokens import Challenge
from wallet.errors import AnswerLost, BadSettings, Refused, Unintelligible, Unreachable, Untrusted

MEDIA_TYPE = "application/cose"
CONNECT_S = 4.0
ANSWER_S = 8.0
"""Settlement waits a few seconds for its acquirers before it answers."""
LONGEST_ANSWER = 1 << 20

_Answer = TypeVar("_Answer")


class Verdict(Enum):
    """What became of an order."""

    APPROVED = "approved"
    DECLINED = "declined"
    PENDING = "pending"
    """The shopper still has to do something, or the decision takes longer; ask again."""
    UNKNOWN = "unknown"
    """No answer came; ask again with the same order."""


@dataclass(frozen=True, slots=True, repr=False)
class Enrolled:
    """What settlement gives to a phone for its one-time code."""

    alias: bytes
    secret: bytes
    voucher: bytes
    name: str
    currency: str

    def __repr__(self) -> str:
        return f"<Enrolled {self.name!r}>"


class OrderAnswer(msgspec.Struct, frozen=True):
    """Settlement's answer to an order."""

    verdict: Verdict
    amount: Money
    reason: str = ""


class Offered(msgspec.Struct, frozen=True):
    """What settlement knows of a sale that a challenge names."""

    amount: Money
    merchant: str = ""


class Coupon(msgspec.Struct, frozen=True):
    """A coupon of the account: the text of its code, and what it is good for."""

    code: str
    label: str


class Payment(msgspec.Struct, frozen=True):
    """One of the last payments."""

    sale: str
    at_ms: int
    amount: Money
    verdict: str
    merchant: str = ""
    refunded: Money | None = None
    """How much of it was given back."""


class Statement(msgspec.Struct, frozen=True):
    """Where the account stands."""

    balance: Money
    voucher: str
    coupons: list[Coupon] = []
    member: str | None = None
    payments: list[Payment] = []


class _EnrolledFile(msgspec.Struct):
    alias: str
    secret: str
    voucher: str
    name: str
    currency: str

    def __repr__(self) -> str:
        return f"<_EnrolledFile {self.name!r}>"


class _RefusalFile(msgspec.Struct):
    error: str
    message: str


class SettlementClient:
    """Speaks with settlement; use as a context manager or call `close`."""

    def __init__(self, url: str, ca: Path | None) -> None:
        """Raise BadSettings unless `url` is https (http on this machine alone) and `ca` a certificate."""
        base = _checked(url)
        verify = _trusting(ca) if base.scheme == "https" else False
        limits = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
        self._http = httpx.Client(base_url=base, verify=verify, timeout=limits, trust_env=False)

    def enrol(self, sealed: bytes) -> Enrolled:
        """Bring a sealed Enrolment."""
        file = self._post("/phone/enrol", sealed, _EnrolledFile)
        try:
            alias, secret, voucher = (bytes.fromhex(text) for text in (file.alias, file.secret, file.voucher))
        except ValueError as error:
            raise Unintelligible("settlement's answer to the enrolment cannot be read") from error
        return Enrolled(alias, secret, voucher, file.name, file.currency)

    def order(self, sealed: bytes) -> OrderAnswer:
        """Bring a sealed Order; AnswerLost means that it may be paid."""
        return self._post("/phone/order", sealed, OrderAnswer)

    def statement(self, sealed: bytes) -> Statement:
        """Bring a sealed StatementRequest."""
        return self._post("/phone/statement", sealed, Statement)

    def offer(self, challenge: Challenge) -> Offered:
        """Ask what the sale of a challenge costs; Refused if settlement does not know it."""
        parameters = {"terminal": challenge.terminal, "sale": challenge.sale}
        return self._exchange(self._http.build_request("GET", "/phone/offer", params=parameters), Offered)

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _post(self, path: str, sealed: bytes, kind: type[_Answer]) -> _Answer:
        headers = {"Content-Type": MEDIA_TYPE}
        return self._exchange(self._http.build_request("POST", path, content=sealed, headers=headers), kind)

    def _exchange(self, request: httpx.Request, kind: type[_Answer]) -> _Answer:
        with _translated():
            answer = self._http.send(request)
        if not answer.is_success:
            raise _refusal(answer)
        if len(answer.content) > LONGEST_ANSWER:
            raise Unintelligible(f"settlement's answer has more than {LONGEST_ANSWER} bytes")
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.DecodeError as error:
            raise Unintelligible(f"settlement's answer to {request.url.path} cannot be read") from error


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        if _is_about_certificate(error):
            raise Untrusted(
                "settlement's certificate is not of the mall's authority; enrol with --ca ca.crt"
            ) from error
        raise Unreachable("settlement cannot be reached; check the network, then try again") from error
    except httpx.TransportError as error:
        raise AnswerLost("no answer came from settlement; try again, nothing is paid twice") from error


def _is_about_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _refusal(answer: httpx.Response) -> Exception:
    status = answer.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unreachable("settlement was asked too often from here; wait a minute, then try again")
    if answer.is_server_error:
        return AnswerLost(f"settlement could not answer now (HTTP {status}); try again, nothing is paid twice")
    try:
        said = msgspec.json.decode(answer.content, type=_RefusalFile)
    except msgspec.DecodeError:
        said = _RefusalFile("http", f"HTTP {status} {answer.reason_phrase}")
    return Refused(status, said.error, said.message)


def _checked(url: str) -> httpx.URL:
    try:
        base = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise BadSettings("settlement's address is not a URL such as https://settlement.mall:8443") from error
    if base.scheme == "https" and base.host:
        return base
    if base.scheme == "http" and _is_this_machine(base.host):
        return base
    raise BadSettings("settlement's address begins with https:// (http:// is for 127.0.0.1 alone)")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _trusting(ca: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise BadSettings(f"{ca} is not the certificate of an authority in PEM form") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
