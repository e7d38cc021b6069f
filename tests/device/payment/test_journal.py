"""What was written stays written, and what was not written was never shown."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from counter_house import HandClock, make_key

from device.payment.book import Book
from device.payment.errors import NotFound
from device.payment.journal import (
    Journal,
    JournalDamaged,
    JournalFull,
    JournalInUse,
    JournalProblem,
    StateRow,
    read_entries,
    read_record,
    verify,
)
from keys.file import FileKey
from protocol.chain import BEGINNING, link
from protocol.errors import Malformed
from protocol.records import Record, Started, Tampered, open_record

KEY = make_key()
OPENED, SHUT = Tampered(open=1), Tampered(open=0)


def make_journal(path: Path, key: FileKey = KEY, terminal: str = "till-1") -> Journal:
    journal = Journal(path / "journal.db", terminal, key, HandClock())
    journal.start()
    return journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = make_journal(tmp_path)
    yield journal
    journal.stop()


def row(state_id: str = "s1", **changes: object) -> StateRow:
    plain = StateRow(
        kind="sale",
        id=state_id,
        register="till",
        request=f"R-{state_id}",
        digest=b"d",
        final=False,
        opened_ms=1,
        payment="",
        content=b"{}",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def change(path: Path, statement: str, *values: object) -> None:
    """Change the file behind the journal's back."""
    connection = sqlite3.connect(path / "journal.db")
    with connection:
        connection.execute(statement, values)
    connection.close()


# writing


def test_records_are_signed_numbered_and_chained(journal: Journal) -> None:
    entries = journal.commit([OPENED, SHUT]) + journal.commit([OPENED])
    assert [entry.number for entry in entries] == [1, 2, 3]
    previous = BEGINNING
    for entry in entries:
        record: Record = open_record(entry.message, KEY.public_key)
        assert (record.terminal, record.number, record.previous) == ("till-1", entry.number, previous)
        assert entry.hash == link(entry.message)
        previous = entry.hash
    assert journal.head.hash == previous


