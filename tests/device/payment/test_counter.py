"""A counter over a real journal: what a register asks, and what it is told."""

from __future__ import annotations

import pytest
from counter_house import (
    ALIPAY,
    CounterHouse,
    cny,
    pay,
    shown,
)

from device.payment.errors import (
    BadRequest,
    Busy,
    CounterProblem,
    IdConflict,
    NotFound,
    OutOfService,
    TooLate,
)
from device.payment.sale import LARGEST_DUE_MINOR
from device.payment.views import CounterView, LineView, OpenSale, Phase
from device.ports import Health, HealthState
from protocol import emv_qr
from protocol.money import Money
from protocol.records import Action, Tampered, Verdict

# a register opens sales


def test_a_sale_is_paid(house: CounterHouse) -> None:
    sale = house.open(1_000)
    assert (sale.phase, sale.amount) == (Phase.GATHERING, cny(1_000))
    assert emv_qr.read_challenge_code(sale.challenge).amount == cny(1_000)
    house.show(ALIPAY)
    assert shown(house).phase is Phase.AUTHORISING
    assert shown(house).challenge == ""
    house.decide(Verdict.APPROVED)
    paid = shown(house)
    assert (paid.phase, paid.scheme, paid.payer, paid.offline) == (Phase.PAID, "alipay", "Shopper ..1", False)
    assert house.kinds() == ["Started", "ChallengeOpened", "Intent", "Outcome", "SaleClosed"]
    assert house.counter.view().queue == 5


def test_nothing_is_shown_before_it_is_on_disk(house: CounterHouse) -> None:
    seen: list[tuple[Phase, int]] = []

    def look(view: CounterView) -> None:
        assert view.sale is not None
        seen.append((view.sale.phase, len(house.journal.entries())))

    house.counter.subscribe(look)
    pay(house)
    records = {phase: min(count for seen_phase, count in seen if seen_phase is phase) for phase, _ in seen}
    assert records[Phase.AUTHORISING] == 3, "the intent is written"
    assert records[Phase.PAID] == 5, "outcome and end are written"


def test_the_same_id_gives_the_same_sale(house: CounterHouse) -> None:
    first = house.open(1_000, "R1")
    assert house.open(1_000, "R1") == first
    house.show(ALIPAY)
    house.decide(Verdict.APPROVED)
    again = house.open(1_000, "R1")
    assert (again.sale, again.phase) == (first.sale, Phase.PAID)
    house.restart()
    assert house.open(1_000, "R1").phase is Phase.PAID
    assert house.kinds().count("Intent") == 1


@pytest.mark.parametrize(
    "request_",
    [
        OpenSale("till", "R1", cny(1_001)),
        OpenSale("till", "R1", None),
        OpenSale("till", "R1", cny(1_000), guide="guide-7"),
        OpenSale("till", "R1", cny(1_000), (LineView("1", "Tea", 1, cny(1_000)),)),
    ],
)
def test_the_same_id_with_other_content_is_refused(house: CounterHouse, request_: OpenSale) -> None:
    house.open(1_000, "R1")
    with pytest.raises(IdConflict):
        house.counter.open_sale(request_)


def test_ids_belong_to_their_register(house: CounterHouse) -> None:
    first = house.open(1_000, "R1")
    house.counter.cancel(first.sale)
    other = house.counter.open_sale(OpenSale("kiosk", "R1", cny(500)))
    assert other.sale != first.sale
    assert house.counter.find("till", "R1").sale == first.sale
    assert house.counter.find("kiosk", "R1").sale == other.sale
    with pytest.raises(NotFound):
        house.counter.find("kiosk", "R2")
    with pytest.raises(NotFound):
        house.counter.sale("nothing")


def test_one_sale_at_a_time(house: CounterHouse) -> None:
    first = house.open(1_000)
    with pytest.raises(Busy) as problem:
        house.open(500, "R9")
    assert problem.value.sale == first.sale
    house.counter.cancel(first.sale)
    assert house.open(500, "R9").phase is Phase.GATHERING


def test_an_unknown_payment_does_not_block_the_next_sale(house: CounterHouse) -> None:
    first = house.open()
    house.show(ALIPAY)
    house.pass_time(5)
    assert house.counter.sale(first.sale).phase is Phase.UNKNOWN
    second = house.open()
    assert shown(house).sale == second.sale
    assert house.line.enquiries[-1][1] is Action.PAY


