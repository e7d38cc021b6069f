"""What can be wrong with a message.

ProtocolProblem (a ValueError)
+-- Malformed          not the bytes that the protocol writes
+-- Forged             the signature is not of the expected key
+-- BrokenChain        a record does not follow the one before it
+-- BadToken           a wallet token or challenge that is none
"""

from __future__ import annotations


class ProtocolProblem(ValueError):
    """A message is refused; the text says why and shows nothing of its content."""


class Malformed(ProtocolProblem):
    """The bytes are not what the protocol writes."""


class Forged(ProtocolProblem):
    """The signature does not fit."""


class BrokenChain(ProtocolProblem):
    """A record does not follow the one before it."""

    def __init__(self, number: int, detail: str) -> None:
        self.number = number
        super().__init__(f"record {number} {detail}")


class BadToken(ProtocolProblem):
    """A wallet token or a challenge is not well-formed or not genuine."""
