"""These tests need the devices of the virtual machine that scripts/test-vm boots."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path += [str(HERE.parent / "device" / room) for room in ("drivers", "decode")]  # their stands


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("TILLWAVE_TEST_VM"):
        return
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.skip(reason="runs in the virtual machine of scripts/test-vm"))
