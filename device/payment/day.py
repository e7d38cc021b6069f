"""Close of day: what the terminal counted, beside what settlement booked."""

from __future__ import annotations

from dataclasses import dataclass

from device.payment.journal import Journal, read_record
from device.payment.views import DayView
from protocol.money import Money
from protocol.questions import TotalsAnswer
from protocol.records import Action, DayClosed, Outcome, Record, Verdict


@dataclass(frozen=True, slots=True)
class DayCount:
    """Counts and sums of the records behind the last close of day."""

    first: int
    last: int
    paid_count: int
    paid: Money
    refunded_count: int
    refunded: Money

    def body(self) -> DayClosed:
        """Give the record of this close of day."""
        return DayClosed(
            first=self.first,
            paid_count=self.paid_count,
            paid=self.paid,
            refunded_count=self.refunded_count,
            refunded=self.refunded,
        )

    def beside(self, settled: TotalsAnswer, open_records: int) -> DayView:
        """Put settlement's figures beside the terminal's."""
        return DayView(
            paid_count=self.paid_count,
            paid=self.paid,
            refunded_count=self.refunded_count,
            refunded=self.refunded,
            settled_paid_count=settled.paid_count,
            settled_paid=settled.paid,
            settled_refunded_count=settled.refunded_count,
            settled_refunded=settled.refunded,
            open_records=open_records,
        )


def count_day(journal: Journal, currency: str) -> DayCount:
    """Count the outcomes behind the last close of day.

    A payment counts when it was approved, and no more when it was declined late; one that was reversed never counts.
    """
    first = journal.last_of_kind(DayClosed.__name__) + 1
    paid: dict[str, int] = {}
    refunded: list[int] = []
    for entry in journal.entries(first - 1):
        if entry.kind == Outcome.__name__:
            _count(read_record(entry), paid, refunded)
    return DayCount(
        first=first,
        last=journal.head.number,
        paid_count=len(paid),
        paid=Money(sum(paid.values()), currency),
        refunded_count=len(refunded),
        refunded=Money(sum(refunded), currency),
    )


def _count(record: Record, paid: dict[str, int], refunded: list[int]) -> None:
    outcome = record.body
    assert isinstance(outcome, Outcome), "the journal names the kind of every record"
    approved = outcome.verdict is Verdict.APPROVED
    if outcome.action is Action.REFUND and approved:
        refunded.append(outcome.amount.minor)
    elif outcome.action in (Action.PAY, Action.ORDER) and approved:
        paid[outcome.subject] = outcome.amount.minor
    elif outcome.verdict is Verdict.DECLINED or outcome.action is Action.REVERSE:
        paid.pop(outcome.subject, None)
