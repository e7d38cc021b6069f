"""Loads python-escpos, which takes 17 MB, only when something is printed, and clears away what it leaves behind."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from typing import Any


def load_escpos() -> Any:
    """Give the module `escpos.printer`.

    python-escpos makes a new folder in /tmp whenever it is imported, for a cache that no later process finds.
    """
    is_first = "escpos.capabilities" not in sys.modules
    from escpos import capabilities, printer  # noqa: PLC0415

    if is_first:
        if "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
            shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)
        _give_memory_back()
    return printer


def _give_memory_back() -> None:
    """Return to the system what reading the printers' profiles took: 8 MB, which glibc would keep for itself."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
