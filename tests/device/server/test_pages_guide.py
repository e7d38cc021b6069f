from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources

import pytest
from chromium import IS_HERE, PATIENCE_MS, chromium
from playwright.sync_api import Browser, Page, expect
from server_host import Host

from device.payment.views import OpenSale, Phase
from device.sight import Guidance, Hint, Place
from protocol.money import Money

RIGHT = (Place(0.7, 0.4, 0.9, 0.7),)


def open_sale(host: Host) -> str:
    return str(host.do(lambda desk: desk.open_sale(OpenSale("register-1", "R-1", Money(1230, "CNY"))).sale))


def say(host: Host, guidance: Guidance) -> None:
    host.do(lambda _: host.guide.take(guidance))


def test_every_hint_has_a_sentence_and_a_sign() -> None:
    pages = resources.files("device.server") / "pages"
    for language in ("en", "zh"):
        texts = json.loads((pages / f"{language}.json").read_text("utf-8"))
        assert {key for key in texts if key.startswith("guide.")} == {f"guide.{hint.value}" for hint in Hint} | {
            "guide.cashier"
        }
    drawing = (pages / "guide.js").read_text("utf-8")
    for hint in Hint:
        assert f"  {hint.value}:" in drawing or f"  '{hint.value}':" in drawing


in_browser = pytest.mark.skipif(not IS_HERE, reason="needs Chromium; set TILLWAVE_CHROMIUM to its program")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def display(browser: Browser, host: Host) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 800, "height": 480}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    host.do(lambda desk: desk.subscribe(host.guide.follow))
    page.goto(f"{host.address}/display")
    yield page
    context.close()
    assert problems == []


@pytest.mark.browser
@in_browser
@pytest.mark.parametrize("hint", list(Hint), ids=lambda hint: hint.value)
def test_display_draws_and_says_what_to_change(host: Host, display: Page, hint: Hint) -> None:
    open_sale(host)
    say(host, Guidance("front", hint, RIGHT))
    expect(display.locator("#guide-text")).to_be_visible()
    assert display.locator(f"svg.guide-{hint.value} .sign path").count() > 0
    box = display.locator("#guide").bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 480, "all of it is on a small display"


@pytest.mark.browser
@in_browser
def test_display_guides_only_while_the_sale_gathers(host: Host, display: Page) -> None:
    say(host, Guidance("front", Hint.CLOSER, RIGHT))
    expect(display.locator("#idle")).to_be_visible()
    sale = open_sale(host)
    expect(display.locator("#guide-text")).to_have_text("请靠近一点")
    display.click("#language")
    expect(display.locator("#guide-text")).to_have_text("A little closer, please")
    guided = display.locator("#frame").bounding_box()
    expect(display.locator("#ways")).to_be_hidden()
    say(host, Guidance("front"))
    expect(display.locator("#guide")).to_be_hidden()
    plain = display.locator("#frame").bounding_box()
    assert guided is not None
    assert plain is not None
    assert guided["width"] == plain["width"], "somebody may be scanning the dynamic QR"
    expect(display.locator("#ways")).to_be_visible()
    say(host, Guidance("front", Hint.TOO_DARK, RIGHT))
    expect(display.locator("#guide-text")).to_be_visible()
    say(host, Guidance("front", Hint.TOO_DARK))
    expect(display.locator("#ways")).to_be_visible()
    say(host, Guidance("front", Hint.TOO_DARK, RIGHT))
    expect(display.locator("#guide-text")).to_be_visible()
    host.do(lambda desk: desk.change(sale, phase=Phase.AUTHORISING))
    expect(display.locator("#guide")).to_be_hidden()


@pytest.mark.browser
@in_browser
def test_code_on_the_right_of_the_camera_is_drawn_on_the_left_of_the_shopper(host: Host, display: Page) -> None:
    open_sale(host)
    say(host, Guidance("front", Hint.NOT_READ, RIGHT))
    code, view = display.locator("#guide .code"), display.locator("#guide .view")
    expect(code).to_be_visible()
    spot, whole = code.bounding_box(), view.bounding_box()
    assert spot is not None
    assert whole is not None
    assert spot["x"] + spot["width"] / 2 < whole["x"] + whole["width"] / 2


@pytest.mark.browser
@in_browser
def test_cashier_is_told_as_well(host: Host, display: Page) -> None:
    display.goto(f"{host.address}/cashier#pair={host.open_pairing()}")
    expect(display.locator("#keys")).to_be_visible()
    open_sale(host)
    say(host, Guidance("front", Hint.TOO_BRIGHT, RIGHT))
    expect(display.locator("#state")).to_contain_text("摄像头读不出码：太亮")
    say(host, Guidance("front"))
    expect(display.locator("#state")).not_to_contain_text("摄像头")
