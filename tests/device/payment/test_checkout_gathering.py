"""What changes a sale before anybody pays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from counter_house import cny
from sale_story import Story

from device.payment.events import (
    ChallengeShown,
    CouponGranted,
    GoodsAdded,
    MemberKnown,
)
from device.payment.sale import LARGEST_DUE_MINOR, LONGEST_BASKET, Coupon, Member
from protocol.records import (
    ChallengeOpened,
    Line,
)


def test_goods_make_a_basket() -> None:
    story = Story(None)
    tea, cup = (Line(code=code, label=code, quantity=1, amount=cny(600)) for code in ("tea", "cup"))
    for line in (tea, cup, tea):
        story.tell(GoodsAdded(line))
    assert [(line.code, line.quantity, line.amount) for line in story.sale.lines] == [
        ("tea", 2, cny(1_200)),
        ("cup", 1, cny(600)),
    ]
    assert story.sale.due == cny(1_800)


def test_goods_do_not_change_the_amount_of_the_register() -> None:
    story = Story(1_000)
    story.tell(GoodsAdded(Line(code="tea", label="Tea", quantity=1, amount=cny(600))))
    assert (story.sale.notice, story.sale.due) == ("goods-not-wanted", cny(1_000))


def test_a_basket_has_an_end() -> None:
    story = Story(None)
    lines = tuple(Line(code=str(number), label="", quantity=1, amount=cny(1)) for number in range(LONGEST_BASKET))
    story.sale = replace(story.sale, lines=lines)
    story.tell(GoodsAdded(Line(code="one more", label="", quantity=1, amount=cny(1))))
    assert (story.sale.notice, len(story.sale.lines)) == ("basket-full", LONGEST_BASKET)
    story.tell(GoodsAdded(Line(code="7", label="", quantity=1, amount=cny(LARGEST_DUE_MINOR))))
    assert (story.sale.notice, story.sale.due) == ("basket-full", cny(LONGEST_BASKET))


def test_coupon_and_member_card_make_it_cheaper() -> None:
    story = Story(1_000)
    story.tell(CouponGranted(Coupon("c1", "5 off", cny(500))))
    story.tell(MemberKnown(Member("m1", "Li *", 1_000)))
    assert story.sale.due == cny(400)
    story.tell(CouponGranted(Coupon("c1", "5 off", cny(500))))
    assert (story.sale.due, story.sale.notice) == (cny(400), "coupon-taken")
    story.tell(ChallengeShown(b"n" * 16, "code"))
    opened = story.bodies[-1]
    assert isinstance(opened, ChallengeOpened)
    assert (opened.amount, opened.coupons, opened.member) == (cny(400), ("c1",), "m1")


def test_a_coupon_never_makes_it_free() -> None:
    story = Story(500)
    story.tell(CouponGranted(Coupon("c1", "5 off", cny(500))))
    assert (story.sale.due, story.sale.notice, story.sale.coupons) == (cny(500), "coupon-too-large", ())


@pytest.mark.parametrize("discount", [cny(0), cny(-100), replace(cny(100), currency="EUR")])
def test_a_coupon_that_takes_nothing_off_is_refused(discount: object) -> None:
    story = Story(500)
    story.tell(CouponGranted(Coupon("c1", "odd", discount)))  # type: ignore[arg-type]
    assert (story.sale.due, story.sale.notice) == (cny(500), "coupon-refused")


@pytest.mark.parametrize("points", [-1, 10_000, 20_000])
def test_a_member_price_is_below_the_price_and_above_nothing(points: int) -> None:
    story = Story(500)
    story.tell(MemberKnown(Member("m1", "Li *", points)))
    assert (story.sale.due, story.sale.notice) == (cny(500), "member-refused")


def test_a_member_card_may_come_before_the_goods() -> None:
    story = Story(None)
    story.tell(MemberKnown(Member("m1", "Li *", 1_000)))
    story.tell(GoodsAdded(Line(code="tea", label="Tea", quantity=1, amount=cny(600))))
    assert story.sale.due == cny(540)


def test_nothing_is_taken_while_a_token_is_decided() -> None:
    story = Story()
    story.present()
    before = story.sale
    story.tell(CouponGranted(Coupon("c1", "5 off", cny(500))))
    story.tell(MemberKnown(Member("m1", "Li *", 1_000)))
    story.tell(GoodsAdded(Line(code="tea", label="Tea", quantity=1, amount=cny(600))))
    story.present("a2")
    assert story.sale == before
