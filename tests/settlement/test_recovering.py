"""The database was put back to an older copy, and terminals send again what it has forgotten, hours later."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import msgspec
import pytest
from town import PhoneInHand, Till, Town, closed, intent, outcome

from protocol.records import Result, Verdict
from settlement import alarms


@pytest.fixture
def copy(town: Town, till: Till, li: PhoneInHand, tmp_path: Path) -> Path:
    """A copy of the database from before the sales of the story."""
    assert (till.name, li.balance) == ("till-1", 100_000)
    return _copy(town, tmp_path / "older.db")


def test_what_was_approved_is_charged_again_when_the_settings_believe_it(
    town: Town, till: Till, li: PhoneInHand, copy: Path
) -> None:
    messages = _sell(till, li)
    assert li.balance == 70_000
    _put_back(town, copy, believe=True)
    heard = till.send(*messages)
    assert [one.verdict for one in heard.decisions if one.amount.minor == 20_000][-1] is Verdict.APPROVED
    assert li.balance == 70_000
    assert _alarms(town) == ["recovered"]
    assert till.send(*messages).decisions[-1].verdict is Verdict.APPROVED
    assert li.balance == 70_000
    assert sum(town.earned().values()) == 30_000


def test_without_that_setting_nobody_is_charged_at_a_terminals_word(
    town: Town, till: Till, li: PhoneInHand, copy: Path
) -> None:
    messages = _sell(till, li)
    _put_back(town, copy, believe=False)
    till.send(*messages)
    assert li.balance == 100_000
    assert _alarms(town) == ["outcome-differs"]


def test_a_terminal_that_lies_about_a_later_time_is_not_believed(
    town: Town, till: Till, li: PhoneInHand, copy: Path
) -> None:
    _put_back(town, copy, believe=True)
    stale = intent(li.short())
    town.clock.pass_s(600)
    till.say(stale, outcome(stale))
    assert li.balance == 100_000
    assert _alarms(town) == ["outcome-differs"]


def _sell(till: Till, li: PhoneInHand) -> list[bytes]:
    for minor in (10_000, 20_000):
        paid = intent(li.short(), minor)
        assert till.say(paid).decision.verdict is Verdict.APPROVED
        till.say(outcome(paid), closed(paid.sale, Result.PAID, minor))
        li.town.clock.pass_s(5)
    return list(till.messages)


def _put_back(town: Town, copy: Path, *, believe: bool) -> None:
    town.clock.pass_s(7_200)
    town.service.store.stop()
    for path in town.settings.state.glob("*.db-*"):
        path.unlink()
    shutil.copyfile(copy, next(town.settings.state.glob("*.db")))
    before = dt.datetime.fromtimestamp(town.clock.now_ms() / 1000, dt.UTC) if believe else None
    terminals = msgspec.structs.replace(town.settings.terminals, believe_before=before)
    town.change(terminals=terminals)


def _copy(town: Town, target: Path) -> Path:
    town.service.store.stop()
    shutil.copyfile(next(town.settings.state.glob("*.db")), target)
    town.service.store.start()
    return target


def _alarms(town: Town) -> list[str]:
    with town.service.store.reading() as connection:
        return sorted({alarm.kind for alarm in alarms.newest(connection)})
