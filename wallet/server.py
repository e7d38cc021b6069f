"""Serves a phone's page: plain on this machine, elsewhere over HTTPS, because browsers give the camera to no other."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from cryptography import x509

from protocol import ids
from wallet.desk import Desk
from wallet.errors import BadSettings
from wallet.phone import Phone
from wallet.ports import Randomness, SystemRandomness
from wallet.web import make_app

LOOPBACK = "127.0.0.1"
KEY_BYTES = 20
START_S = 10.0
MOST_REQUESTS = 40


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the page is served. BadSettings if browsers would give it no camera there."""

    host: str = LOOPBACK
    port: int = 0
    """0 takes any free one."""
    certificate: Path | None = None
    """PEM, with the names in it under which the page may be opened."""
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise BadSettings("give both --certificate and --key, or neither")
        if self.certificate is None and not _is_loopback(self.host):
            raise BadSettings("away from this machine browsers need HTTPS; give --certificate and --key")

    @property
    def scheme(self) -> str:
        """The first part of the address."""
        return "http" if self.certificate is None else "https"

    def names(self) -> list[str]:
        """Give the names under which the page may be opened, the best first."""
        named = [] if self.certificate is None else _names_in(self.certificate)
        own = [] if self.host in ("0.0.0.0", "::") else [_as_host(self.host)]  # noqa: S104 asked for, with a certificate
        return list(dict.fromkeys([*own, *named, LOOPBACK, "localhost", "[::1]"]))


class WalletServer:
    """The page of one phone on a thread of its own; stop it twice if you like."""

    def __init__(self, phone: Phone, listening: Listening | None = None, randomness: Randomness | None = None) -> None:
        self._desk = Desk(phone)
        self._listening = listening or Listening()
        self._key = ids.encode_base32((randomness or SystemRandomness()).draw(KEY_BYTES)).lower()
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve; BadSettings if address or certificate cannot be used."""
        names = self._listening.names()
        self._socket = _bound(self._listening)
        try:
            self._server = uvicorn.Server(self._config(names))
        except (OSError, ssl.SSLError) as error:
            self.stop()
            raise BadSettings("the certificate and key for the page cannot be used; both are PEM files") from error
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="wallet page", daemon=True
        )
        self._thread.start()
        self._wait_until_started(self._server, self._thread)

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
        self._server = self._thread = self._socket = None

    @property
    def base(self) -> str:
        """The address without the key."""
        return f"{self._listening.scheme}://{self._hosts(self._listening.names())[0]}"

    @property
    def key(self) -> str:
        """What opens the interface, for programs that speak to it without a page."""
        return self._key

    @property
    def address(self) -> str:
        """The address to open in a browser, with the key in its fragment."""
        return f"{self.base}/#key={self._key}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<WalletServer {'stopped' if self._socket is None else self.base}>"

    def _hosts(self, names: Sequence[str]) -> list[str]:
        if self._socket is None:
            raise RuntimeError("the page is not served; call start first")
        port = self._socket.getsockname()[1]
        usual = {"http": 80, "https": 443}[self._listening.scheme]
        return [name if port == usual else f"{name}:{port}" for name in names]

    def _config(self, names: Sequence[str]) -> uvicorn.Config:
        listening = self._listening
        app = make_app(self._desk, scheme=listening.scheme, hosts=self._hosts(names), key=self._key)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            limit_concurrency=MOST_REQUESTS,
            timeout_graceful_shutdown=2,
            ssl_certfile=listening.certificate,
            ssl_keyfile=listening.key,
        )
        config.load()
        return config

    def _wait_until_started(self, server: uvicorn.Server, thread: threading.Thread) -> None:
        deadline = time.monotonic() + START_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise BadSettings("the page could not be served; see the log")
            time.sleep(0.01)


def _bound(listening: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((listening.host, listening.port))
    except OSError as error:
        bound.close()
        raise BadSettings(f"{listening.host} port {listening.port} cannot be used: {error.strerror}") from error
    return bound


def _names_in(certificate: Path) -> list[str]:
    with _readable(certificate):
        first = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    domains = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    return domains + [_as_host(str(address)) for address in names.get_values_for_type(x509.IPAddress)]


@contextlib.contextmanager
def _readable(certificate: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, IndexError) as error:
        raise BadSettings(f"{certificate} is not a certificate in PEM form") from error
    except x509.ExtensionNotFound as error:
        raise BadSettings(f"{certificate} names no host (subjectAltName), so no browser trusts it") from error


def _as_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
