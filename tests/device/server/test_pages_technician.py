from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import IS_HERE, PATIENCE_MS, chromium
from playwright.sync_api import Browser, Page, expect
from server_host import Host

from device.decode.acoustic import Hearing
from device.decode.sound_meter import levels_of
from device.listening import hearing_json, levels_json
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
    page.set_default_timeout(PATIENCE_MS)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert problems == []


class Loud:
    """The sound section of a terminal whose microphone hears what a test says."""

    name = "sound"

    def __init__(self) -> None:
        self.clipped = False

    def watched(self) -> AbstractContextManager[None]:
        return nullcontext()

    def routes(self) -> tuple[()]:
        return ()

    def figures(self) -> dict[str, Any]:
        samples = 20_000 * np.sin(np.arange(14_400) * 2 * np.pi * 3000 / 48_000)
        levels = levels_json(levels_of(np.full(14_400, 32_767) if self.clipped else samples, 48_000))
        last = hearing_json(Hearing("TILLWAVE", 0, form="short", band="audible", snr_db=9.4, clock_ppm=-31))
        counted = {"heard": 3, "unread": 41, "overruns": 1, "dropped": 1}
        return {
            "microphones": [{"name": "ear", "rate_hz": 48_000, "levels": levels, "last": last, **counted}],
            "speakers": [{"name": "mouth", "state": "working", "underruns": 5}],
        }


@pytest.fixture
def loud() -> Loud:
    return Loud()


@pytest.fixture
def host(tmp_path: Path, loud: Loud) -> Iterator[Host]:
    with Host(tmp_path, fitted=FITTED, sections=(loud,), language="en") as running:
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


def test_technician_sees_what_the_microphone_hears(host: Host, page: Page, loud: Loud) -> None:
    page.goto(f"{host.address}/technician#pair={host.open_pairing()}")
    page.wait_for_selector(".section-sound .spectrum")
    card = page.locator(".section-sound")
    expect(card.locator("h2")).to_have_text("Sound")
    expect(card.locator(".levels")).to_have_text("peak -4.3 · rms -7.3 dBFS")
    for fact in ("TILLWAVE · short · audible", "Signal to noise9.4 dB", "-31 ppm", "Begun but not readable41"):
        expect(card).to_contain_text(fact)
    expect(card).to_contain_text("Gaps in the sound2")
    expect(card).to_contain_text("Sounds torn5")
    heights = card.locator(".spectrum .bar").evaluate_all("bars => bars.map(bar => Number(bar.getAttribute('height')))")
    assert heights.index(max(heights)) == 14  # 2.5 to 3.2 kHz
    expect(card.locator(".clipping")).to_have_count(0)
    loud.clipped = True
    expect(card.locator(".clipping")).to_have_text("clipped: too loud")
    page.click("#language")
    expect(card.locator("h2")).to_have_text("声音")
    expect(card.locator(".clipping")).to_have_text("削波：声音过大")


def test_page_that_nobody_sees_lets_go_of_the_line(host: Host, page: Page) -> None:
    page.goto(f"{host.address}/technician#pair={host.open_pairing()}")
    page.wait_for_selector(".section-sound .spectrum")
    assert host.desk.listeners == 1
    page.evaluate("""() => {
        Object.defineProperty(document, 'hidden', {value: true, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }""")
    for _ in range(200):
        if host.desk.listeners == 0:
            break
        page.wait_for_timeout(100)
    assert host.desk.listeners == 0
    page.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); }")
    for _ in range(200):
        if host.desk.listeners == 1:
            break
        page.wait_for_timeout(100)
    assert host.desk.listeners == 1