@pytest.mark.parametrize(
    "request_",
    [
        OpenSale("till", "R1", cny(0)),
        OpenSale("till", "R1", cny(-1)),
        OpenSale("till", "R1", cny(LARGEST_DUE_MINOR + 1)),
        OpenSale("till", "R1", Money(1_000, "EUR")),
        OpenSale("till", "", cny(1)),
        OpenSale("", "R1", cny(1)),
        OpenSale("till", "R" * 65, cny(1)),
        OpenSale("till", "R\ud800", cny(1)),
        OpenSale("till", "R\n1", cny(1)),
        OpenSale("till", "R1", cny(1), guide="g" * 41),
        OpenSale("till", "R1", cny(1), guide="guide\u3000seven"),
        OpenSale("till", "R1", None, (LineView("1", "Tea", 1, cny(1)),)),
        OpenSale("till", "R1", cny(2), (LineView("1", "Tea", 1, cny(1)),)),
        OpenSale("till", "R1", cny(1), (LineView("1", "Tea", 1, Money(1, "EUR")),)),
        OpenSale("till", "R1", cny(1), (LineView("1", "T" * 81, 1, cny(1)),)),
        OpenSale("till", "R1", cny(1), (LineView("1" * 65, "Tea", 1, cny(1)),)),
        OpenSale("till", "R1", cny(1), (LineView("1", "Tea\x00", 1, cny(1)),)),
        OpenSale("till", "R1", cny(1), (LineView("1", "Tea", 2**63, cny(1)),)),
        OpenSale("till", "R1", cny(1), (LineView("1", "Tea", -1, cny(1)),)),
        OpenSale("till", "R1", cny(501), (LineView("1", "Tea", 1, cny(1)),) * 501),
        OpenSale("till", "R1", cny(1), (LineView("1", "Tea", 1, cny(10**13 - 1)),) * 2),
    ],
)
def test_requests_without_sense_are_refused_and_change_nothing(house: CounterHouse, request_: OpenSale) -> None:
    before = house.kinds()
    with pytest.raises(BadRequest):
        house.counter.open_sale(request_)
    assert house.kinds() == before
    assert house.counter.view().sale is None
    assert house.open(1_000, "R1").phase is Phase.GATHERING


def test_the_largest_amount_has_a_code(house: CounterHouse) -> None:
    sale = house.open(LARGEST_DUE_MINOR)
    assert emv_qr.read_challenge_code(sale.challenge).amount == cny(LARGEST_DUE_MINOR)


def test_the_fullest_basket_can_be_paid(house: CounterHouse) -> None:
    lines = tuple(LineView(f"{number:064}", "茶" * 80, 10**6, cny(2)) for number in range(500))
    house.counter.open_sale(OpenSale("till", "R1", cny(1_000), lines))
    house.show(ALIPAY)
    house.decide(Verdict.APPROVED)
    assert shown(house).phase is Phase.PAID
    house.restart()
    assert len(shown(house).lines) == 500


# cancelling


def test_a_sale_is_cancelled(house: CounterHouse) -> None:
    sale = house.open()
    assert house.counter.cancel(sale.sale).phase is Phase.CANCELLED
    assert house.counter.cancel(sale.sale).phase is Phase.CANCELLED


def test_a_cancelled_payment_is_reversed(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    assert house.counter.cancel(sale.sale).phase is Phase.CANCELLING
    house.decide(Verdict.APPROVED)
    house.decide(Verdict.APPROVED, action=Action.REVERSE)
    assert house.counter.sale(sale.sale).phase is Phase.CANCELLED
    assert house.kinds()[-3:] == ["Reversal", "Outcome", "SaleClosed"]


def test_a_paid_sale_cannot_be_cancelled(house: CounterHouse) -> None:
    paid = pay(house)
    with pytest.raises(TooLate):
        house.counter.cancel(paid.sale)


# the case


def test_an_open_case_ends_service(house: CounterHouse) -> None:
    sale = house.open()
    house.counter.tampered(is_open=False)
    for _ in range(2):
        house.counter.tampered(is_open=True)
    assert house.counter.sale(sale.sale).phase is Phase.CANCELLED
    with pytest.raises(OutOfService, match="case"):
        house.open(1, "R9")
    house.counter.tampered(is_open=False)
    house.counter.tampered(is_open=True)
    tampers = [body.open for body in house.bodies() if isinstance(body, Tampered)]
    assert tampers == [1, 0, 1]
    assert not house.counter.view().in_service
    house.restart()
    assert house.counter.view().in_service


def test_an_open_case_reverses_what_is_under_way(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.counter.tampered(is_open=True)
    assert house.counter.sale(sale.sale).phase is Phase.CANCELLING


# the rest of the view


def test_listeners_hear_until_they_leave(house: CounterHouse) -> None:
    views: list[CounterView] = []
    leave = house.counter.subscribe(views.append)
    house.counter.device_health("camera", Health(HealthState.MISSING, "unplugged"))
    assert views[-1].devices == (("camera", Health(HealthState.MISSING, "unplugged")),)
    leave()
    leave()
    house.counter.line_changed()
    assert len(views) == 1


def test_the_last_sales_are_shown_newest_first(house: CounterHouse) -> None:
    for number in range(22):
        house.clock.ms += 10
        house.counter.cancel(house.open(100 + number).sale)
    last = house.counter.view().last
    assert len(last) == 20
    assert [sale.amount.minor for sale in last] == list(range(121, 101, -1))
    house.restart()
    assert shown(house).amount == cny(121)


def test_no_view_has_a_token(house: CounterHouse) -> None:
    pay(house)
    assert ALIPAY not in repr(house.counter.view())


def test_every_refusal_is_a_counter_problem_with_a_word() -> None:
    kinds = CounterProblem.__subclasses__()
    assert len({kind.reason for kind in kinds}) == len(kinds) >= 8
