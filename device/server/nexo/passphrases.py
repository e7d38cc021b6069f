"""Passphrases of paired registers: made here, kept in one private file, two versions while a register changes over."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec

from device.ports import Clock, Randomness
from device.server.keyring import KeyringDamaged
from device.server.nexo.crypto import MessageKeys, derive_keys
from device.server.nexo.problems import NotGenuine
from keys.private_file import write_private

_VERSIONS = 2
_PASSPHRASE_BYTES = 24


class Passphrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of a register's passphrase."""

    register: str
    identifier: str
    version: int
    text: str
    paired_ms: int
    """Wall time."""

    def __repr__(self) -> str:
        """Leave out the passphrase."""
        return f"<Passphrase {self.version} of {self.register!r}>"


class Passphrases:
    """Gives passphrases at pairing, and finds their keys again."""

    def __init__(self, path: Path, terminal: str, clock: Clock, randomness: Randomness) -> None:
        self._path = path
        self._terminal = terminal
        self._clock = clock
        self._randomness = randomness
        self._kept: tuple[Passphrase, ...] = ()
        self._keys: dict[Passphrase, MessageKeys] = {}

    def start(self) -> None:
        """Read the file; nobody has paired if there is none. KeyringDamaged if it is not a list of passphrases."""
        try:
            self._kept = msgspec.json.decode(self._path.read_bytes(), type=tuple[Passphrase, ...])
        except FileNotFoundError:
            self._kept = ()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise KeyringDamaged(f"{self._path} is damaged; delete it and pair the registers anew") from error

    def issue(self, register: str) -> Passphrase:
        """Make the next version for a register; the one before it stays good, older ones end."""
        own = sorted((each for each in self._kept if each.register == register), key=lambda each: each.version)
        issued = Passphrase(
            register=register,
            identifier=f"{self._terminal}-{register}",
            version=own[-1].version + 1 if own else 1,
            text=base64.urlsafe_b64encode(self._randomness.token_bytes(_PASSPHRASE_BYTES)).decode(),
            paired_ms=self._clock.wall().ms,
        )
        others = tuple(each for each in self._kept if each.register != register)
        kept = (*others, *own[-(_VERSIONS - 1) :], issued)
        write_private(self._path, msgspec.json.encode(kept))
        self._kept = kept
        return issued

    def find(self, identifier: str, version: int) -> Passphrase:
        """Find a version; NotGenuine if there is none."""
        for each in self._kept:
            if (each.identifier, each.version) == (identifier, version):
                return each
        raise NotGenuine

    def keys_of(self, passphrase: Passphrase) -> MessageKeys:
        """Give the keys of a passphrase, derived once."""
        if passphrase not in self._keys:
            self._keys = {kept: keys for kept, keys in self._keys.items() if kept in self._kept}
            self._keys[passphrase] = derive_keys(passphrase.text)
        return self._keys[passphrase]
