"""A business day at two counters, played through the real interfaces of terminals, settlement and phones."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocol.money import Money
from provisioning.layout import Device, Offline
from provisioning.mall import Merchant
from provisioning.settlement import Owner
from tillwave.testing import office
from tillwave.testing.hand_scanner import HandScanner
from tillwave.testing.mall import BoxedMall, TerminalPlan
from tillwave.testing.register import Register, RegisterRefused
from tillwave.testing.shopper import Shopper
from tillwave.testing.terminal import BoxedTerminal, all_simulated
from wallet.sound import wav_of

if TYPE_CHECKING:
    from settlement.offers import CouponTerms

CATALOGUE = """
["6901234567892"]
label = "西湖龙井 50g"
price = 6800

["6923450657713"]
label = "茶具 tea cup"
price = 2550
"""
_TEA, _CUP = "6901234567892", "6923450657713"
_OFFLINE = Offline(enabled=True, limit_per_sale=5_000, limit_total=20_000, limit_count=5)


OWNERS = {
    "tea-1": Owner(merchant="Longjing Tea House", store="Ground floor"),
    "cups-1": Owner(merchant="Jade Cups", store="First floor"),
}
"""Whose terminals they are, and in which stores they stand."""
_SHOPPERS = {"Li": 100_000, "Wang": 60_000, "Zhou": 100}
"""Who has how much in the house wallet, in minor units."""


class DayWentWrong(AssertionError):
    """Something at the counter was not as it must be."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the day's table."""

    terminal: str
    presented: str
    amount: Money
    outcome: str
    milliseconds: int | None
    """From presentation to outcome; for sound after the last sample."""


@dataclass
class Counter:
    """A terminal with its register, and what the register itself has counted."""

    terminal: BoxedTerminal
    register: Register
    paid: int = 0
    refunded: int = 0


