"""What is wrong with data that claims to be GS1's.

Gs1Problem
+-- BadNumber      an article number: length, digits or check digit
+-- BadElement     one element: unknown identifier, wrong form, failed check (also BadDate)
+-- BadRelation    two elements that exclude each other, or one that needs another
+-- BadLink        a Digital Link that is none
+-- BadCoupon      a North American coupon (AI 8110, 8112)
+-- BadLabel       an in-store number that does not fit the template of the store

The texts name identifiers, places and rules, never a value: coupons and serial numbers are worth money.
"""

from __future__ import annotations


class Gs1Problem(ValueError):
    """Data is refused; the text says why and shows nothing of its values."""


class BadNumber(Gs1Problem):
    """This is no article number."""


class BadElement(Gs1Problem):
    """An element breaks the rule of its application identifier; `identifier` is empty where none was found."""

    def __init__(self, identifier: str, rule: str) -> None:
        self.identifier = identifier
        self.rule = rule
        super().__init__(f"AI ({identifier}): {rule}" if identifier else rule)


class BadDate(BadElement):
    """Six digits that are no date."""


class BadRelation(Gs1Problem):
    """An element must not stand beside another, or lacks one that it needs."""

    def __init__(self, identifier: str, rule: str) -> None:
        self.identifier = identifier
        super().__init__(f"AI ({identifier}) {rule}")


class BadLink(Gs1Problem):
    """This is no GS1 Digital Link in its plain form."""


class BadCoupon(Gs1Problem):
    """The value of AI 8110 or 8112 is none; `fault` is the word of the rule that it breaks."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(f"the coupon is refused: {fault.replace('-', ' ')}")


class BadLabel(Gs1Problem):
    """The number does not fit the template, or a check digit within it is wrong."""
