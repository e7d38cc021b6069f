from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import IS_HERE, chromium
from playwright.sync_api import Browser, Page, expect
from server_host import Host

from device.ports import Health, HealthState
from device.server.sections import Fitted

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not IS_HERE, reason="needs Chromium; set TILLWAVE_CHROMIUM to its program"),
]
FITTED = (Fitted("front", "camera", "picamera2"), Fitted("mouth", "speaker", "sounddevice"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 800, "height": 480}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(20_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Host(tmp_path, fitted=FITTED, language="en") as running:
        yield running


def test_technician_types_the_code_and_sees_every_device(host: Host, page: Page) -> None:
    page.goto(f"{host.address}/technician")
    expect(page.locator("#title")).to_have_text("Technician's page")
    page.fill("#code", host.open_pairing())
    page.click("#form button")
    page.wait_for_selector("#devices li")
    expect(page.locator("#devices li")).to_have_count(len(FITTED) + 2)  # and what the desk has
    expect(page.locator("#devices li").nth(1)).to_contain_text("Loudspeaker · sounddevice")
    expect(page.locator("#devices li").nth(1)).to_contain_text("starting")
    detail = "unplugged: looked for again"
    host.do(lambda desk: desk.change_counter(queue=7, devices=(("front", Health(HealthState.MISSING, detail)),)))
    expect(page.locator("#devices li").first).to_contain_text(detail)
    expect(page.locator("#terminal")).to_contain_text("Records to send7")
    page.click("#language")
    expect(page.locator("#terminal")).to_contain_text("待上传记录7")
    expect(page.locator("#devices li").first).to_contain_text("摄像头 · picamera2")


def test_page_fits_a_small_display(host: Host, page: Page) -> None:
    page.goto(f"{host.address}/technician#pair={host.open_pairing()}")
    page.wait_for_selector("#devices li")
    assert page.evaluate("document.documentElement.scrollWidth") <= 800
