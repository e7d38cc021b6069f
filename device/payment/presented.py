"""What a reading can turn out to be."""

from __future__ import annotations

from dataclasses import dataclass, field

from device.gs1.coupons import ManufacturerCoupon
from device.gs1.items import TradeItem
from protocol import tokens


@dataclass(frozen=True, slots=True)
class WalletToken:
    """A token of the house wallet."""

    token: bytes = field(repr=False)

    @property
    def is_signed(self) -> bool:
        """Tell whether the terminal alone can check it."""
        return len(self.token) == tokens.SIGNED_BYTES


@dataclass(frozen=True, slots=True)
class ForeignToken:
    """A code that another wallet can charge."""

    scheme: str
    """"alipay", "wechat", "unionpay" or "emv"."""
    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Goods:
    """Goods whose code is sound, with whatever it says of them."""

    item: TradeItem


@dataclass(frozen=True, slots=True)
class CouponCode:
    """A coupon: of the house, a red packet, or a manufacturer's with its terms."""

    code: str = field(repr=False)
    terms: ManufacturerCoupon | None = None


@dataclass(frozen=True, slots=True)
class MemberCard:
    """A member card: of the house, or of another kind that the settings name."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who brought the shopper, and so gets the third party's share."""

    party: str


@dataclass(frozen=True, slots=True)
class Badge:
    """The card of a sales clerk or supervisor."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TechnicianCode:
    """The card of whoever looks after the terminal."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing that the counter can use; `notice` is the word that the pages explain."""

    notice: str


Presented = (
    WalletToken | ForeignToken | Goods | CouponCode | MemberCard | Attribution | Badge | TechnicianCode | Unknown
)
