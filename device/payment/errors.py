"""Why the counter refuses to do something. A refusal changes nothing.

CounterProblem
+-- Busy            another sale is running
+-- OutOfService    no sales now (case open, no key, stopping, journal full)
+-- BadRequest      the request makes no sense: amount, currency, id, basket (also a ValueError)
+-- IdConflict      this id came before with other content
+-- NotFound        no such sale or payment (also a LookupError)
+-- TooLate         the sale cannot be cancelled or refunded any more
+-- NotAllowed      a supervisor is needed, or the badge is not one
+-- Offline         this needs settlement, which cannot be reached now
"""

from __future__ import annotations


class CounterProblem(Exception):
    """The counter refuses; `reason` is a word for programs, the text a sentence for people."""

    reason = "refused"


class Busy(CounterProblem):
    """Another sale is running; `sale` is its id."""

    reason = "busy"

    def __init__(self, sale: str, text: str = "another sale is running; finish or cancel it first") -> None:
        self.sale = sale
        super().__init__(text)


class OutOfService(CounterProblem):
    """The terminal takes no payments now."""

    reason = "out-of-service"


class BadRequest(CounterProblem, ValueError):
    """The request makes no sense."""

    reason = "bad-request"


class IdConflict(CounterProblem):
    """The same id with other content."""

    reason = "id-conflict"

    def __init__(self, request: str) -> None:
        self.request = request
        super().__init__("this id was used before for another request; every new request needs an id of its own")


class NotFound(CounterProblem, LookupError):
    """There is no such sale."""

    reason = "not-found"


class TooLate(CounterProblem):
    """The state of the sale does not allow it any more."""

    reason = "too-late"


class NotAllowed(CounterProblem):
    """A supervisor has to approve."""

    reason = "not-allowed"


class Offline(CounterProblem):
    """Settlement cannot be reached, and this needs it."""

    reason = "offline"
