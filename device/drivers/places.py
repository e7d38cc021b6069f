"""Finds device nodes by name or pattern."""

from __future__ import annotations

import glob
from typing import Final

from device.drivers.errors import DeviceMissing

_PATTERN: Final = frozenset("*?[")


def find_device(device: str, path: str) -> str:
    """Give the one node that a path or pattern names; raises DeviceMissing if there is none, or more than one."""
    if not _PATTERN & set(path):
        return path
    found = sorted(glob.glob(path))  # noqa: PTH207  a pattern may begin at the root
    if len(found) == 1:
        return found[0]
    if not found:
        raise DeviceMissing(device, f"nothing is plugged in as {path}")
    raise DeviceMissing(device, f"{path} could be any of {', '.join(found)}: make it more exact")
