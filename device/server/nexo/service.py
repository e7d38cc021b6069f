"""Takes protected messages and gives protected answers. A ServiceID runs once; a lost answer is asked for again."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from device.payment.errors import CounterProblem, NotFound
from device.payment.views import Desk, OpenSale, RefundRequest, RefundView, SaleView
from device.ports import Clock, Randomness
from device.server.limiter import Limiter
from device.server.nexo import till
from device.server.nexo.crypto import NONCE_BYTES, Protected, protect, unprotect
from device.server.nexo.log import Logged, MessageLog, content_of
from device.server.nexo.messages import (
    AbortRequest,
    Envelope,
    ErrorCondition,
    Header,
    PaymentRequest,
    ReversalRequest,
    SaleData,
    SecurityTrailer,
    TransactionStatusRequest,
    build,
    decode,
    encode,
    read,
)
from device.server.nexo.passphrases import Passphrase, Passphrases
from device.server.nexo.problems import BadMessage, NexoProblem, NotGenuine

log = logging.getLogger(__name__)

PATIENCE_S = 240.0
"""So long a register waits for an answer; a sale's deadline and the password of a shopper lie below it."""
_WRONG_BADGES_A_MINUTE = 5
_REFUND, _NORMAL = "Refund", "Normal"

_Part = till.Part


class Unfinished(NexoProblem):
    """There is no outcome yet, and none may be guessed: the register asks for the transaction status."""


