"""A process that commits records as fast as it can and says each number when it is on disk; it waits to be killed."""

from __future__ import annotations

import sys
from pathlib import Path

from device.payment.journal import Journal
from device.ports import SystemClock
from keys.file import FileKey
from protocol.records import Tampered


def main(folder: Path) -> None:
    journal = Journal(folder / "journal.db", "till-1", FileKey.load(folder / "record.key"), SystemClock())
    journal.start()
    while True:
        for entry in journal.commit([Tampered(open=1), Tampered(open=0)]):
            sys.stdout.write(f"{entry.number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
