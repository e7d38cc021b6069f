"""Numbers with decimals, as weights and prices stand in codes: digits and the place of the point, never a float."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of `digits` in units of 10 to the power of minus `decimals`."""

    digits: int
    decimals: int

    def __str__(self) -> str:
        if not self.decimals:
            return str(self.digits)
        text = f"{self.digits:0{self.decimals + 1}d}"
        return f"{text[: -self.decimals]}.{text[-self.decimals :]}"

    def scaled(self, decimals: int) -> int | None:
        """Give it in units of 10 to the power of minus `decimals`; None where it lies between two of them."""
        if self.decimals <= decimals:
            return int(self.digits * 10 ** (decimals - self.decimals))
        whole, rest = divmod(self.digits, 10 ** (self.decimals - decimals))
        return None if rest else whole
