"""Views as JSON. Money is {"minor", "currency", "decimal"}; what a shopper or a stranger may not see is left out."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from device.payment.views import CounterView, DayView, DiscountView, LineView, RefundView, SaleView
from device.sight import Guidance
from protocol import money
from protocol.money import Money

Json = dict[str, Any]


def money_json(amount: Money) -> Json:
    """Show an amount."""
    return {"minor": amount.minor, "currency": amount.currency, "decimal": amount.decimal}


def payment_json(sale: SaleView) -> Json:
    """Show a sale to the register that asked for it; `version` changes with anything else."""
    shown = {"id": sale.request, **sale_json(sale)}
    return {**shown, "version": _version(shown)}


def sale_json(sale: SaleView) -> Json:
    """Show a sale to register and cashier."""
    return {
        "sale": sale.sale,
        "register": sale.register,
        "request": sale.request,
        "phase": sale.phase.value,
        "final": sale.phase.is_final,
        "amount": money_json(sale.amount),
        "goods": money_json(_before_discounts(sale)),
        "lines": [_line_json(line) for line in sale.lines],
        "discounts": [_discount_json(discount) for discount in sale.discounts],
        "member": sale.member,
        "challenge": sale.challenge,
        "reason": sale.reason,
        "notice": sale.notice,
        "scheme": sale.scheme,
        "payer": sale.payer,
        "payment": sale.payment,
        "offline": sale.offline,
        "refunded": money_json(sale.refunded),
        "opened_ms": sale.opened_ms,
        "closed_ms": sale.closed_ms,
        "attempt_ms": sale.attempt_ms,
    }


def refund_json(refund: RefundView) -> Json:
    """Show a refund."""
    shown = {
        "id": refund.request,
        "refund": refund.refund,
        "register": refund.register,
        "payment": refund.payment,
        "amount": money_json(refund.amount),
        "state": refund.state,
        "final": refund.state != "unknown",
        "reason": refund.reason,
    }
    return {**shown, "version": _version(shown)}


def day_json(day: DayView) -> Json:
    """Show the close of a day."""
    return {
        "agrees": day.agrees,
        "open_records": day.open_records,
        "terminal": _totals_json(day.paid_count, day.paid, day.refunded_count, day.refunded),
        "settlement": _totals_json(
            day.settled_paid_count, day.settled_paid, day.settled_refunded_count, day.settled_refunded
        ),
    }


def service_json(view: CounterView) -> Json:
    """Show how the terminal is doing."""
    return {
        "terminal": view.terminal,
        "in_service": view.in_service,
        "trouble": view.trouble,
        "online": view.online,
        "offline_allowed": view.offline_allowed,
        "queue": view.queue,
        "devices": [
            {"name": name, "state": health.state.value, "detail": health.detail} for name, health in view.devices
        ],
    }


def cashier_json(view: CounterView, now_ms: int, guidance: Guidance | None = None) -> Json:
    """Show everything that a cashier's page shows."""
    return {
        **service_json(view),
        "jammed": view.jammed,
        "sale": sale_json(view.sale) if view.sale else None,
        "guidance": guidance_json(guidance),
        "last": [sale_json(sale) for sale in view.last],
        "now_ms": now_ms,
    }


def display_json(
    view: CounterView, now_ms: int, code: str, code_left_ms: int, *, hears: bool, guidance: Guidance | None = None
) -> Json:
    """Show what the shopper may see: the running sale without payer and ids of payments, nothing of other sales."""
    return {
        "terminal": view.terminal,
        "in_service": view.in_service,
        "sale": _shopper_json(view.sale) if view.sale else None,
        "sound": hears and not view.jammed,
        "guidance": guidance_json(guidance),
        "code": code,
        "code_left_ms": code_left_ms,
        "now_ms": now_ms,
    }


def guidance_json(guidance: Guidance | None) -> Json | None:
    """Show what a camera says of a code: a word, and places as parts of the picture; nothing without a place.

    A camera in the dark, or with its cap on, is a matter of light: the shopper may still pay in another way.
    """
    if guidance is None or not guidance.places:
        return None
    return {
        "hint": guidance.hint.value if guidance.hint else "",
        "places": [[place.left, place.top, place.right, place.bottom] for place in guidance.places],
    }


def _shopper_json(sale: SaleView) -> Json:
    return {
        "sale": sale.sale,
        "phase": sale.phase.value,
        "final": sale.phase.is_final,
        "amount": money_json(sale.amount),
        "goods": money_json(_before_discounts(sale)),
        "lines": [_line_json(line) for line in sale.lines],
        "discounts": [_discount_json(discount) for discount in sale.discounts],
        "member": sale.member,
        "challenge": hashlib.sha256(sale.challenge.encode()).hexdigest()[:16] if sale.challenge else "",
        "reason": sale.reason,
        "notice": sale.notice,
        "closed_ms": sale.closed_ms,
    }


def _before_discounts(sale: SaleView) -> Money:
    return sale.amount + money.total([discount.amount for discount in sale.discounts], sale.amount.currency)


def _line_json(line: LineView) -> Json:
    return {
        "code": line.code,
        "label": line.label,
        "quantity": line.quantity,
        "amount": money_json(line.amount),
    }


def _discount_json(discount: DiscountView) -> Json:
    return {"label": discount.label, "amount": money_json(discount.amount)}


def _totals_json(paid_count: int, paid: Money, refunded_count: int, refunded: Money) -> Json:
    return {
        "paid_count": paid_count,
        "paid": money_json(paid),
        "refunded_count": refunded_count,
        "refunded": money_json(refunded),
    }


def _version(shown: Json) -> str:
    return hashlib.sha256(msgspec.json.encode(shown)).hexdigest()[:16]
