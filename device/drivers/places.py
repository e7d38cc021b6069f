"""Finds device nodes by name or pattern."""

from __future__ import annotations

import glob
from collections.abc import Callable
from typing import Final

from device.drivers.errors import DeviceMissing

_PATTERN: Final = frozenset("*?[")


def find_device(device: str, path: str, fits: Callable[[str], bool] | None = None) -> str:
    """Give the one node that a path or pattern names; raises DeviceMissing if there is none, or more than one.

    Where a pattern names several, only those that `fits` says yes to count.
    """
    if not _PATTERN & set(path):
        return path
    found = sorted(glob.glob(path))  # noqa: PTH207  a pattern may begin at the root
    if len(found) > 1 and fits is not None:
        found = [node for node in found if fits(node)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise DeviceMissing(device, f"nothing is plugged in as {path}")
    raise DeviceMissing(device, f"{path} could be any of {', '.join(found)}: make it more exact")
