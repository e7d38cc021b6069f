"""Whoever brought the shopper gets the third party's share; red packets and cards of other issuers beside that."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import sqlalchemy
from town import SPLITS, PhoneInHand, Till, Town, challenge, closed, cny, intent, new_id, refund

from protocol.questions import CouponAnswer, CouponQuestion, MemberAnswer, MemberQuestion
from protocol.records import ChallengeOpened, Result, Verdict
from settlement import offers, tables
from settlement.errors import Refused, StoreUnusable
from settlement.store import Store

RULE = msgspec.structs.replace(SPLITS, partners=("tea-blog",))


@pytest.fixture(autouse=True)
def _with_a_partner(town: Town) -> None:
    town.change(splits=RULE)


def third(town: Town) -> dict[str, int]:
    return {account: minor for account, minor in town.earned().items() if account.startswith("third")}


def test_the_partner_who_brought_the_shopper_is_paid(till: Till, town: Town, li: PhoneInHand) -> None:
    paid = intent(li.short(), attribution="tea-blog")
    assert till.say(paid).decision.verdict is Verdict.APPROVED
    assert third(town) == {"third:tea-blog": 100}
    till.say(refund(paid, 10_000))
    assert town.earned() == {}


def test_somebody_who_is_no_partner_gets_nothing(till: Till, town: Town, li: PhoneInHand) -> None:
    till.say(intent(li.short(), attribution="passer-by"))
    assert third(town) == {"third:Charity": 100}


def test_a_phones_order_counts_for_the_partner_of_the_challenge(till: Till, town: Town, li: PhoneInHand) -> None:
    opened = challenge(attribution="tea-blog")
    assert isinstance(opened, ChallengeOpened)
    till.say(opened)
    town.service.phones.order(li.seal(li.order("till-1", opened)))
    assert third(town) == {"third:tea-blog": 100}


def test_a_sale_that_a_coupon_paid_counts_for_the_partner(till: Till, town: Town) -> None:
    opened = challenge(attribution="tea-blog")
    till.say(opened)
    till.ask(CouponQuestion(sale=opened.sale, code=town.coupon(minor=10_000), amount=cny(10_000)))
    till.say(closed(opened.sale, Result.PAID, 0))
    assert third(town) == {"third:tea-blog": 100}


@pytest.mark.parametrize("name", ["Tea Blog", "a" * 21, "x:y", ""])
def test_a_name_that_is_none_is_refused(till: Till, town: Town, li: PhoneInHand, name: str) -> None:
    assert till.say(intent(li.short(), attribution=name)).decision.reason == "bad-request"
    assert town.earned() == {}


def test_a_red_packet_is_taken_once(till: Till, town: Town) -> None:
    sale, code = new_id(), town.coupon(minor=800)
    packet = offers.red_packet_text(code.removeprefix("TWC:").lower())
    assert packet.startswith("TWR:")
    answer = till.ask(CouponQuestion(sale=sale, code=packet, amount=cny(10_000)))
    assert isinstance(answer, CouponAnswer)
    assert (answer.discount, answer.reason) == (cny(800), "")
    again = till.ask(CouponQuestion(sale=new_id(), code=packet, amount=cny(10_000)))
    assert isinstance(again, CouponAnswer)
    assert again.reason == "coupon-reserved"


def greeted(till: Till, code: str) -> MemberAnswer:
    answer = till.ask(MemberQuestion(sale=new_id(), code=code))
    assert isinstance(answer, MemberAnswer)
    return answer


def test_a_card_of_another_issuer_is_known_by_its_number(till: Till, town: Town) -> None:
    with town.service.store.writing() as connection:
        member = offers.issue_member(connection, town.office, "Li Wei", 500, card="100000000000000001")
    answer = greeted(till, "100000000000000001")
    assert (answer.member, answer.name, answer.discount_basis_points) == (member, "Li *", 500)
    assert "100000000000000001" not in member
    for other in ("100000000000000002", "1", "", "x" * 500, "\u0661" * 18):
        assert greeted(till, other).reason == "unknown-member"


@pytest.mark.parametrize("card", ["1234567", "1" * 41, "1234 5678", "\u0661" * 18])
def test_a_card_without_a_number_is_refused(town: Town, card: str) -> None:
    with town.service.store.writing() as connection, pytest.raises(Refused) as refusal:
        offers.issue_member(connection, town.office, "Li Wei", 500, card=card)
    assert refusal.value.reason == "bad-member"


def test_a_card_belongs_to_one_member(town: Town) -> None:
    with town.service.store.writing() as connection:
        offers.issue_member(connection, town.office, "Li Wei", 500, card="100000000000000001")
        with pytest.raises(Refused):
            offers.issue_member(connection, town.office, "Mei", 0, card="100000000000000001")


def _version(path: Path) -> int:
    with sqlalchemy.create_engine(f"sqlite:///{path}").connect() as connection:
        return int(connection.scalar(sqlalchemy.select(tables.schema.c.version)) or 0)


def test_a_database_of_the_version_before_is_led_to_this_one(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    first = Store(f"sqlite:///{path}")
    first.start()
    first.stop()
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("ALTER TABLE sales DROP COLUMN attribution"))
        connection.execute(tables.schema.update().values(version=1))
    store = Store(f"sqlite:///{path}")
    store.start()
    with store.reading() as connection:
        assert "attribution" in {column["name"] for column in sqlalchemy.inspect(connection).get_columns("sales")}
    store.stop()
    assert _version(path) == tables.SCHEMA_VERSION


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    store = Store(f"sqlite:///{path}")
    store.start()
    with store.writing() as connection:
        connection.execute(tables.schema.update().values(version=tables.SCHEMA_VERSION + 1))
    store.stop()
    with pytest.raises(StoreUnusable, match="version"):
        Store(f"sqlite:///{path}").start()
    assert _version(path) == tables.SCHEMA_VERSION + 1
