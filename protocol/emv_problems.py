"""What can be wrong with an EMVCo code.

EmvQrProblem (a ValueError)
+-- NotMerchantCode    the text is no merchant-presented code
+-- NotShopperCode     the text is no consumer-presented code
+-- NotChallengeCode   a sound merchant-presented code, but not one of a Tillwave terminal
+-- TooLong            more than any such code holds
+-- BadCrc             the check value does not fit: misread or altered
+-- BadLength          an object does not end where its length says
+-- BadTag             something stands where an object should begin
+-- MissingObject      a mandatory object is absent
+-- DuplicateObject    an object stands twice, so that its value is ambiguous
+-- BadAmount          no amount, or one that the currency does not have
+-- BadValue           another object's value breaks its rule

A code may hold card numbers. So the texts name objects, counts and rules, never a value.
"""

from __future__ import annotations


class EmvQrProblem(ValueError):
    """An EMVCo code is refused; the text says why and shows nothing of its values."""


class NotMerchantCode(EmvQrProblem):
    """The text does not begin as a merchant-presented code."""

    def __init__(self) -> None:
        super().__init__("this is not an EMVCo merchant code")


class NotShopperCode(EmvQrProblem):
    """The text is not base64 of a consumer-presented code."""

    def __init__(self) -> None:
        super().__init__("this is not an EMVCo shopper code")


class NotChallengeCode(EmvQrProblem):
    """A merchant code is well-formed, but no terminal of Tillwave shows such."""

    def __init__(self, why: str) -> None:
        super().__init__(f"this is not the code of a Tillwave terminal: {why}")


class TooLong(EmvQrProblem):
    """The text is longer than any code of its kind."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the code has more than {limit} characters")


class BadCrc(EmvQrProblem):
    """The check value does not fit."""

    def __init__(self) -> None:
        super().__init__("the check value of the code does not fit; scan it again or refuse it")


class BadLength(EmvQrProblem):
    """An object does not end where its length says, or does not fit into its length."""

    def __init__(self, place: str, detail: str) -> None:
        self.place = place
        super().__init__(f"{place}: {detail}")


class BadTag(EmvQrProblem):
    """Something stands where the identifier of an object should."""

    def __init__(self, place: str, detail: str) -> None:
        self.place = place
        super().__init__(f"{place}: {detail}")


class MissingObject(EmvQrProblem):
    """A mandatory object is absent or not in its place."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"{place} is missing or not in its place")


class DuplicateObject(EmvQrProblem):
    """An object that may stand once stands twice."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"{place} stands twice")


class BadAmount(EmvQrProblem):
    """The amount is none, or its currency does not have it."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"object 54: {detail}")


class BadValue(EmvQrProblem):
    """A value breaks the rule of its object."""

    def __init__(self, place: str, rule: str) -> None:
        self.place = place
        super().__init__(f"{place}: {rule}")
