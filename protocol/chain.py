"""The hash chain of one terminal: every record names the SHA-256 of the signed bytes of the one before it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from protocol.errors import BrokenChain
from protocol.records import Record

BEGINNING = bytes(32)
"""What the first record names as its predecessor."""


def link(message: bytes) -> bytes:
    """Give the hash by which the next record names this signed one."""
    return hashlib.sha256(message).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record of a chain."""

    number: int = 0
    hash: bytes = BEGINNING

    def follow(self, record: Record, message: bytes) -> Head:
        """Give the head after `record`; BrokenChain for a gap, a repetition or a fork."""
        if record.number != self.number + 1:
            raise BrokenChain(record.number, f"does not follow record {self.number}")
        if record.previous != self.hash:
            raise BrokenChain(record.number, "names another predecessor: the chain is forked")
        return Head(record.number, link(message))
