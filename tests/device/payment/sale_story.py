"""A sale that is told event by event to the checkout."""

from __future__ import annotations

from counter_house import START_MS, TIMING, cny

from device.payment.checkout import advance
from device.payment.events import (
    Decided,
    Event,
    Now,
    Step,
    Tick,
    TokenPresented,
)
from device.payment.sale import Sale
from device.payment.views import Phase
from protocol.answers import Decision
from protocol.records import (
    Action,
    Body,
    Mode,
    Outcome,
    Reversal,
    SaleClosed,
    Verdict,
)


class Story:
    """A sale that is told event by event."""

    def __init__(self, minor: int | None = 1_000) -> None:
        self.now_ms = 100_000
        asked = None if minor is None else cny(minor)
        self.sale = Sale("s" * 16, "till", "R1", asked, "CNY", START_MS, deadline_ms=self.now_ms + 180_000)
        self.bodies: list[Body] = []
        self.asked: list[tuple[str, Action]] = []

    def tell(self, event: Event) -> Step:
        step = advance(self.sale, event, Now(self.now_ms, START_MS), TIMING)
        self.sale = step.sale
        self.bodies += step.bodies
        self.asked += step.asked
        return step

    def pass_time(self, seconds: float) -> Step:
        self.now_ms += round(seconds * 1000)
        return self.tell(Tick())

    def present(self, attempt: str = "a1", mode: Mode = Mode.ONLINE) -> Step:
        return self.tell(TokenPresented(attempt, "alipay", attempt.encode(), mode, self.now_ms))

    def decide(
        self,
        verdict: Verdict,
        subject: str = "a1",
        action: Action = Action.PAY,
        minor: int | None = None,
        reason: str = "",
    ) -> Step:
        amount = self.sale.due if minor is None else cny(minor)
        said = Decision(
            terminal="till-1",
            sale=self.sale.sale,
            subject=subject,
            action=action,
            verdict=verdict,
            amount=amount,
            reason=reason,
            payer="Shopper ..1",
            at_ms=START_MS,
        )
        return self.tell(Decided(said))

    def order(self, subject: str = "o1", minor: int | None = None) -> Step:
        return self.decide(Verdict.APPROVED, subject, Action.ORDER, minor)

    @property
    def phase(self) -> Phase:
        return self.sale.phase

    @property
    def last(self) -> list[str]:
        return [type(body).__name__ for body in self.bodies]

    def reversals(self) -> list[str]:
        return [body.attempt for body in self.bodies if isinstance(body, Reversal)]

    def outcomes(self) -> list[tuple[str, Action, Verdict, str]]:
        return [
            (body.subject, body.action, body.verdict, body.reason) for body in self.bodies if isinstance(body, Outcome)
        ]

    def closed(self) -> SaleClosed:
        (body,) = (body for body in self.bodies if isinstance(body, SaleClosed))
        return body
