"""What a slip says, in Chinese and English. No token is on it."""

from __future__ import annotations

from datetime import datetime

from device.drivers.base import Slip, SlipLine, Style
from device.payment.views import SaleView

_TEXTS = {
    "zh": {
        "title": "付款凭证",
        "terminal": "终端",
        "time": "时间",
        "sale": "交易号",
        "member": "会员价",
        "paid": "实付",
        "payer": "付款方",
        "offline": "离线受理，稍后入账",
        "thanks": "谢谢惠顾",
    },
    "en": {
        "title": "Payment",
        "terminal": "Terminal",
        "time": "Time",
        "sale": "Sale",
        "member": "Member price",
        "paid": "Paid",
        "payer": "Payer",
        "offline": "Accepted offline, booked later",
        "thanks": "Thank you",
    },
}


def payment_slip(terminal: str, sale: SaleView, language: str) -> Slip:
    """Write the slip of a paid sale."""
    texts = _TEXTS[language]
    when = datetime.fromtimestamp(sale.closed_ms / 1000).astimezone()
    lines = [
        SlipLine(texts["title"], style=Style.LARGE),
        SlipLine(texts["terminal"], terminal),
        SlipLine(texts["time"], when.strftime("%Y-%m-%d %H:%M:%S")),
        SlipLine(texts["sale"], sale.sale),
        SlipLine(style=Style.RULE),
        *(SlipLine(f"{line.quantity} x {line.label}", line.amount.decimal) for line in sale.lines),
        *(SlipLine(_discount_label(each.label, texts), f"-{each.amount.decimal}") for each in sale.discounts),
        SlipLine(texts["paid"], str(sale.amount), Style.BOLD),
    ]
    if sale.payer:
        lines.append(SlipLine(texts["payer"], sale.payer))
    if sale.offline:
        lines.append(SlipLine(texts["offline"], style=Style.CENTRED))
    lines += [SlipLine(style=Style.RULE), SlipLine(texts["thanks"], style=Style.CENTRED)]
    return Slip(tuple(lines))


def _discount_label(label: str, texts: dict[str, str]) -> str:
    return texts["member"] if label == "member" else label
