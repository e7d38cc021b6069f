"""Why a nexo message gets no answer of its kind.

NexoProblem
+-- NotGenuine     unknown key, wrong padding, wrong MAC, headers that differ: all the same to the sender
+-- BadMessage     genuine, and yet not to be understood (also a ValueError)
+-- CannotListen   the listener's certificate cannot be made (also an OSError)
"""

from __future__ import annotations


class NexoProblem(Exception):
    """A message that changes nothing."""


class NotGenuine(NexoProblem):
    """Nobody who is paired has sent this."""

    def __init__(self) -> None:
        super().__init__("the message was not made with a passphrase of this terminal")


class BadMessage(NexoProblem, ValueError):
    """The message makes no sense; the text says where."""


class CannotListen(NexoProblem, OSError):
    """There is no certificate to listen with."""
