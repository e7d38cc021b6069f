"""What can go wrong in settlement.

SettlementProblem
+-- SettingsWrong      settlement.toml says something that cannot be meant (also a ValueError)
+-- SomethingMissing   a file that the settings name is not there (also a FileNotFoundError)
+-- CannotListen       the address for phones is taken, not of this machine, or its certificate is of no use
+-- StoreUnusable      the database is not ours or of another version
+-- Unbalanced         postings that do not add up to zero; a mistake in the program (also an ArithmeticError)
+-- Overdrawn          an account would go below zero
+-- Refused            a message or request is refused, and nothing has changed (also a ValueError)
    +-- Suspicious     the same, and an operator must look into it: a fork, a second key
"""

from __future__ import annotations

from pathlib import Path


class SettlementProblem(Exception):
    """Something is wrong; the text tells what to do and shows nothing secret."""


class SettingsWrong(SettlementProblem, ValueError):
    """The settings name file and key that must change."""

    def __init__(self, path: Path, detail: str) -> None:
        self.path = path
        super().__init__(f"{path}: {detail}")


class SomethingMissing(SettlementProblem, FileNotFoundError):
    """A certificate, key or settings file is missing."""


class CannotListen(SettlementProblem):
    """Phones cannot be served at this address."""


class StoreUnusable(SettlementProblem):
    """The database cannot be used by this version."""


class Unbalanced(SettlementProblem, ArithmeticError):
    """An entry whose postings do not add up to zero is never written."""


class Overdrawn(SettlementProblem):
    """An account has less than what is asked of it."""

    def __init__(self, account: str) -> None:
        self.account = account
        super().__init__(f"{account} has not enough")


class Refused(SettlementProblem, ValueError):
    """Whoever sent this gets nothing for it; `reason` is a word for logs and answers."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        super().__init__(detail or reason)


class Suspicious(Refused):
    """A refusal that is kept as an alarm, with the message as evidence."""
