"""Runs the application for phones on uvicorn, in a thread."""

from __future__ import annotations

import logging
import socket
import threading

import uvicorn
from starlette.applications import Starlette

from settlement.config import HttpSettings
from settlement.errors import CannotListen, SomethingMissing

log = logging.getLogger(__name__)

_BACKLOG = 128
_KEEP_ALIVE_S = 15
_MOST_AT_ONCE = 200


class Listener:
    """One server; `start` returns when it listens, `stop` when it is quiet."""

    def __init__(self, settings: HttpSettings, app: Starlette) -> None:
        self._settings = settings
        self._app = app
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._port = settings.port

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    def start(self) -> None:
        """Listen; CannotListen or SomethingMissing when that is not possible."""
        if self._server is not None:
            return
        uvicorn_settings = self._uvicorn_settings()
        sockets = [self._bind()]
        self._server = uvicorn.Server(uvicorn_settings)
        self._thread = threading.Thread(target=self._server.run, args=(sockets,), name="phones", daemon=True)
        self._thread.start()
        log.info("phones are served on %s:%d", self._settings.listen, self._port)

    def stop(self) -> None:
        """Finish what is being answered, and stop."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._server = self._thread = None

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._settings.listen else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((self._settings.listen, self._settings.port))
            opened.listen(_BACKLOG)
        except OSError as error:
            opened.close()
            raise CannotListen(f"cannot listen on {self._settings.listen}:{self._settings.port}: {error}") from error
        self._port = opened.getsockname()[1]
        return opened

    def _uvicorn_settings(self) -> uvicorn.Config:
        for path in (self._settings.certificate, self._settings.key):
            if path is not None and not path.exists():
                raise SomethingMissing(f"there is no file {path}; run: tillwave provision settlement")
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=3,
            limit_concurrency=_MOST_AT_ONCE,
            ssl_certfile=self._settings.certificate,
            ssl_keyfile=self._settings.key,
        )
        try:
            config.load()
        except OSError as error:
            raise CannotListen(f"{self._settings.certificate} and its key do not serve HTTPS: {error}") from error
        return config
