"""The keys of registers and pages that have paired: one file, of which only hashes of keys can be read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from keys.private_file import write_private

KINDS = ("register", "page", "technician")


class KeyringDamaged(ValueError):
    """The file of paired registers cannot be read; the text says what to do."""


class Paired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One register or page that may call."""

    name: str
    kind: str
    key_sha256: str
    paired_ms: int
    """Wall time."""


class Keyring:
    """Keeps who has paired; a name that pairs again gets a new key and loses the old one."""

    def __init__(self, path: Path, most_of_a_kind: int = 64) -> None:
        self._path = path
        self._most = most_of_a_kind
        self._paired: tuple[Paired, ...] = ()

    def load(self) -> None:
        """Read the file; nobody has paired if there is none. KeyringDamaged if it is not a list of pairings."""
        try:
            self._paired = msgspec.json.decode(self._path.read_bytes(), type=tuple[Paired, ...])
        except FileNotFoundError:
            self._paired = ()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise KeyringDamaged(f"{self._path} is damaged; remove it and pair every register again") from error

    def add(self, name: str, kind: str, key: str, paired_ms: int) -> None:
        """Keep the hash of a key, on disk before it counts; the oldest of a kind leaves a full ring."""
        new = Paired(name, kind, hash_of(key), paired_ms)
        others = [each for each in self._paired if (each.name, each.kind) != (name, kind) or kind != "register"]
        same_kind = [each for each in others if each.kind == kind]
        leaving = same_kind[: max(0, len(same_kind) + 1 - self._most)]
        ring = (*(each for each in others if each not in leaving), new)
        write_private(self._path, msgspec.json.format(msgspec.json.encode(ring)))
        self._paired = ring

    def owner(self, key: str, kind: str) -> str:
        """Name who holds a key; empty if nobody. The comparison is of hashes, so its time tells nothing of keys."""
        found = self.find(key, kind)
        return found.name if found else ""

    def find(self, key: str, kind: str) -> Paired | None:
        """Give the pairing that a key came from, as `owner` does."""
        wanted = hash_of(key)
        return next((each for each in self._paired if each.kind == kind and each.key_sha256 == wanted), None)


def hash_of(key: str) -> str:
    """Give the SHA-256 of a key of 32 random bytes; so much chance needs no slow hash."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
