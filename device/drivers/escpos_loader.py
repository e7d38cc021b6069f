"""Loads python-escpos, which takes 17 MB, only when something is printed, and clears away what it leaves behind."""

from __future__ import annotations

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

    if is_first and "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
        shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)
    return printer
