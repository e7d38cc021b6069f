"""What a phone must not forget between two runs: the second of its last token, and the orders it has sent.

A token names its second and is good once, so no second is given out twice. An order whose answer was lost is asked
again with the same id, also after a restart. Several processes may share the file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from keys.private_file import write_private
from protocol.tokens import FRESH_S
from wallet.errors import AccountDamaged

MOST_ORDERS = 100
"""Older orders are forgotten; settlement knows them all."""


class _Remembered(msgspec.Struct, forbid_unknown_fields=True):
    last_token_s: int = 0
    orders: dict[str, str] = {}


class Memory:
    """The memory of one account, in a file of mode 0600."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def next_second(self, now_s: int) -> int:
        """Give the first second from now on in which no token was made.

        A second far ahead of the clock tells that the clock was set back, and is not waited for.
        """
        with self._opened() as remembered:
            last = remembered.last_token_s
            second = now_s if last > now_s + FRESH_S else max(now_s, last + 1)
            remembered.last_token_s = second
        return second

    def knows(self, bill: str) -> bool:
        """Tell whether an order of this bill was sent and not declined."""
        with self._opened() as remembered:
            return bill in remembered.orders

    def order_of(self, bill: str, fresh: str) -> tuple[str, bool]:
        """Give the order of a bill and whether it was there before; else keep `fresh`."""
        with self._opened() as remembered:
            known = remembered.orders.get(bill)
            if known is not None:
                return known, True
            remembered.orders[bill] = fresh
            for old in list(remembered.orders)[:-MOST_ORDERS]:
                del remembered.orders[old]
        return fresh, False

    def forget_order(self, bill: str) -> None:
        """Let the next order of this bill have a new id."""
        with self._opened() as remembered:
            remembered.orders.pop(bill, None)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[_Remembered]:
        with self._lock, self._locked_file():
            remembered = self._read()
            before = msgspec.json.encode(remembered)
            yield remembered
            after = msgspec.json.encode(remembered)
            if after != before:
                write_private(self._path, after)

    @contextlib.contextmanager
    def _locked_file(self) -> Iterator[None]:
        descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _read(self) -> _Remembered:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Remembered)
        except FileNotFoundError:
            return _Remembered()
        except msgspec.DecodeError as error:
            raise AccountDamaged(
                f"{self._path} is damaged; move it away, then open payments are not repeated"
            ) from error
