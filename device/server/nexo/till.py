"""What nexo messages mean at this counter, and how the counter's views are told in nexo."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from device.payment import errors
from device.payment.views import CounterView, DayView, Phase, RefundView, SaleView
from device.server.nexo.messages import AmountsReq, ErrorCondition, SaleData, TransactionID, build
from device.server.nexo.problems import BadMessage
from protocol import currencies
from protocol.money import LARGEST_MINOR, Money

_CONDITIONS: dict[type[errors.CounterProblem], ErrorCondition] = {
    errors.Busy: ErrorCondition.BUSY,
    errors.OutOfService: ErrorCondition.DEVICE_OUT,
    errors.BadRequest: ErrorCondition.MESSAGE_FORMAT,
    errors.IdConflict: ErrorCondition.NOT_ALLOWED,
    errors.NotFound: ErrorCondition.NOT_FOUND,
    errors.TooLate: ErrorCondition.NOT_ALLOWED,
    errors.NotAllowed: ErrorCondition.NOT_ALLOWED,
    errors.Offline: ErrorCondition.UNREACHABLE_HOST,
    errors.CounterProblem: ErrorCondition.NOT_ALLOWED,
}
_NOBODY_PAID = frozenset({"deadline", "stopped", "interrupted"})
_LONGEST = len(str(LARGEST_MINOR)) + 1
_BADGE = "badge="

Part = dict[str, Any]


def money_of(currency: str, amount: Decimal) -> Money:
    """Give an amount in minor units; BadMessage for fractions of them, for nothing and for too much."""
    try:
        exponent = currencies.by_code(currency).exponent
    except currencies.UnknownCurrency as error:
        raise BadMessage(str(error)) from None
    if not amount.is_finite() or amount.adjusted() > _LONGEST or -int(amount.as_tuple().exponent) > _LONGEST:
        raise BadMessage("the amount is none that this terminal can take")
    minor = amount.scaleb(exponent)
    if minor != minor.to_integral_value() or not 1 <= minor <= LARGEST_MINOR:
        raise BadMessage(f"an amount of {currency} is above zero and has at most {exponent} decimals")
    return Money(int(minor), currency)


def asked_of(amounts: AmountsReq) -> Money:
    """Give what a payment asks for."""
    return money_of(amounts.currency, amounts.requested_amount)


def badge_of(data: SaleData | None) -> str:
    """Give the supervisor's badge that a register has read and sends along; empty if none."""
    said = data.sale_to_poi_data if data else ""
    return said.removeprefix(_BADGE).strip() if said.startswith(_BADGE) else ""


def succeeded() -> Part:
    """Tell that it was done."""
    return {"Result": "Success"}


def failed(condition: ErrorCondition, text: str) -> Part:
    """Tell why it was not done."""
    return {"Result": "Failure", "ErrorCondition": condition.value, "AdditionalResponse": urlencode({"message": text})}


def refused(problem: errors.CounterProblem) -> Part:
    """Tell what the counter refuses."""
    condition = next(_CONDITIONS[kind] for kind in type(problem).__mro__ if kind in _CONDITIONS)
    return failed(condition, str(problem))


def payment_response(sale: SaleView, data: SaleData, stamp: str) -> Part:
    """Tell how a sale ended."""
    shown: Part = {
        "Response": _ended(sale),
        "SaleData": _own(data),
        "POIData": _ours(sale.payment or sale.sale, stamp),
    }
    if sale.phase is Phase.PAID:
        shown["PaymentResult"] = {
            "PaymentType": "Normal",
            "PaymentInstrumentData": {"PaymentInstrumentType": "Mobile"},
            "AmountsResp": _amounts(sale),
            "OnlineFlag": not sale.offline,
            "PaymentAcquirerData": {
                "AcquirerID": sale.scheme,
                "AcquirerTransactionID": _transaction(sale.payment, stamp),
                "ApprovalCode": sale.payment[:6].upper(),
            },
        }
    return shown


