"""A house wallet small enough for a test: the wire of settlement's phone side, with real signatures and real loss."""

from __future__ import annotations

import json
import secrets
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from keys.file import FileKey
from protocol import tokens
from protocol.emv_merchant import MerchantDetails, build_dynamic_code
from protocol.money import Money
from protocol.phone import Enrolment, Order, StatementRequest, point_to_key, read_phone
from protocol.tokens import Challenge


@dataclass
class Sale:
    challenge: Challenge
    amount: Money
    merchant: str = "Tea House"


@dataclass
class House:
    """Settings and books of the house wallet; `lose_answers` counts answers that are booked and never sent."""

    issuer: FileKey
    balance: int = 12_850
    lose_answers: int = 0
    pending_answers: int = 0
    sales: dict[tuple[str, str], Sale] = field(default_factory=dict)
    codes: set[str] = field(default_factory=lambda: {"7K2M-Q4XD"})
    coupons: list[dict[str, str]] = field(default_factory=list)
    member: str | None = None
    alias: bytes = field(default_factory=lambda: secrets.token_bytes(5))
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePublicKey | None = None
    orders: dict[str, tuple[Order, dict]] = field(default_factory=dict)
    payments: list[dict] = field(default_factory=list)
    order_messages: int = 0
    url: str = ""

    def open_sale(self, terminal: str, sale: str, minor: int, merchant: str = "Tea House") -> Challenge:
        challenge = Challenge(terminal, sale, secrets.token_bytes(16))
        self.sales[terminal, sale] = Sale(challenge, Money(minor, "CNY"), merchant)
        return challenge

    def book(self, sale: str, minor: int, merchant: str, verdict: str = "approved") -> None:
        self.balance -= minor if verdict == "approved" else 0
        amount = {"minor": minor, "currency": "CNY"}
        at_ms = time.time_ns() // 1_000_000
        row = {"sale": sale, "at_ms": at_ms, "amount": amount, "verdict": verdict, "merchant": merchant}
        self.payments.insert(0, row)

    def voucher(self) -> str:
        expires = int(time.time()) + 86_400
        limit = Money(20_000, "CNY")
        made = tokens.make_voucher(self.issuer, alias=self.alias, public_key=self.key, expires_s=expires, limit=limit)
        return tokens.write_voucher(made).hex()

    def enrol(self, body: bytes) -> dict:
        message, envelope = read_phone(Enrolment, body)
        key = point_to_key(message.public_key)
        envelope.verify(key)
        if message.code not in self.codes:
            raise PermissionError("the code is not known or was used")
        self.codes.discard(message.code)
        self.key = key
        texts = {"alias": self.alias.hex(), "secret": self.secret.hex(), "voucher": self.voucher()}
        return {**texts, "name": "Lin Mei", "currency": "CNY"}

    def order(self, body: bytes) -> dict:
        self.order_messages += 1
        order, envelope = read_phone(Order, body)
        envelope.verify(self.key)
        if order.order in self.orders:
            known, answer = self.orders[order.order]
            assert known == order, "the same id came with other content"
            if answer["verdict"] != "pending":
                return answer
        answer = self._decide(order)
        self.orders[order.order] = (order, answer)
        return answer

    def _decide(self, order: Order) -> dict:
        sale = self.sales.get((order.terminal, order.sale))
        if sale is None:
            raise PermissionError("the sale is not known")
        amount = {"minor": order.amount.minor, "currency": "CNY"}
        if self.pending_answers:
            self.pending_answers -= 1
            return {"verdict": "pending", "reason": "", "amount": amount}
        if order.nonce != sale.challenge.nonce or order.amount != sale.amount:
            return {"verdict": "declined", "reason": "challenge-mismatch", "amount": amount}
        if order.amount.minor > self.balance:
            return {"verdict": "declined", "reason": "insufficient-funds", "amount": amount}
        self.book(order.sale, order.amount.minor, sale.merchant)
        return {"verdict": "approved", "reason": "", "amount": amount}

    def statement(self, body: bytes) -> dict:
        message, envelope = read_phone(StatementRequest, body)
        assert message.alias == self.alias
        envelope.verify(self.key)
        balance = {"minor": self.balance, "currency": "CNY"}
        own = {"coupons": self.coupons, "member": self.member, "payments": self.payments}
        return {"balance": balance, "voucher": self.voucher(), **own}

    def offer(self, terminal: str, sale: str) -> dict:
        if (terminal, sale) not in self.sales:
            raise PermissionError("the sale is not known")
        known = self.sales[terminal, sale]
        return {"amount": {"minor": known.amount.minor, "currency": "CNY"}, "merchant": known.merchant}


def serve(house: House, certificate: tuple[Path, Path] | None = None) -> ThreadingHTTPServer:
    """Serve it on loopback in a thread; `house.url` then tells where."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(house))
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    house.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    return server


def _handler(house: House) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/cose"
            self._answer(getattr(house, self.path.removeprefix("/phone/")), body)

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            self._answer(house.offer, asked["terminal"][0], asked["sale"][0])

        def _answer(self, work, *arguments: object) -> None:
            try:
                status, answer = 200, work(*arguments)
            except PermissionError as refusal:
                status, answer = 403, {"error": str(refusal)}
            if work == house.order and house.lose_answers:
                house.lose_answers -= 1
                self.close_connection = True
                return
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler


def terminal_code(challenge: Challenge, minor: int) -> str:
    """Write the code as a terminal shows it."""
    merchant = MerchantDetails(
        name="Tea House", city="Shanghai", country="CN", local_language="zh", local_name="一间茶室"
    )
    return build_dynamic_code(
        merchant=merchant,
        amount=Money(minor, "CNY"),
        reference=challenge.sale,
        terminal=challenge.terminal,
        template=challenge.template(),
    )
