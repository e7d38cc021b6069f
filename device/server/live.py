"""Lets answers wait for changes: long polls of registers and event streams of pages. All end at once when closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import msgspec
from starlette.responses import StreamingResponse

from device.guide import Guide
from device.payment.views import CounterView, Desk
from device.server.pairing import Pairing
from device.server.problems import Refusal
from device.server.sections import Section
from device.server.shown import Json

HEARTBEAT_S = 10.0
FIGURES_S = 0.25
MOST_STREAMS = 16

_RETRY = b"retry: 1000\n\n"
_BEAT = b": beat\nevent: beat\ndata: {}\n\n"


class Watch:
    """One waiting answer: the latest view, and whether something has changed since it last looked."""

    def __init__(self, view: CounterView) -> None:
        self.view = view
        self._changed = asyncio.Event()

    def tell(self, view: CounterView | None = None) -> None:
        """Note a change; several before the answer looks count as one, so a slow reader costs no memory."""
        self.view = view or self.view
        self._changed.set()

    async def wait(self, timeout_s: float) -> bool:
        """Wait for a change; False if none came in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True


class Live:
    """Hands changes of counter, pairing and guide to all waiting answers."""

    def __init__(self, desk: Desk, pairing: Pairing, guide: Guide) -> None:
        self._desk = desk
        self._pairing = pairing
        self._guide = guide
        self._watches: set[Watch] = set()
        self._streams = 0
        self._is_closed = False

    def close(self) -> None:
        """End all waiting answers, and let none wait any more."""
        self._is_closed = True
        for watch in self._watches:
            watch.tell()

    async def until_changed(self, show: Callable[[], Json], seen: str, wait_s: float) -> Json:
        """Show something as soon as its version is not the seen one, or it is final, or the time is over.

        Without a seen version, the present one counts as seen.
        """
        deadline = asyncio.get_running_loop().time() + wait_s
        with self._watching() as watch:
            shown = show()
            seen = seen or shown["version"]
            while not (shown["final"] or shown["version"] != seen or self._is_closed):
                if not await watch.wait(deadline - asyncio.get_running_loop().time()):
                    break
                shown = show()
            return shown

    def stream(self, show: Callable[[CounterView], Json], sections: Sequence[Section] = ()) -> StreamingResponse:
        """Answer with server-sent events: the view now, and after every change; a Refusal if there are too many.

        The figures of sections come in between, several times a second, as an event of their own.
        """
        if self._streams >= MOST_STREAMS or self._is_closed:
            raise Refusal(503, "too-many", "too many pages are open; close one")
        return StreamingResponse(self._events(show, sections), media_type="text/event-stream")

    async def _events(self, show: Callable[[CounterView], Json], sections: Sequence[Section]) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            yield _RETRY
            with ExitStack() as stack:
                watch = stack.enter_context(self._watching())
                for section in sections:
                    stack.enter_context(section.watched())
                while not self._is_closed:
                    yield _event("view", show(watch.view))
                    while not await watch.wait(FIGURES_S if sections else HEARTBEAT_S):
                        yield _event("figures", {each.name: each.figures() for each in sections}) if sections else _BEAT
        finally:
            self._streams -= 1

    @contextmanager
    def _watching(self) -> Iterator[Watch]:
        watch = Watch(self._desk.view())
        self._watches.add(watch)
        ends = (
            self._desk.subscribe(watch.tell),
            self._pairing.subscribe(watch.tell),
            self._guide.subscribe(lambda _: watch.tell()),
        )
        try:
            yield watch
        finally:
            self._watches.discard(watch)
            for end in ends:
                end()


def _event(name: str, shown: Json) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(shown) + b"\n\n"
