"""The office's commands: accounts, coupons, the ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from town import PhoneInHand, Till, Town, intent, outcome
from typer.testing import CliRunner, Result

from protocol.records import Mode
from settlement.config import load_settings
from settlement.errors import SettingsWrong, SomethingMissing
from settlement.store import Store
from settlement.tables import schema
from tillwave.commands import account, coupon, daily, ledger

SETTINGS = """
mall = "riverside"
currency = "CNY"
merchant = "Riverside Tea"
authority = "ca.crt"
key = "settlement.key"
certificate = "settlement.crt"
[broker]
certificate = "tls.crt"
key = "tls.key"
[splits]
version = "1"
merchant = 9000
platform = 1000
"""


@pytest.fixture
def config(town: Town) -> Path:
    path = town.folder / "settlement.toml"
    path.write_text(SETTINGS)
    return path


def run(app: typer.Typer, *words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})


def tell(app: typer.Typer, *words: str) -> Any:
    done = run(app, *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def ledger_app() -> typer.Typer:
    app = typer.Typer()
    app.command()(ledger.ledger)
    return app


def test_account_is_opened_loaded_and_shown(town: Town, config: Path) -> None:
    place = ("--config", str(config))
    opened = tell(account.app, "open", "Li Wei", "--load", "100.50", *place)
    assert (opened["minor"], opened["enrolled"], len(opened["code"])) == (10_050, False, 14)
    assert tell(account.app, "load", "Li Wei", "0.50", *place)["decimal"] == "101.00"
    assert [row["name"] for row in tell(account.app, "list", *place)] == ["Li Wei"]
    assert tell(account.app, "show", "Li Wei", *place)["balance"]["minor"] == 10_100
    assert tell(account.app, "code", "Li Wei", *place)["code"] != opened["code"]
    assert "enrolment code" in run(account.app, "open", "Wang", *place).stdout
    assert "Li Wei" in run(account.app, "list", *place).stdout
    assert "101.00" in run(account.app, "show", "Li Wei", *place).stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("load", "Nobody", "1"), 1),
        (("open", "Li Wei", "--load", "1.234"), 2),
        (("open", "Li Wei", "--load", "-1"), 1),
        (("open", "\x1b[1m"), 1),
    ],
)
def test_senseless_command_changes_nothing(town: Town, config: Path, words: tuple[str, ...], code: int) -> None:
    done = run(account.app, *words, "--config", str(config))
    assert done.exit_code == code
    assert town.balances() == {}
    assert tell(account.app, "list", "--config", str(config)) == []


def test_coupons_and_cards_are_issued(town: Town, config: Path) -> None:
    place = ("--config", str(config))
    tell(account.app, "open", "Li Wei", *place)
    words = ("issue", "5 off", "--amount", "5", "--threshold", "20", "--funder", "platform", "--count", "2")
    assert len(tell(coupon.app, *words, "--for", "Li Wei", *place)["codes"]) == 2
    assert run(coupon.app, "issue", "10 %", "--percent", "10", *place).stdout.startswith("TWC:")
    assert tell(coupon.app, "member", "Li Wei", "--percent", "5", *place)["codes"][0].startswith("TWM:")
    assert run(coupon.app, "issue", "Good luck", "--percent", "1", "--red-packet", *place).stdout.startswith("TWR:")
    card = ("member", "Mei", "--card", "100000000000000001")
    assert tell(coupon.app, *card, *place)["codes"] == ["100000000000000001"]
    listed = tell(coupon.app, "list", *place)
    assert sorted(entry["minor"] for entry in listed["coupons"]) == [0, 0, 500, 500]
    assert sorted(entry["basis_points"] for entry in listed["members"]) == [0, 500]
    assert "10 %" in run(coupon.app, "list", *place).stdout
    assert len(tell(account.app, "show", "Li Wei", *place)["coupons"]) == 2
    for wrong in ((), ("--amount", "5", "--percent", "10")):
        assert run(coupon.app, "issue", "neither or both", *wrong, *place).exit_code == 2


def test_the_files_of_a_day_are_written_once(config: Path, tmp_path: Path) -> None:
    app, out = typer.Typer(), tmp_path / "files"
    app.command()(daily.daily)
    place = ("--config", str(config), "--out", str(out))
    done = tell(app, *place)
    assert [path.name for path in out.iterdir()] == done["files"] == [f"{done['day']}_manifest.json"]
    assert tell(app, "--day", done["day"], *place) == done
    (out / done["files"][0]).write_text("{}")
    refused = run(app, "--day", done["day"], *place)
    assert refused.exit_code == 1
    assert "was changed" in refused.output
    assert "not over" in run(app, "--day", "2999-01-01", *place).output


def test_ledger_tells_all_one_sale_and_one_party(town: Town, till: Till, li: PhoneInHand, config: Path) -> None:
    paid = intent(li.short(), 10_000, guide="mei")
    till.say(paid)
    poor = town.shopper("Poor", 0)
    lost = intent(poor.signed(), 700, mode=Mode.OFFLINE)
    till.say(lost, outcome(lost))
    app, place = ledger_app(), ("--config", str(config))
    told = tell(app, *place)
    assert (told["sum"], told["balanced"], told["payments"]) == (0, True, {"count": 1, "minor": 10_000})
    assert told["parties"]["merchant"] == 9_000
    assert told["parties"]["guide"] == 200
    assert [(loss["minor"], loss["reason"]) for loss in told["offline_losses"]] == [(700, "insufficient-funds")]
    sale = tell(app, "--sale", paid.sale, *place)
    assert [payment["payment"] for payment in sale["payments"]] == [paid.attempt]
    assert sum(posting["minor"] for posting in sale["entries"][0]["postings"]) == 0
    assert tell(app, "--party", "guide", *place)["accounts"] == {"guide:mei": 200}
    assert tell(app, "--party", "guide:mei", *place)["sum"] == 200
    shown = run(app, *place).stdout
    assert "merchant:Riverside Tea" in shown
    assert "Lost offline" in shown
    assert run(app, "--sale", "a" * 16, *place).exit_code == 1


def test_ledger_that_does_not_add_up_is_said(town: Town, li: PhoneInHand, config: Path) -> None:
    with town.service.store.writing() as connection:
        connection.exec_driver_sql("UPDATE balances SET minor = 1 WHERE account = 'cash'")
    done = run(ledger_app(), "--config", str(config))
    assert done.exit_code == 1
    assert "do not add up" in done.stderr


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("mall =", "moll =", 3),
        ('"CNY"', '"XXX"', 3),
        ("9000", "9001", 3),
        ('"settlement.key"', '"other.key"', 4),
        ('"settlement.key"', '"tls.key"', 3),
    ],
)
def test_wrong_settings_end_with_their_code(town: Town, config: Path, before: str, after: str, code: int) -> None:
    config.write_text(SETTINGS.replace(before, after))
    done = run(ledger_app(), "--config", str(config))
    assert done.exit_code == code
    assert done.stderr.startswith("tillwave: ")


def test_missing_database_and_settings_are_said(town: Town, config: Path, tmp_path: Path) -> None:
    config.write_text(SETTINGS.replace("[broker]", 'state = "elsewhere"\n[broker]', 1))
    assert run(ledger_app(), "--config", str(config)).exit_code == 4
    assert run(ledger_app(), "--config", str(tmp_path / "none.toml")).exit_code == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[splits]", "[splitz]"), "splitz"),
        (("merchant = 9000", 'merchant = "9000"'), "splits.merchant"),
        (("platform = 1000", "platform = 999"), "10000"),
        (("[broker]", "[http]\nlisten = '0.0.0.0'\n[broker]"), "loopback"),
        (("[broker]", "[http]\nlisten = 'here'\n[broker]"), "address"),
        (("[broker]", "[http]\ncertificate = 'x'\n[broker]"), "both"),
        (("[broker]", "[coupons]\nfunders = ['me']\n[broker]"), "'me'"),
        (("[broker]", "[terminals.named.'Till 1']\n[broker]"), "Till 1"),
        (("[broker]", "timezone = 'Mars/Olympus'\n[broker]"), "timezone"),
        (("[broker]", "[splits.limits.merchant]\n[broker]"), "splits.limits"),
        (("[broker]", "[fees.acquirer.alipay]\nbasis_points = -1\n[broker]"), "fees.acquirer"),
        (('mall = "riverside"', 'mall = "River Side"'), "mall"),
        (("[broker]", "broker]"), "TOML"),
    ],
)
def test_settings_are_refused_with_file_and_key(config: Path, change: tuple[str, str], said: str) -> None:
    config.write_text(SETTINGS.replace(*change))
    with pytest.raises(SettingsWrong) as refused:
        load_settings(config)
    assert str(config) in str(refused.value)
    assert said in str(refused.value)


def test_paths_are_relative_to_the_file(config: Path) -> None:
    settings = load_settings(config)
    assert settings.key == config.parent / "settlement.key"
    assert settings.database_url == f"sqlite:///{config.parent / 'state' / 'settlement.db'}"
    with pytest.raises(SomethingMissing):
        load_settings(config.parent / "none.toml")


def test_database_of_another_version_is_left_alone(town: Town, config: Path) -> None:
    with town.service.store.writing() as connection:
        connection.execute(schema.update().values(version=99))
    assert run(ledger_app(), "--config", str(config)).exit_code == 1


def test_database_is_its_owners_alone(town: Town) -> None:
    file = town.settings.state / "settlement.db"
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    store = Store(town.settings.database_url)
    store.start()
    with store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    store.stop()
    store.stop()
