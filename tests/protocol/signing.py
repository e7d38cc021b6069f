"""Keys and values that the tests of the protocol share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from keys.file import FileKey
from protocol.records import Body, Record, Stamp

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
STAMP = Stamp(boot_id=bytes(16), monotonic_ms=12_345, wall_ms=1_790_000_000_000, wall_quality=2)


def make_key() -> FileKey:
    return FileKey(ec.generate_private_key(ec.SECP256R1()))


def load_vectors(name: str) -> Any:
    path = VECTORS / name
    if not path.is_file():
        pytest.skip(f"the shared vectors {name} are not here")
    return json.loads(path.read_text(encoding="utf-8"))


def record_of(body: Body, *, number: int = 1, previous: bytes = bytes(32), terminal: str = "till-1") -> Record:
    return Record(terminal=terminal, number=number, previous=previous, stamp=STAMP, body=body)
