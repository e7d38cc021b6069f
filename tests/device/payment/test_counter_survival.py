"""What power cuts and full disks leave of a counter: everything that was promised."""

from __future__ import annotations

import pytest
from counter_house import (
    ALIPAY,
    CounterHouse,
    cny,
    shown,
)

from device.payment.errors import (
    NotFound,
    OutOfService,
)
from device.payment.views import Phase
from protocol.answers import Decision
from protocol.records import Action, Verdict

# power cuts


def test_a_power_cut_while_gathering_ends_the_sale_unpaid(house: CounterHouse) -> None:
    sale = house.open()
    house.restart()
    assert (house.counter.sale(sale.sale).phase, shown(house).reason) == (Phase.UNPAID, "interrupted")
    house.restart()
    assert house.kinds().count("SaleClosed") == 1


def test_a_power_cut_while_authorising_is_resolved(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.UNKNOWN
    assert house.line.enquiries == [(house.newest("Intent").attempt, Action.PAY)]  # type: ignore[attr-defined]
    house.decide(Verdict.APPROVED)
    assert house.counter.sale(sale.sale).phase is Phase.PAID
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.PAID


def test_a_power_cut_while_the_shopper_types_is_resolved(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.decide(Verdict.PENDING, reason="password")
    assert shown(house).phase is Phase.WAITING
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.UNKNOWN


def test_a_power_cut_while_unknown_goes_on_asking_and_reverses(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.pass_time(6)
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.UNKNOWN
    house.pass_time(21)
    assert house.kinds().count("Reversal") == 1
    house.restart()
    house.pass_time(30)
    assert house.kinds().count("Reversal") == 1
    assert house.line.enquiries[-1][1] is Action.REVERSE
    house.decide(Verdict.APPROVED, action=Action.REVERSE)
    assert house.counter.sale(sale.sale).phase is Phase.UNPAID


def test_a_power_cut_while_cancelling_is_resolved(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.counter.cancel(sale.sale)
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.CANCELLING
    house.decide(Verdict.APPROVED, action=Action.REVERSE)
    assert house.counter.sale(sale.sale).phase is Phase.CANCELLED


def test_a_clean_stop_records_what_is_unknown(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    assert house.counter.resolving
    house.counter.refuse_new_sales()
    with pytest.raises(OutOfService):
        house.open(1, "R9")
    house.counter.stop()
    assert house.counter.sale(sale.sale).phase is Phase.UNKNOWN
    assert not house.counter.resolving
    assert house.counter.view().trouble == "stopping"


def test_late_news_after_a_restart_is_heard(house: CounterHouse) -> None:
    """The phone paid while the terminal was off and had ended the sale."""
    sale = house.open()
    house.restart()
    order = house.decision("o" * 16, Verdict.APPROVED, action=Action.ORDER)
    for _ in range(2):
        house.counter.decided(order)
    assert house.kinds().count("Reversal") == 1
    assert house.counter.sale(sale.sale).phase is Phase.UNPAID


def test_a_decision_about_a_foreign_sale_changes_nothing(house: CounterHouse) -> None:
    house.open()
    before = house.kinds()
    for action in Action:
        house.counter.decided(
            Decision(
                terminal="till-1",
                sale="x" * 16,
                subject="y" * 16,
                action=action,
                verdict=Verdict.APPROVED,
                amount=cny(1),
                reason="",
                payer="",
                at_ms=0,
            )
        )
    assert house.kinds() == before


# a full disk


def _fill(house: CounterHouse) -> None:
    """Make SQLite refuse every write, as on a disk that has gone read-only; test_journal.py fills a real one."""
    house.journal._database.execute("PRAGMA query_only = ON")


def _free(house: CounterHouse) -> None:
    house.journal._database.execute("PRAGMA query_only = OFF")


def test_a_full_disk_refuses_and_changes_nothing(house: CounterHouse) -> None:
    house.open(1_000, "R1")
    before, head = house.kinds(), house.journal.head
    _fill(house)
    house.show(ALIPAY)
    view = house.counter.view()
    assert (view.trouble, view.in_service) == ("journal-full", False)
    assert shown(house).phase is Phase.GATHERING
    assert (house.kinds(), house.journal.head) == (before, head)


def test_a_full_disk_stops_nothing_but_the_sales(house: CounterHouse) -> None:
    sale = house.open(1_000)
    _fill(house)
    house.show(ALIPAY)
    assert house.counter.view().trouble == "journal-full"
    house.pass_time(200, 5)
    house.counter.tampered(is_open=True)
    house.counter.decided(house.decision("o" * 16, Verdict.APPROVED, action=Action.ORDER))
    with pytest.raises(OutOfService):
        house.counter.cancel(sale.sale)
    with pytest.raises(OutOfService):
        house.open(500, "R2")
    house.counter.stop()
    assert shown(house).phase is Phase.GATHERING
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.UNPAID
    assert house.open(500, "R2").phase is Phase.GATHERING


def test_a_sale_that_cannot_be_kept_was_never_opened(house: CounterHouse) -> None:
    _fill(house)
    with pytest.raises(OutOfService):
        house.open(1_000, "R1")
    assert house.counter.view().sale is None
    with pytest.raises(NotFound):
        house.counter.find("till", "R1")


def test_a_sale_under_way_goes_on_when_the_disk_takes_records_again(house: CounterHouse) -> None:
    sale = house.open(1_000)
    house.show(ALIPAY)
    _fill(house)
    house.decide(Verdict.APPROVED)
    assert (shown(house).phase, house.counter.view().trouble) == (Phase.AUTHORISING, "journal-full")
    _free(house)
    house.pass_time(5)
    assert (house.counter.sale(sale.sale).phase, house.counter.view().trouble) == (Phase.UNKNOWN, "")
    house.decide(Verdict.APPROVED)
    assert house.counter.sale(sale.sale).phase is Phase.PAID
