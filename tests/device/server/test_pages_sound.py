"""What cashier and shopper read when sound is jammed, not understood, or came from two phones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import IS_HERE, PATIENCE_MS, chromium
from playwright.sync_api import Browser, Page, expect
from server_host import Host

from device.payment.views import Phase
from device.server.sections import Fitted

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not IS_HERE, reason="needs Chromium; set TILLWAVE_CHROMIUM to its program"),
]
PAYMENT = {"id": "R-1", "amount": {"minor": 1_230, "currency": "CNY"}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Host(tmp_path, fitted=(Fitted("ear", "microphone", "sounddevice"),)) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


def test_the_cashier_is_told_of_jamming_with_and_without_a_sale(host: Host, page: Page) -> None:
    page.goto(f"{host.address}/cashier#pair={host.open_pairing()}")
    expect(page.locator("#keys")).to_be_visible()
    warning = page.locator("#state .note.warn")
    expect(warning).to_have_count(0)
    host.do(lambda desk: desk.change_counter(jammed="noise"))
    expect(warning).to_have_count(1)
    with host.client(cookies={each["name"]: each["value"] for each in page.context.cookies()}) as other:
        other.post("/cashier/sales", json=PAYMENT)
    expect(page.locator(".phase.gathering")).to_be_visible()
    expect(warning).to_have_count(1)
    host.do(lambda desk: desk.change_counter(jammed=""))
    expect(warning).to_have_count(0)


def test_the_display_of_a_terminal_without_a_microphone_offers_no_sound(tmp_path: Path, page: Page) -> None:
    with Host(tmp_path, fitted=(Fitted("front", "camera", "picamera2"),)) as host:
        with host.page() as cashier:
            cashier.post("/cashier/sales", json=PAYMENT)
        page.goto(f"{host.address}/display")
        expect(page.locator("#ways li")).to_have_count(2)


def test_the_display_offers_no_sound_while_it_is_jammed(host: Host, page: Page) -> None:
    with host.page() as cashier:
        cashier.post("/cashier/sales", json=PAYMENT)
    page.goto(f"{host.address}/display")
    expect(page.locator("#ways li")).to_have_count(3)
    host.do(lambda desk: desk.change_counter(jammed="preambles"))
    expect(page.locator("#ways li")).to_have_count(2)
    host.do(lambda desk: desk.change_counter(jammed=""))
    expect(page.locator("#ways li")).to_have_count(3)


def test_the_shopper_is_told_to_play_again_and_of_a_second_phone(host: Host, page: Page) -> None:
    with host.page() as cashier:
        sale = cashier.post("/cashier/sales", json=PAYMENT).json()["sale"]
    page.goto(f"{host.address}/display")
    expect(page.locator("#ask")).to_be_visible()
    host.do(lambda desk: desk.change(sale, notice="sound-unclear"))
    expect(page.locator("#notice")).not_to_be_empty()
    before = page.locator("#outcome-hint").text_content()
    host.do(lambda desk: desk.change(sale, phase=Phase.AUTHORISING, notice="second-token"))
    expect(page.locator("#result")).to_be_visible()
    told = page.locator("#outcome-hint").text_content()
    assert told
    assert told != before
    host.do(lambda desk: desk.change(sale, notice=""))
    expect(page.locator("#outcome-hint")).not_to_have_text(told)
