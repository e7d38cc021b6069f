"""The day's files: each entry in exactly one, sums that agree with the ledger, hashes that show what was changed."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from town import Town, intent, refund

from settlement import batch_files, batches
from settlement.batches import Batch
from settlement.errors import Refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST = dt.datetime.now(SHANGHAI).date() + dt.timedelta(days=1)
"""A day on which the certificates of the town are good."""
DAY = dt.timedelta(days=1)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    town.change(timezone="Asia/Shanghai")
    town.clock.now = at(FIRST, 10)
    yield town
    town.close()


def at(day: dt.date, hour: int) -> int:
    return int(dt.datetime.combine(day, dt.time(hour), SHANGHAI).timestamp() * 1000)


def close(town: Town, day: dt.date) -> Batch:
    with town.service.store.writing() as connection:
        return batches.close_day(connection, town.office, day)


def parties(batch: Batch) -> dict[str, dict[str, object]]:
    statements = [
        json.loads(content)
        for name, content in batch.files.items()
        if name.endswith(".json") and "manifest" not in name
    ]
    return {statement["party"]: statement for statement in statements}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_a_day_with_a_sale_and_a_refund_adds_up_for_every_party(town: Town) -> None:
    till, phone = town.till(), town.shopper()
    paid = intent(phone.short(), 10_000, guide="li")
    till.say(paid)
    till.say(refund(paid, 4_000))
    town.clock.now = at(FIRST + DAY, 1)
    totals = {party: statement["total"] for party, statement in parties(close(town, FIRST)).items()}
    assert totals == {
        "guide:li": {"count": 2, "amount": "1.20"},
        "mall": {"count": 2, "amount": "1.20"},
        "merchant:Riverside Tea": {"count": 2, "amount": "54.00"},
        "platform": {"count": 2, "amount": "1.80"},
        "store:Ground floor": {"count": 2, "amount": "1.20"},
        "third:Charity": {"count": 2, "amount": "0.60"},
    }


def test_csv_and_json_say_the_same(town: Town) -> None:
    till, phone = town.till(), town.shopper()
    till.pay(phone.short(), 10_000)
    town.clock.now = at(FIRST + DAY, 1)
    batch = close(town, FIRST)
    name = next(name for name in batch.files if "merchant" in name and name.endswith(".csv"))
    statement = json.loads(batch.files[name.replace(".csv", ".json")])
    lines = rows(batch.files[name])
    assert [line["type"] for line in lines] == ["batch", "entry", "sum", "total", "sha256"]
    assert lines[1]["amount"] == statement["entries"][0]["amount"] == "92.00"
    assert lines[1]["paid"] == "100.00"
    assert lines[3]["amount"] == statement["total"]["amount"]
    assert lines[1]["at"] == f"{FIRST}T10:00:00+08:00"


def test_every_file_carries_its_hash_and_the_manifest_names_it(town: Town) -> None:
    town.till().pay(town.shopper().short())
    town.clock.now = at(FIRST + DAY, 1)
    files = dict(close(town, FIRST).files)
    manifest = json.loads(files.pop(f"{FIRST}_manifest.json"))
    assert manifest["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    for name, content in files.items():
        if name.endswith(".csv"):
            body = content[: content.rindex(b"sha256,")]
            assert rows(content)[-1]["id"] == hashlib.sha256(body).hexdigest()
        else:
            said = json.loads(content)
            digest = said.pop("sha256")
            assert digest == hashlib.sha256(batch_files.canonical(said)).hexdigest()


def test_days_follow_each_other_without_a_gap(town: Town) -> None:
    till, phone = town.till(), town.shopper()
    for number in range(3):
        town.clock.now = at(FIRST + number * DAY, 23)
        till.pay(phone.short(), 1_000)
    town.clock.now = at(FIRST + 3 * DAY, 1)
    last = close(town, FIRST + 2 * DAY)
    closed = [close(town, FIRST + number * DAY) for number in range(3)]
    manifests = [json.loads(batch.files[f"{batch.day}_manifest.json"]) for batch in closed]
    assert closed[2] == last
    assert [manifest["previous"] for manifest in manifests] == [bytes(32).hex(), *(b.sha256.hex() for b in closed[:2])]
    assert [manifest["first_entry"] for manifest in manifests[1:]] == [m["last_entry"] + 1 for m in manifests[:-1]]
    together = sum(Decimal(str(parties(batch)["mall"]["total"]["amount"])) for batch in closed)  # type: ignore[index]
    assert together == Decimal(town.earned()["mall"]) / 100


def test_a_closed_day_is_written_again_byte_by_byte(town: Town) -> None:
    till, phone = town.till(), town.shopper()
    till.pay(phone.short())
    town.clock.now = at(FIRST + DAY, 1)
    first = close(town, FIRST)
    till.pay(phone.short())
    assert close(town, FIRST) == first


def test_what_settlement_books_with_a_clock_set_back_is_in_the_next_batch(town: Town) -> None:
    till, phone = town.till(), town.shopper()
    town.clock.now = at(FIRST + DAY, 1)
    close(town, FIRST)
    town.clock.now = at(FIRST, 12)
    till.pay(phone.short(), 1_000)
    town.clock.now = at(FIRST + 2 * DAY, 1)
    assert parties(close(town, FIRST + DAY))["mall"]["total"] == {"count": 1, "amount": "0.20"}


def test_a_day_that_is_not_over_stays_open(town: Town) -> None:
    with pytest.raises(Refused, match="not over yet in Asia/Shanghai"):
        close(town, FIRST)
    assert batches.yesterday(town.office) == FIRST - DAY


def test_a_day_before_the_first_is_refused(town: Town) -> None:
    town.clock.now = at(FIRST + 3 * DAY, 1)
    close(town, FIRST)
    with pytest.raises(Refused, match="before the first day"):
        close(town, FIRST - DAY)


def test_a_quiet_day_has_a_manifest_and_no_files(town: Town) -> None:
    town.clock.now = at(FIRST + DAY, 1)
    assert list(close(town, FIRST).files) == [f"{FIRST}_manifest.json"]


def test_shoppers_have_no_file(town: Town) -> None:
    phone = town.shopper()
    town.till().pay(phone.short())
    town.clock.now = at(FIRST + DAY, 1)
    everything = b"".join(close(town, FIRST).files.values())
    assert phone.alias.hex().encode() not in everything
    assert b"Li Wei" not in everything


def test_the_name_of_a_clerk_is_no_formula_for_a_spreadsheet() -> None:
    heads = {"mall": "riverside", "day": "2026-03-02", "timezone": "UTC", "currency": "CNY"}
    assert rows(batch_files.Statement('=HYPERLINK("x")', heads, ()).csv())[0]["id"] == '\'=HYPERLINK("x")'
