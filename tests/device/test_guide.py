from __future__ import annotations

from dataclasses import replace

import pytest

from device.guide import Guide
from device.payment.views import CounterView, Phase, SaleView
from device.sight import Guidance, Hint, Place
from protocol.money import Money

SALE = SaleView(
    sale="saleaaaaaaaaaaaa",
    register="register-1",
    request="R-1",
    phase=Phase.GATHERING,
    amount=Money(100, "CNY"),
    lines=(),
    discounts=(),
    member="",
    challenge="",
    reason="",
    notice="",
    scheme="",
    payer="",
    payment="",
    offline=False,
    refunded=Money(0, "CNY"),
    opened_ms=0,
    closed_ms=0,
    attempt_ms=0,
)
COUNTER = CounterView(
    terminal="till-1",
    sale=SALE,
    last=(),
    queue=0,
    online=True,
    in_service=True,
    trouble="",
    offline_allowed=False,
    devices=(),
)
CLOSER = Guidance("front", Hint.CLOSER, (Place(0.1, 0.1, 0.2, 0.2),))
TILT = Guidance("side", Hint.TILT, (Place(0.5, 0.1, 0.7, 0.2),))
DARK = Guidance("third", Hint.TOO_DARK)


def in_phase(phase: Phase) -> CounterView:
    return replace(COUNTER, sale=replace(SALE, phase=phase))


@pytest.fixture
def guide():
    return Guide()


def test_nothing_is_shown_but_while_a_sale_gathers(guide):
    guide.take(CLOSER)
    assert guide.shown is None
    guide.follow(COUNTER)
    assert guide.shown == CLOSER
    for phase in Phase:
        guide.follow(in_phase(phase))
        assert guide.shown == (CLOSER if phase is Phase.GATHERING else None)
    guide.follow(replace(COUNTER, in_service=False))
    assert guide.shown is None
    guide.follow(replace(COUNTER, sale=None))
    assert guide.shown is None


def test_latest_of_several_cameras_counts(guide):
    guide.follow(COUNTER)
    guide.take(CLOSER)
    guide.take(TILT)
    assert guide.shown == TILT
    guide.take(Guidance("side"))
    assert guide.shown == CLOSER
    guide.take(Guidance("front"))
    assert guide.shown is None


def test_camera_that_sees_a_code_comes_before_one_in_the_dark(guide):
    guide.follow(COUNTER)
    guide.take(DARK)
    assert guide.shown == DARK
    guide.take(CLOSER)
    guide.take(DARK)
    assert guide.shown == CLOSER


def test_listeners_hear_changes_only_and_can_leave(guide):
    heard: list[Guidance | None] = []
    leave = guide.subscribe(heard.append)
    guide.take(CLOSER)
    guide.follow(COUNTER)
    guide.follow(COUNTER)
    guide.take(CLOSER)
    guide.follow(in_phase(Phase.PAID))
    assert heard == [CLOSER, None]
    leave()
    leave()
    guide.follow(COUNTER)
    assert heard == [CLOSER, None]


def test_listener_that_fails_does_not_keep_the_others_from_hearing(guide, caplog):
    heard: list[Guidance | None] = []

    def fail(_: Guidance | None) -> None:
        raise ValueError

    guide.subscribe(fail)
    guide.subscribe(heard.append)
    guide.follow(COUNTER)
    guide.take(CLOSER)
    assert heard == [CLOSER]
    assert "a listener of the guide failed" in caplog.text
