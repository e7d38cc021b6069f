"""The real settlement's side for phones, behind a way that can lose answers after they were booked."""

from __future__ import annotations

import asyncio
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from keys.file import FileKey
from protocol import answers, ids
from protocol.answers import Decision
from protocol.emv_merchant import MerchantDetails, build_dynamic_code
from protocol.money import Money
from protocol.records import Action, ChallengeOpened, Intent, Mode, Result
from protocol.tokens import Challenge
from settlement import accounts, ledger, offers, payments, reports, sales, splits
from settlement.acquirers.house_wallet import SCHEME
from settlement.charging import Charging, Heard
from settlement.clock import Clock
from settlement.config import BrokerSettings, HttpSettings, Settings, Splits
from settlement.opening import office_of
from settlement.phones import PhoneDesk
from settlement.server.app import PhoneServer
from settlement.server.limits import RateLimit
from settlement.server.listener import Listener
from settlement.store import Store

TERMINAL = "till-1"


class House:
    """Settlement with one account of 128.50, as a test steers it."""

    def __init__(self, folder: Path, clock: Clock, certificate: tuple[Path, Path] | None = None) -> None:
        self.issuer = FileKey.create(folder / "settlement.key")
        nowhere = folder / "not-used"
        files = certificate or (None, None)
        self.settings = Settings(
            mall="riverside",
            currency="CNY",
            merchant="Tea House",
            authority=nowhere,
            key=nowhere,
            certificate=nowhere,
            broker=BrokerSettings(certificate=nowhere, key=nowhere),
            splits=Splits(version="1", merchant=10_000),
            state=folder / "state",
            http=HttpSettings(port=0, certificate=files[0], key=files[1]),
        )
        self.office = office_of(self.settings, self.issuer, clock)
        self.store = Store(self.settings.database_url)
        self.decisions: list[tuple[str, bytes]] = []
        desk = PhoneDesk(self.office, self.store, self.office.acquirers[SCHEME])
        self.server = PhoneServer(self.office, self.store, desk, lambda *decision: self.decisions.append(decision))
        self.app = self.server.app()
        self.listener = Listener(self.settings.http, self.app)
        self.way = LossyWay(self)

    def start(self) -> None:
        self.store.start()
        with self.store.writing() as connection:
            wallet = accounts.open_account(connection, self.office, "Lin Mei")
            accounts.load_money(connection, self.office, wallet, Money(12_850, "CNY"))
            self.code = accounts.make_code(connection, self.office, wallet)
        self.alias = wallet.alias
        if self.settings.http.certificate:
            self.listener.start()
        self.way.start()

    def stop(self) -> None:
        self.way.stop()
        self.listener.stop()
        self.store.stop()

    @property
    def url(self) -> str:
        """The way to settlement that a test can cut."""
        return f"http://127.0.0.1:{self.way.server.server_port}"

    @property
    def https_url(self) -> str:
        """Settlement's own server, if it was given a certificate."""
        return f"https://127.0.0.1:{self.listener.port}"

    @property
    def balance(self) -> int:
        return self._statement()["balance"]["minor"]

    @property
    def payments(self) -> list[dict]:
        return self._statement()["payments"]

    def allow_calls(self, count: int) -> None:
        """Let phones call so often and no more."""
        self.server._calls = RateLimit(self.office.clock, count, 60)

    def load(self, minor: int) -> None:
        with self.store.writing() as connection:
            wallet = accounts.by_alias(connection, self.alias)
            accounts.load_money(connection, self.office, wallet, Money(minor, "CNY"))

    def open_sale(self, minor: int = 1230, sale: str = "") -> Challenge:
        challenge = Challenge(TERMINAL, sale or new_id(), secrets.token_bytes(16))
        opened = ChallengeOpened(sale=challenge.sale, amount=Money(minor, "CNY"), nonce=challenge.nonce, coupons=())
        with self.store.writing() as connection:
            sales.open_challenge(connection, TERMINAL, 1, opened)
        return challenge

    def close_sale(self, sale: str) -> None:
        with self.store.writing() as connection:
            sales.close(connection, TERMINAL, sale, Result.UNPAID)

    def take_at_counter(self, minor: int) -> str:
        """Book a payment as the counter's intent would."""
        sale = new_id()
        with self.store.writing() as connection:
            payment = payments.Payment(
                terminal=TERMINAL,
                payment=new_id(),
                action=Action.PAY,
                sale=sale,
                number=1,
                scheme=SCHEME,
                source=accounts.by_alias(connection, self.alias).account,
                payer="",
                amount=Money(minor, "CNY"),
                state=payments.State.PAID,
                terms=splits.make_terms(self.settings, TERMINAL, None, ()),
            )
            payments.book(connection, self.office, payment, ())
        return sale

    def present(self, challenge: Challenge, token: bytes, minor: int = 1230) -> Decision:
        """Decide on a token as if the terminal of a challenge had got it in that sale."""
        intent = Intent(
            sale=challenge.sale,
            attempt=new_id(),
            amount=Money(minor, "CNY"),
            scheme=SCHEME,
            token=token,
            mode=Mode.ONLINE,
            coupons=(),
            lines=(),
            nonce=challenge.nonce,
        )
        heard = Heard(challenge.terminal, 1, self.office.clock.now_ms(), intent)
        with self.store.writing() as connection:
            sealed = Charging(self.office).take_intent(connection, heard)
        return answers.open_answer(Decision, sealed, self.issuer.public_key)

    def give_coupon(self, label: str) -> str:
        with self.store.writing() as connection:
            terms = offers.CouponTerms(label=label, funder="merchant", minor=500)
            return offers.coupon_text(offers.issue_coupon(connection, self.office, terms, self.alias))

    def give_member_card(self) -> str:
        with self.store.writing() as connection:
            return offers.member_text(offers.issue_member(connection, self.office, "Lin Mei", 300, self.alias))

    def complaints(self) -> list[str]:
        with self.store.reading() as connection:
            return ledger.check(connection)

    def _statement(self) -> dict:
        with self.store.reading() as connection:
            wallet = accounts.by_alias(connection, self.alias)
            return reports.of_wallet(connection, self.office, wallet)


