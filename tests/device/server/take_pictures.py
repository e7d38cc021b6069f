"""Takes pictures of both pages in every state: `python tests/device/server/take_pictures.py FOLDER`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from chromium import chromium
from memory_desk import MemoryDesk
from playwright.sync_api import Page
from server_host import Host

from device.payment.views import LineView, OpenSale, Phase
from device.ports import Health, HealthState
from device.server.sections import Fitted
from protocol.money import Money

EAR = (Fitted("ear", "microphone", "sounddevice"),)


def open_sale(desk: MemoryDesk, request: str, minor: int | None, lines: tuple[LineView, ...] = ()) -> str:
    amount = None if minor is None else Money(minor, "CNY")
    return desk.open_sale(OpenSale("register-1", request, amount, lines)).sale


def basket() -> tuple[LineView, ...]:
    return (
        LineView("6901234567892", "西湖龙井 100 g", 2, Money(15600, "CNY")),
        LineView("6901234567893", "桂花糕", 1, Money(3880, "CNY")),
        LineView("6901234567894", "帆布袋", 1, Money(1250, "CNY")),
    )


def yesterday(desk: MemoryDesk) -> None:
    desk.state = type(desk.state)(
        **{
            **{name: getattr(desk.state, name) for name in desk.state.__slots__},
            "devices": tuple(
                (name, Health(state, detail))
                for name, state, detail in (
                    ("camera", HealthState.WORKING, ""),
                    ("hand scanner", HealthState.WORKING, ""),
                    ("microphone", HealthState.WORKING, ""),
                    ("lamps", HealthState.WORKING, ""),
                    ("printer", HealthState.MISSING, "not plugged in; looked for again every 5 s"),
                )
            ),
        }
    )
    desk.now_ms = time.time_ns() // 1_000_000 - 25 * 60_000
    for number, (minor, end) in enumerate(
        [(4550, "pay"), (12900, "pay"), (880, "cancel"), (23600, "pay"), (6640, "unpaid"), (1999, "pay"), (8850, "pay")]
    ):
        sale = open_sale(desk, f"Y-{number}", minor)
        desk.now_ms += 190_000
        if end == "pay":
            desk.pay(sale, attempt_ms=61 + 7 * number)
        elif end == "cancel":
            desk.cancel(sale)
        else:
            desk.change(sale, phase=Phase.UNPAID, reason="deadline", challenge="", closed_ms=desk.now_ms)


class Studio:
    def __init__(self, host: Host, cashier: Page, display: Page, folder: Path) -> None:
        self.host, self.cashier, self.display, self.folder = host, cashier, display, folder

    def take(self, name: str) -> None:
        self.cashier.wait_for_timeout(900)
        for language in ("zh", "en"):
            for page, kind in ((self.cashier, "cashier"), (self.display, "display")):
                if page.locator("html").get_attribute("lang") != language:
                    page.evaluate("document.getElementById('language').click()")
                page.wait_for_timeout(250)
                page.screenshot(path=self.folder / f"{kind}-{name}-{language}.png")


def pose(studio: Studio) -> None:
    do, desk = studio.host.do, studio.host.desk
    studio.take("idle")
    do(lambda _: studio.host.pairing.open())
    studio.take("pairing")
    do(lambda _: studio.host.pairing.close())
    sale = do(lambda d: open_sale(d, "R-1", 20730, basket()))
    do(lambda d: d.discount(sale, "member", 1036))
    do(lambda d: d.discount(sale, "满百减十", 1000))
    do(lambda d: d.change(sale, member="陈女士", notice="coupon-taken"))
    studio.take("gathering")
    do(lambda d: d.change(sale, phase=Phase.AUTHORISING, notice=""))
    studio.take("authorising")
    do(lambda d: d.change(sale, phase=Phase.WAITING, reason="password"))
    studio.take("waiting")
    do(lambda d: d.change(sale, phase=Phase.AUTHORISING, reason=""))
    do(lambda d: d.change(sale, phase=Phase.GATHERING, reason="insufficient-funds"))
    studio.take("declined")
    studio.cashier.wait_for_timeout(4000)
    studio.take("declined-later")
    do(lambda d: d.change(sale, phase=Phase.UNKNOWN, reason="no-decision"))
    studio.take("unknown")
    do(lambda d: d.pay(sale))
    studio.display.wait_for_timeout(100)
    studio.take("paid")
    studio.cashier.click("#actions button")
    studio.take("refund")
    studio.cashier.click("#refund-dialog [data-close]")
    studio.cashier.click("#day")
    studio.cashier.click("#day-start")
    studio.take("day")
    studio.cashier.click("#day-dialog [data-close]")
    sale = do(lambda d: open_sale(d, "R-2", None))
    studio.take("basket")
    do(lambda d: d.cancel(sale))
    do(lambda d: d.change_counter(online=False, queue=7))
    studio.take("cancelled")
    studio.cashier.wait_for_timeout(6000)
    do(lambda d: d.change_counter(in_service=False, trouble="case-open"))
    studio.take("closed")
    studio.host.stop()
    studio.cashier.wait_for_timeout(1500)
    studio.take("lost")
    assert desk


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    desk = MemoryDesk("counter-07")
    yesterday(desk)
    with tempfile.TemporaryDirectory() as state, Host(Path(state), desk, fitted=EAR) as host, chromium() as browser:
        cashier = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        display = browser.new_context(viewport={"width": 1024, "height": 600}).new_page()
        cashier.goto(f"{host.address}/cashier")
        cashier.wait_for_timeout(500)
        cashier.screenshot(path=folder / "pair-zh.png")
        cashier.goto("about:blank")
        cashier.goto(f"{host.address}/cashier#pair={host.open_pairing()}")
        cashier.wait_for_selector("#keys")
        display.goto(f"{host.address}/display")
        pose(Studio(host, cashier, display, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