def test_what_is_written_survives_a_restart(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    entries = journal.commit([OPENED, SHUT], [row()])
    journal.mark_receipted(1, entries[0].hash)
    journal.stop()
    again = make_journal(tmp_path)
    assert again.entries() == entries
    assert (again.head.number, again.receipted, again.queue) == (2, 1, 1)
    assert again.state("sale", "s1") == row()
    (third,) = again.commit([OPENED])
    assert open_record(third.message, KEY.public_key).previous == entries[1].hash
    again.stop()
    assert verify(tmp_path / "journal.db", KEY.public_key) == 3


def test_starting_and_stopping_twice_is_harmless(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    journal.start()
    journal.commit([OPENED])
    journal.stop()
    journal.stop()
    with pytest.raises(JournalProblem, match="closed"):
        journal.commit([OPENED])
    journal.start()
    assert journal.head.number == 1
    journal.stop()


def test_the_file_is_the_owners_alone(journal: Journal, tmp_path: Path) -> None:
    journal.commit([OPENED])
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name


def test_a_record_that_nobody_could_read_is_not_written(journal: Journal) -> None:
    with pytest.raises(Malformed):
        journal.commit([OPENED, Started(software="x" * 600, settings=b"")], [row()])
    assert journal.head.number == 0
    assert journal.state("sale", "s1") is None
    journal.commit([OPENED])


def test_a_commit_that_fails_half_way_leaves_nothing(journal: Journal) -> None:
    """Text that SQLite cannot keep is refused outside of SQLite's own errors."""
    for broken in (row(request="\ud800"), row(opened_ms=2**70)):
        with pytest.raises((ValueError, OverflowError)):
            journal.commit([OPENED], [row("s2"), broken])
        assert (journal.head.number, journal.entries(), journal.state("sale", "s2")) == (0, [], None)
    journal.commit([OPENED], [row("s2")])
    assert journal.head.number == 1


# states


def test_states_are_found_under_both_ids(journal: Journal) -> None:
    journal.commit([OPENED], [row(), row("s2", opened_ms=2, final=True, payment="p2")])
    assert journal.state("sale", "s2") == journal.state_by_payment("p2")
    found = journal.state_of_request("sale", "till", "R-s1")
    assert found == row()
    assert journal.state_of_request("sale", "kiosk", "R-s1") is None
    assert journal.state("refund", "s1") is None
    assert [each.id for each in journal.unfinished("sale")] == ["s1"]
    assert [each.id for each in journal.latest("sale", 5)] == ["s2", "s1"]


def test_a_newer_state_replaces_the_older_one_and_keeps_its_request(journal: Journal) -> None:
    journal.commit([OPENED], [row()])
    journal.commit([SHUT], [row(final=True, payment="p1", content=b"[]", digest=b"", request="R-s1")])
    assert journal.state("sale", "s1") == row(final=True, payment="p1", content=b"[]", digest=b"d")
    assert journal.unfinished("sale") == []


def test_two_sales_cannot_have_the_id_of_one_request(journal: Journal) -> None:
    journal.commit([OPENED], [row()])
    with pytest.raises(JournalProblem):
        journal.commit([SHUT], [row("s2", request="R-s1")])
    assert journal.head.number == 1


def test_a_damaged_state_is_named(journal: Journal) -> None:
    journal.commit([OPENED], [row(content=b"{"), row("r1", kind="refund", content=b"[]")])
    book = Book(journal)
    with pytest.raises(JournalDamaged, match="sale s1"):
        book.resume()
    with pytest.raises(JournalDamaged, match="refund r1"):
        book.refund("r1")
    with pytest.raises(NotFound):
        book.sale("s9")


# receipts


def test_only_a_receipt_of_our_own_record_empties_the_queue(journal: Journal) -> None:
    entries = journal.commit([OPENED, SHUT, OPENED])
    assert not journal.mark_receipted(2, entries[0].hash)
    assert not journal.mark_receipted(9, entries[2].hash)
    assert not journal.mark_receipted(-1, entries[2].hash)
    assert (journal.receipted, journal.queue) == (0, 3)
    assert journal.mark_receipted(2, entries[1].hash)
    assert (journal.receipted, journal.queue) == (2, 1)


def test_an_old_receipt_does_not_fill_the_queue_again(journal: Journal) -> None:
    entries = journal.commit([OPENED, SHUT])
    assert journal.mark_receipted(2, entries[1].hash)
    assert journal.mark_receipted(1, entries[0].hash)
    assert journal.mark_receipted(0, b"")
    assert journal.receipted == 2


def test_the_queue_is_read_in_pieces(journal: Journal) -> None:
    entries = journal.commit([OPENED] * 5)
    assert journal.entries(2, 2) == entries[2:4]
    assert journal.entries(5) == []
    assert journal.last_of_kind("Tampered") == 5
    assert journal.last_of_kind("DayClosed") == 0


# damage


def test_every_flipped_byte_of_a_record_is_found(journal: Journal, tmp_path: Path) -> None:
    entries = journal.commit([OPENED, SHUT, OPENED])
    journal.stop()
    path = tmp_path / "journal.db"
    message = entries[1].message
    for place in range(0, len(message), 7):
        changed = bytearray(message)
        changed[place] ^= 0x01
        change(tmp_path, "UPDATE record SET message = ? WHERE number = 2", bytes(changed))
        with pytest.raises(JournalDamaged, match="record 2"):
            verify(path, KEY.public_key)
    change(tmp_path, "UPDATE record SET message = ? WHERE number = 2", message)
    assert verify(path, KEY.public_key) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM record WHERE number = 1",
        "DELETE FROM record WHERE number = 2",
        "UPDATE record SET number = number + 1 WHERE number = 3",
        "UPDATE record SET hash = x'00' WHERE number = 2",
        "UPDATE record SET kind = 'Outcome' WHERE number = 2",
        "UPDATE record SET message = (SELECT message FROM record WHERE number = 1) WHERE number = 2",
    ],
)
def test_missing_moved_and_exchanged_records_are_found(journal: Journal, tmp_path: Path, statement: str) -> None:
    journal.commit([OPENED, SHUT, OPENED])
    journal.stop()
    change(tmp_path, statement)
    with pytest.raises(JournalDamaged):
        verify(tmp_path / "journal.db", KEY.public_key)


