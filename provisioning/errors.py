"""What can go wrong while a mall is provisioned; keys and certificates have their own tree in `keys.port`.

ProvisioningProblem
+-- AlreadyThere    a file would be overwritten (also a FileExistsError)
+-- NotThere        something that must be made first is missing (also a FileNotFoundError)
+-- BadName         a name, address or amount that the mall cannot use (also a ValueError)
+-- BadBundle       a request or an answer that is damaged, foreign or does not fit (also a ValueError)
+-- NameTaken       another key already has a certificate for this name
+-- BadSettings     a settings file that cannot be read (also a ValueError)
"""

from __future__ import annotations

from pathlib import Path


class ProvisioningProblem(Exception):
    """Provisioning stopped and changed nothing that was there; the text tells what to do."""


class AlreadyThere(ProvisioningProblem, FileExistsError):
    """A file is there and is not overwritten."""

    def __init__(self, path: Path, advice: str = "move it away first") -> None:
        self.path = path
        super().__init__(f"{path} is there and is not overwritten; {advice}")


class NotThere(ProvisioningProblem, FileNotFoundError):
    """An earlier step has not been done."""

    def __init__(self, path: Path, advice: str) -> None:
        self.path = path
        super().__init__(f"there is no {path}; {advice}")


class BadName(ProvisioningProblem, ValueError):
    """A name or address breaks a rule, which the text tells."""


class BadBundle(ProvisioningProblem, ValueError):
    """A request or answer is refused."""


class NameTaken(ProvisioningProblem):
    """A certificate for this name was issued to another key and is still good."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name} has a certificate for another key; choose another name, or replace it knowingly (--replace)"
            " and revoke the old one in settlement.toml"
        )


class BadSettings(ProvisioningProblem, ValueError):
    """A settings file says something that cannot be meant."""

    def __init__(self, path: Path, detail: str) -> None:
        self.path = path
        super().__init__(f"{path}: {detail}")
