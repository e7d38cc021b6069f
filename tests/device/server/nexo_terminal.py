"""The nexo listener of a terminal on a free port, over a desk that the test plays."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from memory_desk import MemoryDesk
from nexo_register import NexoRegister

from device.ports import SystemClock, SystemRandomness
from device.server.nexo.listener import NexoListener, NexoPlace


class NexoTerminal:
    """The listener on a free port, over a desk that the test plays."""

    def __init__(self, state: Path, port: int = 0) -> None:
        self.state, self.port = state, port
        self.desk = MemoryDesk()
        self.pool = ThreadPoolExecutor(8)
        self.registers: list[NexoRegister] = []
        self.start()

    def start(self) -> None:
        place = NexoPlace(terminal="till-1", state=self.state, host="127.0.0.1", port=self.port)
        self.listener = NexoListener(self.desk, place, clock=SystemClock(), randomness=SystemRandomness())
        self.listener.start()
        self._began, self._is_cancelled = threading.Event(), False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._began.wait(5)
        while not self.do(lambda: self.listener.port):
            threading.Event().wait(0.02)

    def stop(self) -> None:
        for register in self.registers:
            register.http.close()
        self.loop.call_soon_threadsafe(self.cancel)
        self._thread.join(30)
        assert not self._thread.is_alive()

    def cancel(self) -> None:
        if not self._is_cancelled:
            self._is_cancelled = True
            self._running.cancel()

    def pair(self, name: str = "ECR-7") -> NexoRegister:
        introduction = self.do(lambda: self.listener.introduce(name))
        self.registers.append(NexoRegister(introduction))
        return self.registers[-1]

    def do(self, action: Any) -> Any:
        done: Future[Any] = Future()

        def run() -> None:
            try:
                done.set_result(action())
            except Exception as error:  # noqa: BLE001 - given to whoever waits
                done.set_exception(error)

        self.loop.call_soon_threadsafe(run)
        return done.result(5)

    def later(self, call: Any, *arguments: Any, **more: Any) -> Future[Any]:
        return self.pool.submit(call, *arguments, **more)

    def running(self) -> str:
        """Wait for a sale that holds the counter, and name it."""
        began = threading.Event()
        self.do(lambda: self.desk.subscribe(lambda _view: began.set()))
        for _ in range(500):
            sale = self.do(self.desk.view).sale
            if sale is not None and not sale.phase.is_final:
                return str(sale.sale)
            began.wait(0.02)
        raise AssertionError("no sale has begun")

    def decide(self, state: str) -> None:
        """Wait for an open refund, and decide about it."""
        for _ in range(500):
            for (register, request), (_, view) in tuple(self.desk.refunds.items()):
                if view.state == "unknown":
                    self.do(partial(self.desk.decide_refund, register, request, state, "too-much"))
                    return
            threading.Event().wait(0.02)
        raise AssertionError("no refund has begun")

    async def _run(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._running = asyncio.create_task(self.listener.run())
        self._began.set()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running