@dataclass
class BusinessDay:
    """Plays the day; `rows` fills up as it goes."""

    mall: BoxedMall
    say: Callable[[str], None]
    rows: list[Row] = field(default_factory=list)
    counters: list[Counter] = field(default_factory=list)

    @property
    def shoppers(self) -> tuple[Shopper, ...]:
        """The people with phones."""
        return self._li, self._wang, self._zhou

    def play(self) -> None:
        """Play all of it; DayWentWrong if anything is not as it must be. The scanner stays until the mall ends."""
        scanner = HandScanner()
        self.mall.at_the_end(scanner.close)
        self._open_the_mall(scanner)
        tea, cups = self.counters
        self.say("Morning: codes, sound, coupons")
        self._pay_by_camera(tea)
        self._pay_by_serial_scanner(cups, scanner)
        self._pay_by_sound(tea)
        self._pay_by_phone(tea)
        self._pay_with_coupon_and_member_card(tea)
        self._pay_for_goods(cups, scanner)
        self.say("Noon: what goes wrong at a counter")
        self._ask_twice(tea)
        self._cancel(tea)
        self._pay_without_money(cups, scanner)
        self._refund(tea)
        self.say("Afternoon: the broker is gone")
        self._sell_without_broker(tea)
        self.say("Evening: close of day")
        self._close_the_day()

    # setting up

    def _open_the_mall(self, scanner: HandScanner) -> None:
        self.say("Provisioning and starting two terminals, whose cameras, microphones and printers are simulated")
        self.say("Opening accounts at the house wallet, enrolling three phones, issuing a coupon and a member card")
        with ThreadPoolExecutor(2, "opening") as workers:
            people = {name: workers.submit(self.mall.add_shopper, name, load) for name, load in _SHOPPERS.items()}
            starting = [workers.submit(self.mall.add_terminal, *each) for each in self._plans(scanner)]
            self._li, self._wang, self._zhou = (people[name].result() for name in _SHOPPERS)
            self._coupon = office.issue_coupon(self.mall.settlement_settings, _terms(), "Wang")
            self._card = office.issue_member_card(self.mall.settlement_settings, "Wang Fang", 5, "Wang")
            terminals = [each.result() for each in starting]
        self.counters = [Counter(each, each.pair_register(f"till-{each.name}")) for each in terminals]
        for counter in self.counters:
            counter.terminal.wait_for_devices()

    def _plans(self, scanner: HandScanner) -> list[tuple[str, TerminalPlan]]:
        devices = [
            *(device for device in all_simulated(self.mall.folder / "cups-1" / "bench") if device.kind != "scanner"),
            Device("scanner", "hand", "serial", {"path": scanner.port}),
        ]
        merchant = Merchant(name="Jade Cups", city="Hangzhou", country="CN", local_name="玉杯行")
        return [
            ("tea-1", TerminalPlan(offline=_OFFLINE, catalogue=CATALOGUE)),
            ("cups-1", TerminalPlan(devices=devices, catalogue=CATALOGUE, merchant=merchant)),
        ]

    # selling

    def _pay_by_camera(self, counter: Counter) -> None:
        payment = counter.register.pay(2_800, guide="Lin")
        with self._outcome(counter, payment, "wallet QR, tilted and noisy, to the camera", "paid"):
            counter.terminal.bench.show_qr(
                self._li.phone.payment_text(), tilt_degrees=25, turn_degrees=8, noise=8, seconds=4
            )

    def _pay_by_serial_scanner(self, counter: Counter, scanner: HandScanner) -> None:
        payment = counter.register.pay(1_590)
        with self._outcome(counter, payment, "wallet code in torn pieces, by serial scanner", "paid"):
            scanner.send(self._wang.phone.payment_text(), pieces=(3, 11, 1))

    def _pay_by_sound(self, counter: Counter) -> None:
        payment = counter.register.pay(990)
        token = self._li.phone.short_token()
        counter.terminal.bench.shop_noise(0.02)
        path = self.mall.folder / "token.wav"
        path.write_bytes(wav_of(token))
        with self._outcome(counter, payment, "sound token with shop noise", "paid", after_s=_seconds(path)):
            counter.terminal.bench.play_wav(path)
        counter.terminal.bench.shop_noise(0.0)

    def _pay_by_phone(self, counter: Counter) -> None:
        payment = counter.register.pay(4_200)
        counter.terminal.wait_drained()  # settlement knows the sale before anybody could lift a phone
        offer = self._wang.phone.vouched(self._wang.phone.scan(payment["challenge"]))
        _expect(offer.amount, Money(4_200, "CNY"), "the amount on the shopper's phone")
        with self._outcome(counter, payment, "shopper scans the dynamic QR and pays", "paid"):
            result = self._wang.phone.pay_patiently(offer, 10)
            _expect(result.verdict.value, "approved", "the phone's own answer")

    def _pay_with_coupon_and_member_card(self, counter: Counter) -> None:
        payment = counter.register.pay(10_000)
        counter.terminal.bench.show_qr(self._coupon, seconds=2)
        self._wait_for_due(counter, payment, 9_000)
        counter.terminal.bench.clear_view()
        counter.terminal.bench.type_barcode(self._card)
        self._wait_for_due(counter, payment, 8_500)
        with self._outcome(counter, payment, "coupon and member card, then wallet QR", "paid"):
            counter.terminal.bench.show_qr(self._wang.phone.payment_text(), seconds=4)

    def _pay_for_goods(self, counter: Counter, scanner: HandScanner) -> None:
        payment = counter.register.pay(None)
        scanner.send(_TEA)
        self._wait_for_due(counter, payment, 6_800)
        scanner.send(_CUP, pieces=(5,))
        self._wait_for_due(counter, payment, 9_350)
        with self._outcome(counter, payment, "two goods codes, then wallet code", "paid"):
            scanner.send(self._li.phone.payment_text())

    def _ask_twice(self, counter: Counter) -> None:
        payment = counter.register.pay(1_200)
        again = counter.register.pay(1_200, id=payment["id"])
        _expect(again["sale"], payment["sale"], "the sale of a repeated request")
        _expect_refusal("id-conflict", lambda: counter.register.pay(1_300, id=payment["id"]))
        _expect_refusal("busy", lambda: counter.register.pay(500))
        with self._outcome(counter, payment, "the same request twice, one payment", "paid"):
            counter.terminal.bench.show_qr(self._li.phone.payment_text(), seconds=4)
        after = counter.register.pay(1_200, id=payment["id"])
        _expect(after["phase"], "paid", "a request repeated after the payment")

    def _cancel(self, counter: Counter) -> None:
        payment = counter.register.pay(7_700)
        with self._outcome(counter, payment, "cancelled by the register", "cancelled"):
            counter.register.cancel(payment["id"])

    def _pay_without_money(self, counter: Counter, scanner: HandScanner) -> None:
        payment = counter.register.pay(9_900)
        scanner.send(self._zhou.phone.payment_text())
        declined = self._wait(counter, payment, lambda state: state["reason"] != "")
        _expect(declined["phase"], "gathering", "a sale after a decline")
        counter.register.cancel(payment["id"])
        self._note(counter, "wallet code of an empty account", declined, f"declined: {declined['reason']}", None)

    def _refund(self, counter: Counter) -> None:
        payment = counter.register.pay(3_000)
        with self._outcome(counter, payment, "wallet QR, refunded in part below", "paid"):
            counter.terminal.bench.show_qr(self._wang.phone.payment_text(), seconds=4)
        paid = counter.register.payment(payment["id"])
        badge = self.mall.badge("Chen")
        _expect_refusal("not-allowed", lambda: counter.register.refund(paid["payment"], 1_000, "TWB:" + "A" * 26))
        began = time.monotonic()
        asked = counter.register.refund(paid["payment"], 1_000, badge, id="refund-1")
        refund = counter.register.wait_refund("refund-1")
        _expect(refund["state"], "approved", "the refund")
        counter.refunded += 1_000
        elapsed_ms = round((time.monotonic() - began) * 1000)
        self._note(counter, "supervisor's badge", asked, "refunded 10.00", elapsed_ms)

    def _sell_without_broker(self, counter: Counter) -> None:
        self.mall.broker.kill()
        counter.terminal.wait_offline()
        large = counter.register.pay(5_100)
        counter.terminal.bench.show_qr(self._li.phone.payment_text(signed=True), seconds=4)
        refused = self._wait(counter, large, lambda state: state["notice"].startswith("offline-limit"))
        counter.register.cancel(large["id"])
        self._note(counter, "signed wallet QR, broker gone", refused, f"refused: {refused['notice']}", None)
        counter.terminal.bench.clear_view()
        small = counter.register.pay(4_900)
        with self._outcome(counter, small, "signed wallet QR, broker gone", "paid"):
            counter.terminal.bench.show_qr(self._li.phone.payment_text(signed=True), seconds=4)
        if not counter.register.payment(small["id"])["offline"]:
            raise DayWentWrong("an offline sale is not marked as one")
        waiting = counter.terminal.status()["queue"]
        self.say(f"The broker comes back: {waiting} records wait in the journal of {counter.terminal.name}")
        self.mall.start_broker()
        began = time.monotonic()
        for each in self.counters:
            each.terminal.wait_online()
            each.terminal.wait_drained()
        self.say(f"All receipted {time.monotonic() - began:.1f} s after the broker came back")

    def _close_the_day(self) -> None:
        for counter in self.counters:
            counter.terminal.wait_drained()
            day = counter.register.close_day()
            if not day["agrees"]:
                raise DayWentWrong(f"terminal and settlement do not agree at {counter.terminal.name}: {day}")
            _expect(
                day["terminal"]["paid"]["minor"], counter.paid, f"what the register of {counter.terminal.name} counted"
            )
            _expect(day["terminal"]["refunded"]["minor"], counter.refunded, f"the refunds of {counter.terminal.name}")
            net = Money(counter.paid - counter.refunded, "CNY")
            self.say(f"{counter.terminal.name}: register, terminal and ledger agree on {net}")

    # helpers

    @contextmanager
    def _outcome(
        self, counter: Counter, payment: dict[str, Any], presented: str, expected: str, after_s: float = 0.0
    ) -> Iterator[None]:
        began_ms = time.time() * 1000
        yield
        done = counter.register.wait(payment["id"])
        _expect(done["phase"], expected, f"{presented} ({done['reason'] or done['notice'] or 'no reason'})")
        if done["phase"] == "paid":
            counter.paid += done["amount"]["minor"]
        self._note(counter, presented, done, done["phase"], round(done["closed_ms"] - began_ms - after_s * 1000))
        if not self._uses_pty(counter):
            counter.terminal.bench.clear_view()

    def _wait(
        self, counter: Counter, payment: dict[str, Any], condition: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            state = counter.register.payment(payment["id"])
            if condition(state):
                return state
            time.sleep(0.02)
        said = state["reason"] or state["notice"] or "nothing more is said"
        raise DayWentWrong(f"payment {payment['id']} at {counter.terminal.name} stays {state['phase']} ({said})")

    def _wait_for_due(self, counter: Counter, payment: dict[str, Any], minor: int) -> None:
        self._wait(counter, payment, lambda state: bool(state["amount"]["minor"] == minor))

    def _note(
        self, counter: Counter, presented: str, payment: dict[str, Any], outcome: str, milliseconds: int | None
    ) -> None:
        amount = Money(payment["amount"]["minor"], payment["amount"]["currency"])
        row = Row(counter.terminal.name, presented, amount, outcome, milliseconds)
        self.rows.append(row)
        took = "" if milliseconds is None else f", {milliseconds} ms"
        self.say(f"  {row.terminal}: {presented}: {outcome}{took}")

    def _uses_pty(self, counter: Counter) -> bool:
        return counter.terminal.name == "cups-1"


def _terms() -> CouponTerms:
    from settlement.offers import CouponTerms

    return CouponTerms(label="10 off from 50", funder="platform", minor=1_000, threshold=5_000)


def _seconds(path: Path) -> float:
    with wave.open(io.BytesIO(path.read_bytes())) as sound:
        frames, rate_hz = sound.getnframes(), sound.getframerate()
    return float(frames / rate_hz)


def _expect(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise DayWentWrong(f"{what}: expected {expected!r}, found {found!r}")


def _expect_refusal(reason: str, call: Callable[[], object]) -> None:
    try:
        call()
    except RegisterRefused as refused:
        _expect(refused.reason, reason, "the reason of a refusal")
    else:
        raise DayWentWrong(f"a request was not refused with {reason}")