class LossyWay:
    """A way to settlement that counts, loses and changes what passes."""

    def __init__(self, house: House) -> None:
        self.lose_answers = 0
        """Orders that settlement carries out and the phone hears nothing of."""
        self.pending_answers = 0
        """Orders that are answered as an acquirer would that asks the shopper for a password."""
        self.is_cut = False
        self.changes: dict[str, object] = {}
        self.orders = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(house))
        self.server.daemon_threads = True

    def start(self) -> None:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def pass_on(self, house: House, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        answer = asyncio.run(_ask(house, method, path, headers, body))
        if self.changes and path == "/phone/statement":
            return httpx.Response(200, json=answer.json() | self.changes)
        return answer

    def _handler(way, house: House) -> type[BaseHTTPRequestHandler]:  # noqa: N805 self is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_order = self.path == "/phone/order"
                way.orders += is_order
                if is_order and way.pending_answers:
                    way.pending_answers -= 1
                    amount = {"minor": 1230, "currency": "CNY"}
                    pending = {"verdict": "pending", "reason": "", "amount": amount}
                    return self._answer(httpx.Response(200, json=pending))
                headers = {"Content-Type": self.headers["Content-Type"]}
                answer = way.pass_on(house, "POST", self.path, headers, body)
                if way.is_cut or (is_order and way.lose_answers):
                    way.lose_answers -= is_order
                    self.close_connection = True
                    return None
                return self._answer(answer)

            def do_GET(self) -> None:
                self._answer(way.pass_on(house, "GET", self.path, {}, b""))

            def _answer(self, answer: httpx.Response) -> None:
                self.send_response(answer.status_code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler


async def _ask(house: House, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
    settlement = httpx.ASGITransport(house.app)
    async with httpx.AsyncClient(transport=settlement, base_url="http://settlement") as client:
        return await client.request(method, path, headers=headers, content=body)


def new_id() -> str:
    return ids.make_id(secrets.token_bytes(ids.ID_BYTES))


def terminal_code(challenge: Challenge, minor: int = 1230) -> str:
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
