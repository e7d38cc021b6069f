"""Runs the application on uvicorn inside the terminal's own event loop, without its signal handlers and its logs.

ServeProblem
+-- PortTaken     the address is in use or not of this machine (also an OSError)
+-- BadTls        certificate or key cannot be used (also a ValueError)
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

from starlette.applications import Starlette
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 64
HEAD_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 3

_LONGEST_HEAD = 16 * 1024
_KEEP_ALIVE_S = 30


class ServeProblem(Exception):
    """The server cannot listen."""


class PortTaken(ServeProblem, OSError):
    """The address cannot be had."""

    def __init__(self, host: str, port: int, detail: str) -> None:
        super().__init__(f"cannot listen on {host} port {port}: {detail}; change [server] in the settings")


class BadTls(ServeProblem, ValueError):
    """Certificate or key are not usable."""


async def serve(
    app: Starlette,
    host: str,
    port: int,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Serve until cancelled; `ready` gets the port once it listens. Streams and long polls end at once then."""
    tls = _tls_of(certificate, key)
    listener = _listen(host, port)
    server = _Server(_config(app, tls), ready)
    running = asyncio.create_task(server.serve([listener]), name="http server")
    try:
        await asyncio.shield(running)
    finally:
        app.state.live.close()
        server.should_exit = True
        await running


class _Server(Server):
    """A server that leaves signals to the terminal."""

    def __init__(self, config: Config, ready: Callable[[int], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: the terminal decides when to stop."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell that it listens."""
        await super().startup(sockets)
        if self._ready and sockets:
            self._ready(sockets[0].getsockname()[1])


class _Protocol(H11Protocol):
    """HTTP/1.1 that does not wait for ever for a request's first lines."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of an unfinished head do not lengthen the wait."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._head_timer is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the wait."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _config(app: Starlette, tls: ssl.SSLContext | None) -> Config:
    return Config(
        app,
        loop="none",
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_TIMEOUT_S,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        ssl_context_factory=(lambda _config, _default: tls) if tls else None,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(host, port, error.strerror or str(error)) from error
    return listener


def _tls_of(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise BadTls(f"{certificate} and {key} cannot be used for TLS: {error}") from error
    return context
