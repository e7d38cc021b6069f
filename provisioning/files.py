"""Files that are complete or absent: new ones are never written over others, changed ones are replaced in one step."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from provisioning.errors import AlreadyThere, BadBundle, NotThere

OPEN, PRIVATE = 0o644, 0o600
_LARGEST_BUNDLE = 65536


def make_folder(folder: Path) -> Path:
    """Make a folder, and those above it, that only its owner may list; give its full path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder.resolve()


def refuse_existing(folder: Path, names: Sequence[str]) -> None:
    """Raise AlreadyThere for the first of the names that the folder has."""
    for name in names:
        if (folder / name).exists():
            raise AlreadyThere(folder / name)


def write_new(path: Path, text: str, mode: int = OPEN) -> None:
    """Write a file that was not there; AlreadyThere if it was."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise AlreadyThere(path) from error
    _fill(descriptor, text, mode)


def replace(path: Path, text: str, mode: int = OPEN) -> None:
    """Write a file in one step, whether it was there or not."""
    fresh = path.with_name(path.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    write_new(fresh, text, mode)
    fresh.replace(path)


def read_bundle(path: Path, advice: str) -> bytes:
    """Read a request or answer; NotThere, or BadBundle if it is too large to be one."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_BUNDLE + 1)
    except FileNotFoundError as error:
        raise NotThere(path, advice) from error
    if len(data) > _LARGEST_BUNDLE:
        raise BadBundle(f"{path} is larger than {_LARGEST_BUNDLE} bytes and no file of tillwave provision")
    return data


@contextlib.contextmanager
def given_to(owner: str | None, folder: Path) -> Iterator[None]:
    """Give a folder and its files to a user of this machine at the end, if one is named."""
    yield
    if owner is not None:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, owner)


def _fill(descriptor: int, text: str, mode: int) -> None:
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
