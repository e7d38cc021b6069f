"""Three makes of scanner at one counter, through a whole terminal: goods by one, money by another, a plug pulled."""

from __future__ import annotations

import os
import tty
from collections.abc import Iterator
from typing import Any

import pytest
from scene import Counter, wait_until

from device.drivers.scanners.hid_pos import make_reports
from device.drivers.scanners.profile import find_profile
from device.drivers.simulated.pty_scanner import Mood, PtyScanner
from device.drivers.simulated.voices import make_voice
from provisioning.layout import Device
from tillwave.testing.mall import BoxedMall, TerminalPlan
from tillwave.testing.shopper import Shopper

pytestmark = pytest.mark.broker

CATALOGUE = """
["0036000291452"]
label = "Tissues"
price = 1250

["6901234567892"]
label = "Tea"
price = 3400
"""
UPC_A = 0x08


class Scanners(Counter):
    """A counter with a Zebra scanner over SSI, a GM65 module and a HID POS scanner."""

    def __init__(self, mall: BoxedMall) -> None:
        self.mall = mall
        self.name = f"scanners-{os.getpid() % 10_000}"
        folder = mall.folder / self.name
        folder.mkdir()
        self.zebra = PtyScanner(make_voice(find_profile("zebra-ssi")), folder / "usb-zebra-if00")
        self.module = PtyScanner(make_voice(find_profile("gm65")), folder / "usb-grow-if00")
        self.zebra.plug()
        self.module.plug()
        self._master, slave = os.openpty()
        tty.setraw(slave)
        (folder / "hidraw0").symlink_to(os.ttyname(slave))
        os.close(slave)
        devices = [
            Device("scanner", "zebra", "serial", {"path": str(folder / "usb-zebra-*"), "profile": "zebra-ssi"}),
            Device("scanner", "module", "serial", {"path": str(folder / "usb-grow-*"), "profile": "gm65"}),
            Device("scanner", "pos", "hid-pos", {"path": str(folder / "hidraw*")}),
        ]
        self.terminal = mall.add_terminal(self.name, TerminalPlan(devices=devices, catalogue=CATALOGUE))
        self.register = self.terminal.pair_register()
        self.wait_for_devices("working", "working", "working")

    def wait_for_devices(self, *states: str) -> None:
        """Wait for the health of zebra, module and pos."""

        def seen() -> list[str]:
            health = {device["name"]: device["state"] for device in self.terminal.status()["devices"]}
            return [health[name] for name in ("zebra", "module", "pos")]

        wait_until(lambda: seen() == list(states), 30.0, lambda: f"{seen()}")

    def wait_for_due(self, payment: dict[str, Any], minor: int) -> None:
        """Wait until so much is to be paid."""
        wait_until(
            lambda: self.register.payment(payment["id"])["amount"]["minor"] == minor, 30.0, lambda: f"{minor} expected"
        )

    def scan_by_hid_pos(self, text: str) -> None:
        """Let the HID POS scanner read a QR code."""
        for report in make_reports(text.encode(), "]Q1"):
            os.write(self._master, report)

    def close(self) -> None:
        """Stop the terminal and pull all plugs."""
        super().close()
        self.zebra.unplug()
        self.module.unplug()
        os.close(self._master)


@pytest.fixture(scope="module")
def counter(tillwave_mall: BoxedMall) -> Iterator[Scanners]:
    made = Scanners(tillwave_mall)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def tidy(counter: Scanners) -> Iterator[None]:
    yield
    counter.tidy()


def test_goods_by_one_scanner_and_money_by_another(counter: Scanners, tillwave_shopper: Shopper) -> None:
    payment = counter.register.pay(None)
    counter.zebra.scan(b"036000291452", kind=UPC_A)
    counter.wait_for_due(payment, 1_250)
    counter.zebra.mood = Mood.DAMAGED
    counter.zebra.scan(b"6901234567892", kind=0x0B)
    counter.wait_for_due(payment, 4_650)
    counter.zebra.mood = Mood.GOOD
    counter.module.scan(tillwave_shopper.phone.payment_text().encode(), "]Q1")
    assert counter.register.wait(payment["id"])["phase"] == "paid"


def test_scanner_that_is_pulled_out_in_a_sale_and_put_in_again(counter: Scanners, tillwave_shopper: Shopper) -> None:
    payment = counter.register.pay(700)
    counter.module.unplug()
    counter.wait_for_devices("working", "missing", "working")
    counter.module.voice = make_voice(find_profile("gm65"))
    counter.module.plug()
    counter.wait_for_devices("working", "working", "working")
    counter.module.scan(tillwave_shopper.phone.payment_text().encode(), "]Q1")
    assert counter.register.wait(payment["id"])["phase"] == "paid"


def test_money_by_hid_pos_while_another_scanner_babbles(counter: Scanners, tillwave_shopper: Shopper) -> None:
    counter.module.mood = Mood.BABBLING
    counter.wait_for_devices("working", "failed", "working")
    payment = counter.register.pay(900)
    counter.scan_by_hid_pos(tillwave_shopper.phone.payment_text())
    assert counter.register.wait(payment["id"])["phase"] == "paid"
    counter.module.mood = Mood.GOOD
    counter.wait_for_devices("working", "working", "working")