def test_a_journal_of_another_terminal_is_not_used(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    journal.commit([OPENED])
    journal.stop()
    with pytest.raises(JournalDamaged, match="another key"):
        make_journal(tmp_path, make_key())
    with pytest.raises(JournalDamaged, match="not the one"):
        make_journal(tmp_path, KEY, "till-2")
    with pytest.raises(JournalDamaged):
        verify(tmp_path / "journal.db", make_key().public_key)


def test_a_refused_journal_stays_closed(tmp_path: Path) -> None:
    """Starting again must not go on with an empty chain."""
    journal = make_journal(tmp_path)
    journal.commit([OPENED])
    journal.stop()
    change(tmp_path, "UPDATE record SET message = x'00'")
    for _ in range(2):
        with pytest.raises(JournalDamaged):
            journal.start()
    with pytest.raises(JournalProblem, match="closed"):
        journal.commit([SHUT])


def test_records_that_were_receipted_and_are_gone_are_missed(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    entries = journal.commit([OPENED, SHUT])
    journal.mark_receipted(2, entries[1].hash)
    journal.stop()
    change(tmp_path, "DELETE FROM record WHERE number = 2")
    with pytest.raises(JournalDamaged, match="not there"):
        journal.start()


def test_a_damaged_record_is_named_when_it_is_read(journal: Journal) -> None:
    (entry,) = journal.commit([OPENED])
    assert read_record(entry).body == OPENED
    with pytest.raises(JournalDamaged, match="record 1"):
        read_record(replace(entry, message=b"\x00"))


@pytest.mark.parametrize("content", [b"this is no database", b"SQLite format 3\x00" + bytes(200)])
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(JournalProblem):
        make_journal(tmp_path)
    with pytest.raises(JournalProblem):
        list(read_entries(path))


def test_a_journal_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    make_journal(tmp_path).stop()
    change(tmp_path, "PRAGMA user_version = 99")
    with pytest.raises(JournalDamaged, match="version 99"):
        make_journal(tmp_path)


def test_a_page_overwritten_on_the_disk_is_found(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    for _ in range(50):
        journal.commit([OPENED])
    journal.stop()
    path = tmp_path / "journal.db"
    data = bytearray(path.read_bytes())
    data[4096 * 2 : 4096 * 5] = os.urandom(4096 * 3)
    path.write_bytes(data)
    with pytest.raises(JournalProblem):
        make_journal(tmp_path)


def test_there_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalProblem, match="there is no journal"):
        verify(tmp_path / "nothing.db", KEY.public_key)
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalProblem, match="cannot be opened"):
        Journal(tmp_path / "file" / "journal.db", "till-1", KEY, HandClock()).start()


def test_a_journal_may_be_read_while_the_terminal_writes(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal.commit([OPENED] * 3)
    reading = read_entries(path)
    assert next(reading).number == 1
    journal.commit([SHUT])
    assert [entry.number for entry in reading] == [2, 3]
    assert verify(path, KEY.public_key) == 4


def test_odd_folder_names_do_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "a?b#c%20d"
    journal = make_journal(folder)
    journal.commit([OPENED])
    assert verify(folder / "journal.db", KEY.public_key) == 1
    journal.stop()


# power cuts and full disks


def test_a_writer_that_is_killed_loses_nothing_it_has_acknowledged(tmp_path: Path) -> None:
    key = FileKey.create(tmp_path / "record.key")
    writer = Path(__file__).with_name("journal_writer.py")
    total = 0
    for _ in range(5):
        process = subprocess.Popen([sys.executable, writer, tmp_path], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        acknowledged = [process.stdout.readline()]
        time.sleep(0.15)
        process.kill()
        acknowledged += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        numbers = [int(line) for line in acknowledged if line.endswith("\n")]
        count = verify(tmp_path / "journal.db", key.public_key)
        assert count >= numbers[-1] > total
        assert count % 2 == 0, "a commit is whole or not there"
        total = count


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_refuses_and_changes_nothing(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", tmp_path], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    journal = make_journal(tmp_path)
    try:
        kept = _fill(journal)
        assert (journal.head.number, len(journal.entries())) == (kept, kept)
        assert journal.state("sale", f"s{kept + 1}") is None
        (tmp_path / "ballast").unlink()
        journal.commit([OPENED])
        journal.stop()
        assert verify(tmp_path / "journal.db", KEY.public_key) == kept + 1
    finally:
        journal.stop()
        subprocess.run(["umount", tmp_path], check=True)


def _fill(journal: Journal) -> int:
    (journal._path.parent / "ballast").write_bytes(bytes(100_000))
    for number in range(1, 2_000):
        try:
            journal.commit([OPENED], [row(f"s{number}")])
        except JournalFull:
            return number - 1
    raise AssertionError("the disk never became full")


def test_a_second_terminal_is_kept_away_from_the_journal_until_the_first_has_stopped(tmp_path: Path) -> None:
    first, second = (Journal(tmp_path / "journal.db", "till-1", KEY, HandClock()) for _ in range(2))
    first.start()
    with pytest.raises(JournalInUse, match="another terminal"):
        second.start()
    first.stop()
    second.start()
    second.stop()
