"""What can go wrong on a shopper's phone.

WalletProblem
+-- AccountMissing      no account in this folder yet (also a FileNotFoundError)
+-- AccountExists       an account would be overwritten (also a FileExistsError)
+-- AccountDamaged      the account file cannot be used (also a ValueError)
+-- NotPayable          what was scanned or heard is not of a terminal, or no picture at all (also a ValueError)
+-- BadSettings         an address or certificate that cannot be used (also a ValueError)
+-- SettlementProblem
    +-- Unreachable     nothing was sent, nothing happened (also a ConnectionError)
    +-- Untrusted       the other side is not the mall's settlement (also a ConnectionError)
    +-- AnswerLost      it was sent and no answer came: the outcome is unknown (also a ConnectionError)
    +-- Refused         settlement said no, and changed nothing
    +-- Unintelligible  settlement answered what no settlement answers (also a ValueError)
"""

from __future__ import annotations

from typing import ClassVar


class WalletProblem(Exception):
    """Something does not work on the phone; the text tells what to do and shows no secret."""

    kind: ClassVar[str] = "problem"
    """A word for programs and pages, which have texts of their own for it."""

    def described(self) -> dict[str, str]:
        """Give what a page needs to say it in its own language."""
        return {"problem": self.kind, "message": str(self)}


class AccountMissing(WalletProblem, FileNotFoundError):
    """There is no account."""

    kind = "account-missing"


class AccountExists(WalletProblem, FileExistsError):
    """There is an account already."""

    kind = "account-exists"


class AccountDamaged(WalletProblem, ValueError):
    """The account file is not one, or others may read it."""

    kind = "account-damaged"


class NotPayable(WalletProblem, ValueError):
    """What was scanned or heard cannot be paid."""

    kind = "not-payable"


class BadSettings(WalletProblem, ValueError):
    """An address, certificate or file was given that cannot be used."""

    kind = "settings"


class SettlementProblem(WalletProblem):
    """The way to settlement fails."""

    kind = "settlement"


class Unreachable(SettlementProblem, ConnectionError):
    """Settlement was not reached, so nothing happened."""

    kind = "unreachable"


class Untrusted(SettlementProblem, ConnectionError):
    """The certificate of the other side is not of the mall's authority."""

    kind = "untrusted"


class AnswerLost(SettlementProblem, ConnectionError):
    """The request may have been carried out; ask again with the same id."""

    kind = "answer-lost"


class Refused(SettlementProblem):
    """Settlement refused the request and changed nothing."""

    kind = "refused"

    def __init__(self, status: int, reason: str, sentence: str) -> None:
        self.status = status
        self.reason = reason
        """A word of settlement for why."""
        super().__init__(f"settlement refused: {sentence}")

    def described(self) -> dict[str, str]:
        """Give what a page needs to say it in its own language."""
        return {**super().described(), "reason": self.reason}


class Unintelligible(SettlementProblem, ValueError):
    """The answer is not what settlement answers."""

    kind = "unintelligible"