def refund_response(refund: RefundView, data: SaleData | None, stamp: str) -> Part:
    """Tell what became of a refund."""
    if refund.state == "approved":
        response = succeeded()
    elif refund.state == "declined":
        response = failed(ErrorCondition.REFUSAL, refund.reason)
    else:
        response = failed(ErrorCondition.IN_PROGRESS, "settlement has not decided yet; ask for the transaction status")
    shown: Part = {"Response": response, "POIData": _ours(refund.refund, stamp)}
    if data is not None:
        shown["SaleData"] = _own(data)
    if refund.state == "approved":
        shown["PaymentResult"] = {
            "PaymentType": "Refund",
            "AmountsResp": {"Currency": refund.amount.currency, "AuthorizedAmount": Decimal(refund.amount.decimal)},
            "OnlineFlag": True,
        }
    return shown


def reversal_response(refund: RefundView, stamp: str) -> Part:
    """Tell what became of a reversal."""
    told = refund_response(refund, None, stamp)
    shown: Part = {"Response": told["Response"], "POIData": told["POIData"]}
    if refund.state == "approved":
        shown["ReversedAmount"] = Decimal(refund.amount.decimal)
    return shown


def diagnosis_response(view: CounterView, *, is_busy: bool) -> Part:
    """Tell how the terminal is."""
    status = "Busy" if is_busy else "OK"
    printer = next((health for name, health in view.devices if name == "printer"), None)
    poi: Part = {
        "GlobalStatus": status if view.in_service else "Maintenance",
        "CommunicationOKFlag": view.online,
    }
    if printer is not None:
        poi["PrinterStatus"] = "OK" if printer.state.value == "working" else "OutOfOrder"
    host = {"AcquirerID": "settlement", "IsReachableFlag": view.online}
    return {"Response": succeeded(), "POIStatus": poi, "HostStatus": [host]}


def reconciliation_response(day: DayView, stamp: str) -> Part:
    """Tell the totals of a day that was closed; differences are told as a partial result."""
    response = (
        succeeded()
        if day.agrees
        else {"Result": "Partial", "AdditionalResponse": urlencode({"message": "terminal and settlement differ"})}
    )
    totals = [
        _total("Debit", day.paid_count, day.paid),
        _total("Credit", day.refunded_count, day.refunded),
    ]
    return {
        "Response": response,
        "ReconciliationType": "SaleReconciliation",
        "POIReconciliationID": stamp,
        "TransactionTotals": [
            {"PaymentInstrumentType": "Mobile", "PaymentCurrency": day.paid.currency, "PaymentTotals": totals}
        ],
    }


def _ended(sale: SaleView) -> Part:
    if sale.phase is Phase.PAID:
        return succeeded()
    if sale.phase is Phase.CANCELLED:
        return failed(ErrorCondition.ABORTED, sale.reason or "cancelled")
    if sale.phase is Phase.UNPAID:
        condition = ErrorCondition.CANCEL if sale.reason in _NOBODY_PAID else ErrorCondition.REFUSAL
        return failed(condition, sale.reason)
    return failed(ErrorCondition.IN_PROGRESS, "the outcome is not known yet; ask for the transaction status")


def _amounts(sale: SaleView) -> Part:
    rebates = sum(discount.amount.minor for discount in sale.discounts)
    shown: Part = {"Currency": sale.amount.currency, "AuthorizedAmount": Decimal(sale.amount.decimal)}
    if rebates:
        shown["TotalRebatesAmount"] = Decimal(Money(rebates, sale.amount.currency).decimal)
    return shown


def _own(data: SaleData) -> Part:
    return {"SaleTransactionID": build(data.sale_transaction_id)}


def _ours(name: str, stamp: str) -> Part:
    return {"POITransactionID": _transaction(name, stamp)}


def _transaction(name: str, stamp: str) -> Part:
    return dict(build(TransactionID(transaction_id=name, time_stamp=stamp)))


def _total(kind: str, count: int, amount: Money) -> Part:
    return {"TransactionType": kind, "TransactionCount": count, "TransactionAmount": Decimal(amount.decimal)}