class NexoService:
    """Answers registers in their own language."""

    def __init__(
        self,
        desk: Desk,
        passphrases: Passphrases,
        message_log: MessageLog,
        *,
        terminal: str,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._desk = desk
        self._passphrases = passphrases
        self._log = message_log
        self._terminal = terminal
        self._clock = clock
        self._randomness = randomness
        self._wrong_badges = Limiter(clock, _WRONG_BADGES_A_MINUTE)
        self._closing = asyncio.Event()
        self._handlers: dict[str, Callable[[Header, Any], Awaitable[_Part | None]]] = {
            "Payment": self._pay,
            "Reversal": self._reverse,
            "TransactionStatus": self._tell_status,
            "Abort": self._abort,
            "Diagnosis": self._diagnose,
            "Reconciliation": self._reconcile,
        }

    def close(self) -> None:
        """End all that wait, without an answer."""
        self._closing.set()

    async def answer(self, body: bytes) -> bytes:
        """Answer one message, empty for an Abort; NotGenuine, BadMessage or Unfinished when there is no answer."""
        envelope = read(decode(body).get("SaleToPOIRequest"), Envelope)
        passphrase, header, message = self._open(envelope)
        response = await self._respond(header, message)
        if response is None:
            return b""
        return self._seal(header.answer(), response, passphrase)

    def _open(self, envelope: Envelope) -> tuple[Passphrase, Header, _Part]:
        trailer = envelope.security_trailer
        passphrase = self._passphrases.find(trailer.key_identifier, trailer.key_version)
        protected = Protected(envelope.nexo_blob, trailer.nonce, trailer.hmac)
        message = decode(unprotect(protected, self._passphrases.keys_of(passphrase))).get("SaleToPOIRequest")
        if not isinstance(message, dict):
            raise BadMessage("the message holds no request")
        header = read(message.get("MessageHeader"), Header)
        if header != envelope.message_header or header.sale_id != passphrase.register:
            raise NotGenuine
        return passphrase, header, message

    def _seal(self, header: Header, response: _Part, passphrase: Passphrase) -> bytes:
        message = encode({"SaleToPOIResponse": {"MessageHeader": build(header), **response}})
        nonce = self._randomness.token_bytes(NONCE_BYTES)
        protected = protect(message, self._passphrases.keys_of(passphrase), nonce)
        trailer = SecurityTrailer(1, passphrase.identifier, passphrase.version, protected.nonce, protected.mac)
        envelope = Envelope(header, protected.blob, trailer)
        return encode({"SaleToPOIResponse": build(envelope)})

    async def _respond(self, header: Header, message: _Part) -> _Part | None:
        category = header.message_category
        handler = self._handlers.get(category)
        if handler is None:
            text = f"this terminal has no {category}"
            return {f"{category}Response": {"Response": till.failed(ErrorCondition.UNAVAILABLE_SERVICE, text)}}
        try:
            self._refuse_other_terminal(header)
            return await handler(header, message.get(f"{category}Request"))
        except BadMessage as problem:
            said = till.failed(ErrorCondition.MESSAGE_FORMAT, str(problem))
        except CounterProblem as problem:
            said = till.refused(problem)
        log.info("%s of %r is refused: %s", category, header.sale_id, said["ErrorCondition"])
        return None if category == "Abort" else {f"{category}Response": {"Response": said}}

    def _refuse_other_terminal(self, header: Header) -> None:
        if header.poi_id != self._terminal:
            raise BadMessage(f"this terminal is {self._terminal}")

    # what moves money

    async def _pay(self, header: Header, part: Any) -> _Part:
        request = read(part, PaymentRequest)
        kind = request.payment_data.payment_type
        if kind not in (_NORMAL, _REFUND):
            raise BadMessage(f"this terminal knows payments of type {_NORMAL} and {_REFUND}")
        amount = till.asked_of(request.payment_transaction.amounts_req)
        original = request.payment_transaction.original_poi_transaction
        if kind == _REFUND and original is None:
            raise BadMessage("a refund names the payment in OriginalPOITransaction")

        async def carry_out(name: str) -> _Part:
            if kind == _NORMAL or original is None:
                self._desk.open_sale(OpenSale(header.sale_id, name, amount))
                return self._told_payment(await self._until_paid(header.sale_id, name), request.sale_data)
            payment = original.poi_transaction_id.transaction_id
            refund = await self._refund(header, name, payment, amount, request.sale_data)
            return till.refund_response(refund, request.sale_data, self._stamp(self._clock.wall().ms))

        return await self._once(header, part, request.sale_data, carry_out)

    async def _reverse(self, header: Header, part: Any) -> _Part:
        request = read(part, ReversalRequest)
        payment = request.original_poi_transaction.poi_transaction_id.transaction_id

        async def carry_out(name: str) -> _Part:
            whole, part_of_it = self._paid_by(payment).amount, request.reversed_amount
            amount = whole if part_of_it is None else till.money_of(whole.currency, part_of_it)
            refund = await self._refund(header, name, payment, amount, request.sale_data)
            return till.reversal_response(refund, self._stamp(self._clock.wall().ms))

        return await self._once(header, part, request.sale_data, carry_out)

    async def _once(
        self, header: Header, part: Any, data: SaleData | None, carry_out: Callable[[str], Awaitable[_Part]]
    ) -> _Part:
        """Run a message, or give the answer that it had; the same ServiceID with other content is refused."""
        if not header.service_id:
            raise BadMessage("a message that moves money has a ServiceID")
        content = content_of(encode(part))
        known = self._log.find(header.sale_id, header.service_id)
        if known is not None and (known.category, known.content) != (header.message_category, content):
            said = till.failed(ErrorCondition.NOT_ALLOWED, "this ServiceID was used for another message")
            return {f"{header.message_category}Response": {"Response": said}}
        if known is not None and known.answer is not None:
            return decode(known.answer)
        name = known.request if known else f"{header.service_id}-{content.hex()[:16]}"
        if known is None:
            self._log.enter(header.sale_id, header.service_id, _logged(header, content, name, data))
        answer = {f"{header.message_category}Response": await carry_out(name)}
        self._log.settle(header.sale_id, header.service_id, encode(answer))
        return answer

    async def _refund(self, header: Header, name: str, payment: str, amount: Any, data: SaleData | None) -> RefundView:
        if self._wrong_badges.is_exhausted:
            raise CounterProblem("too many wrong badges; wait a minute")
        try:
            self._desk.refund(RefundRequest(header.sale_id, name, payment, amount, till.badge_of(data)))
        except CounterProblem as problem:
            if problem.reason == "not-allowed":
                self._wrong_badges.note_failure()
            raise
        await self._until(lambda: self._desk.find_refund(header.sale_id, name).state != "unknown")
        return self._desk.find_refund(header.sale_id, name)

    def _paid_by(self, payment: str) -> SaleView:
        for sale in self._desk.view().last:
            if payment and sale.payment == payment:
                return sale
        raise NotFound("there is no payment with this id among the latest; refund it by its amount")

    # what asks

    async def _tell_status(self, header: Header, part: Any) -> _Part:
        reference = read(part, TransactionStatusRequest).message_reference
        service = reference.service_id if reference else ""
        register = header.sale_id
        known = self._log.find(register, service) if service else self._log.newest(register)
        if known is None:
            said = till.failed(ErrorCondition.NOT_FOUND, "this terminal has not received it")
            return {"TransactionStatusResponse": {"Response": said}}
        answer = known.answer or self._found_answer(register, known)
        if answer is None:
            said = till.failed(ErrorCondition.IN_PROGRESS, "it is not decided yet")
            return {"TransactionStatusResponse": {"Response": said}}
        repeated = {
            "MessageHeader": decode(known.header)["MessageHeader"],
            "RepeatedResponseMessageBody": decode(answer),
        }
        return {"TransactionStatusResponse": {"Response": till.succeeded(), "RepeatedMessageResponse": repeated}}

    def _found_answer(self, register: str, known: Logged) -> bytes | None:
        """Answer for a message whose line was cut: the counter knows how it ended."""
        noted = decode(known.header).get("SaleData")
        data = None if noted is None else read(noted, SaleData)
        stamp = self._stamp(self._clock.wall().ms)
        try:
            sale = self._desk.find(register, known.request)
        except NotFound:
            return self._found_refund(register, known, data, stamp)
        return encode({"PaymentResponse": self._told_payment(sale, data)}) if sale.phase.is_final and data else None

    def _found_refund(self, register: str, known: Logged, data: SaleData | None, stamp: str) -> bytes | None:
        try:
            refund = self._desk.find_refund(register, known.request)
        except NotFound:
            said = till.failed(ErrorCondition.ABORTED, "nothing was done")
            return encode({f"{known.category}Response": {"Response": said}})
        if refund.state == "unknown":
            return None
        if known.category == "Reversal":
            return encode({"ReversalResponse": till.reversal_response(refund, stamp)})
        return encode({"PaymentResponse": till.refund_response(refund, data, stamp)})

    async def _abort(self, header: Header, part: Any) -> None:
        service = read(part, AbortRequest).message_reference.service_id
        known = self._log.find(header.sale_id, service)
        if known is None:
            raise NotFound("there is nothing to abort")
        self._desk.cancel(self._desk.find(header.sale_id, known.request).sale)

    async def _diagnose(self, _header: Header, _part: Any) -> _Part:
        view = self._desk.view()
        is_busy = view.sale is not None and not view.sale.phase.is_final
        return {"DiagnosisResponse": till.diagnosis_response(view, is_busy=is_busy)}

    async def _reconcile(self, _header: Header, _part: Any) -> _Part:
        day = await self._desk.close_day()
        return {"ReconciliationResponse": till.reconciliation_response(day, self._stamp(self._clock.wall().ms))}

    # waiting

    async def _until_paid(self, register: str, name: str) -> SaleView:
        await self._until(lambda: self._desk.find(register, name).phase.is_final)
        return self._desk.find(register, name)

    async def _until(self, is_done: Callable[[], bool]) -> None:
        """Wait for what the counter shows; Unfinished when it takes too long or the terminal stops."""
        changed = asyncio.Event()
        end = self._desk.subscribe(lambda _view: changed.set())
        closing = asyncio.create_task(self._closing.wait())
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not is_done():
                    waiting = asyncio.create_task(changed.wait())
                    await asyncio.wait({waiting, closing}, return_when=asyncio.FIRST_COMPLETED)
                    waiting.cancel()
                    changed.clear()
                    if closing.done() and not is_done():
                        raise Unfinished
        except TimeoutError:
            raise Unfinished from None
        finally:
            closing.cancel()
            end()

    def _told_payment(self, sale: SaleView, data: SaleData | None) -> _Part:
        assert data is not None, "a payment says what the register calls it"
        return till.payment_response(sale, data, self._stamp(sale.closed_ms))

    def _stamp(self, wall_ms: int) -> str:
        return dt.datetime.fromtimestamp(wall_ms / 1000, dt.UTC).isoformat(timespec="milliseconds")


def _logged(header: Header, content: bytes, name: str, data: SaleData | None) -> Logged:
    noted: _Part = {"MessageHeader": build(header.answer())}
    if data is not None:
        noted["SaleData"] = {"SaleTransactionID": build(data.sale_transaction_id)}
    return Logged(header.message_category, content, name, encode(noted), None)
