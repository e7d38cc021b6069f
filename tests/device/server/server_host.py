"""A real server on a free loopback port, in a thread with its own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

import httpx
from memory_desk import MemoryDesk

from device.guide import Guide
from device.ports import SystemClock, SystemRandomness
from device.server.app import make_app
from device.server.pairing import Pairing
from device.server.sections import Fitted, Section
from device.server.serve import serve
from device.server.settings import ServerSettings


class Host:
    def __init__(
        self,
        state: Path,
        desk: MemoryDesk | None = None,
        *,
        fitted: Sequence[Fitted] = (),
        sections: Sequence[Section] = (),
        **settings: Any,
    ) -> None:
        self.state = state
        self.desk = desk or MemoryDesk()
        self.pairing = Pairing(state, SystemClock(), SystemRandomness())
        self.guide = Guide()
        self.settings = ServerSettings(shop="潮汐百货", **settings)
        self.fitted, self.sections = fitted, sections
        self.port = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._listens = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self.pairing.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._listens.clear()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._listens.wait(5)

    def stop(self) -> None:
        if self._thread.is_alive():
            assert self._loop is not None
            assert self._serving is not None
            self._loop.call_soon_threadsafe(self._serving.cancel)
            self._thread.join(60)
            assert not self._thread.is_alive()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def do(self, action: Callable[[MemoryDesk], Any]) -> Any:
        """Do something with the desk where the server works with it."""
        done: Future[Any] = Future()

        def run() -> None:
            try:
                done.set_result(action(self.desk))
            except Exception as error:  # noqa: BLE001 - given to whoever waits
                done.set_exception(error)

        assert self._loop is not None
        self._loop.call_soon_threadsafe(run)
        return done.result(60)

    def later(self, seconds: float, action: Callable[[MemoryDesk], Any]) -> None:
        assert self._loop is not None
        loop = self._loop
        loop.call_soon_threadsafe(lambda: loop.call_later(seconds, action, self.desk))

    def open_pairing(self) -> str:
        return str(self.do(lambda _desk: self.pairing.open()))

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=60, **options)

    def register(self, name: str = "register-1") -> httpx.Client:
        """Give a client that has paired as a register."""
        with self.client() as stranger:
            answer = stranger.post("/register/pair", json={"code": self.open_pairing(), "name": name})
        assert answer.status_code == 201, answer.text
        return self.client(headers={"authorization": f"Bearer {answer.json()['key']}"})

    def page(self) -> httpx.Client:
        """Give a client that holds the cookie of a cashier's page."""
        return self._paired("/cashier/pair")

    def technician(self) -> httpx.Client:
        """Give a client that holds the cookie of a technician's page."""
        return self._paired("/technician/pair")

    def _paired(self, path: str) -> httpx.Client:
        with self.client() as stranger:
            assert stranger.post(path, json={"code": self.open_pairing()}).status_code == 204
            return self.client(cookies=stranger.cookies)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        app = make_app(
            self.desk,
            self.pairing,
            self.settings,
            fitted=self.fitted,
            sections=self.sections,
            guide=self.guide,
        )
        self._serving = asyncio.create_task(serve(app, "127.0.0.1", self.port, ready=self._ready))
        with contextlib.suppress(asyncio.CancelledError):
            await self._serving

    def _ready(self, port: int) -> None:
        self.port = port
        self._listens.set()
