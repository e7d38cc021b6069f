"""Old copies put back: of settlement's database, of a terminal's card; and messages that nobody should believe."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from scene import Counter, alarms_of, balances, money_of, of_sale, wait_until

from device.payment.journal import read_entries, read_record
from keys.file import FileKey
from protocol.records import Tampered, seal_record
from protocol.topics import TerminalTopics
from protocol.transport import pack_run
from tillwave.testing.mall import BoxedMall
from tillwave.testing.register import RegisterRefused
from tillwave.testing.shopper import Shopper

pytestmark = pytest.mark.broker


@pytest.fixture
def counter(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = Counter(tillwave_mall)
    yield made
    made.tidy()
    made.close()


def test_a_settlement_put_back_to_an_older_copy_gets_everything_again(
    counter: Counter, tillwave_shopper: Shopper, tmp_path: Path
) -> None:
    mall, badge = counter.mall, counter.mall.badge("Chen")
    kept = counter.pay(1_000, tillwave_shopper.phone.payment_text())
    counter.drained()
    before = money_of(tillwave_shopper)
    mall.settlement.stop()
    _copy(mall.settlement_folder / "state" / "settlement.db", tmp_path / "older.db")
    mall.start_settlement()
    counter.terminal.wait_online()
    lost = counter.pay(2_000, tillwave_shopper.phone.payment_text())
    asked = counter.register.refund(kept["payment"], 400, badge)
    assert counter.register.wait_refund(asked["id"])["state"] == "approved"
    counter.drained()
    mall.settlement.kill()
    _copy(tmp_path / "older.db", mall.settlement_folder / "state" / "settlement.db")
    mall.start_settlement()
    counter.terminal.wait_online()
    after = counter.pay(3_000, tillwave_shopper.phone.payment_text())
    counter.drained()
    assert of_sale(mall, kept) == ([("paid", 1_000)], ["pay", "refund"])
    assert of_sale(mall, lost) == ([("paid", 2_000)], ["pay"])
    assert of_sale(mall, after) == ([("paid", 3_000)], ["pay"])
    assert money_of(tillwave_shopper) == before - 2_000 + 400 - 3_000
    assert counter.register.close_day()["agrees"]
    balances(mall)


def test_a_card_put_back_to_an_older_copy_sells_nothing_more(
    counter: Counter, tillwave_shopper: Shopper, tmp_path: Path
) -> None:
    counter.pay(1_000, tillwave_shopper.phone.payment_text())
    counter.drained()
    journal = counter.terminal.settings.parent / "state" / "journal.db"
    counter.terminal.stop()
    _copy(journal, tmp_path / "older.db")
    counter.terminal.start()
    sold = counter.pay(1_100, tillwave_shopper.phone.payment_text())
    counter.drained()
    money = money_of(tillwave_shopper)
    counter.terminal.stop()
    _copy(tmp_path / "older.db", journal)
    counter.terminal.start(online=False)
    wait_until(lambda: "forked" in alarms_of(counter.mall, counter.name), 20, lambda: "no alarm")
    wait_until(lambda: not counter.register.status()["in_service"], 20, lambda: f"{counter.register.status()}")
    with pytest.raises(RegisterRefused) as refused:
        counter.register.pay(1_200)
    assert refused.value.reason == "out-of-service"
    assert money_of(tillwave_shopper) == money
    assert of_sale(counter.mall, sold) == ([("paid", 1_100)], ["pay"])


def test_messages_that_are_not_genuine_are_refused_and_good_ones_go_through(
    counter: Counter, tillwave_shopper: Shopper, tmp_path: Path
) -> None:
    paid = counter.pay(1_000, tillwave_shopper.phone.payment_text())
    counter.drained()
    entries = list(read_entries(counter.terminal.settings.parent / "state" / "journal.db"))
    newest = read_record(entries[-1])
    ahead = replace(newest, number=newest.number + 2, previous=entries[-1].hash, body=Tampered(open=0))
    own = FileKey.load(counter.terminal.settings.parent / "record.key")
    foreign = FileKey.create(tmp_path / "foreign.key")
    genuine = entries[-1].message
    flipped = genuine[:-1] + bytes([genuine[-1] ^ 1])
    hostile = [
        pack_run([seal_record(replace(ahead, number=newest.number + 1), foreign)]),
        pack_run([seal_record(ahead, own)]),
        pack_run([flipped]),
        pack_run([genuine])[:-3],
        pack_run([seal_record(replace(newest, body=Tampered(open=0)), own)]),
        bytes(200_000),
        b"",
    ]
    client = _client(counter)
    counter.terminal.stop()
    for message in hostile:
        client.publish(TerminalTopics("demo", counter.name).records, message, qos=1)
    wait_until(lambda: "forked" in alarms_of(counter.mall, counter.name), 20, lambda: "no alarm")
    client.publish(TerminalTopics("demo", counter.name).records, bytes(3_000_000), qos=0)
    client.disconnect()
    client.loop_stop()
    counter.terminal.start()
    again = counter.pay(1_100, tillwave_shopper.phone.payment_text())
    counter.drained()
    assert of_sale(counter.mall, paid) == ([("paid", 1_000)], ["pay"])
    assert of_sale(counter.mall, again) == ([("paid", 1_100)], ["pay"])
    assert counter.register.close_day()["agrees"]
    log = counter.mall.settlement.log.read_text()
    assert "Traceback" not in log
    assert tillwave_shopper.phone.account.secret.hex() not in log
    balances(counter.mall)


def _client(counter: Counter) -> Client:
    folder = counter.terminal.settings.parent
    client = Client(CallbackAPIVersion.VERSION2, client_id="somebody", protocol=MQTTProtocolVersion.MQTTv5)
    client.tls_set(str(folder / "ca.crt"), str(folder / "tls.crt"), str(folder / "tls.key"))
    client.connect("localhost", counter.mall.broker_port)
    client.loop_start()
    wait_until(client.is_connected, 10, lambda: "the broker does not want us")
    return client


def _copy(source: Path, target: Path) -> None:
    """Copy a database of which nobody is writing, with all that is in its write-ahead log."""
    connection = sqlite3.connect(source)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for suffix in ("-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(source, target)
