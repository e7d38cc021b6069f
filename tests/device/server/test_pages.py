from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from chromium import IS_HERE, PATIENCE_MS, chromium
from memory_desk import SUPERVISOR
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from server_host import Host

from device.payment.views import Phase

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not IS_HERE, reason="needs Chromium; set TILLWAVE_CHROMIUM to its program"),
]
PAYMENT = {"id": "R-1", "amount": {"minor": 123456, "currency": "CNY"}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert problems == []


def paired(host: Host, page: Page) -> Page:
    page.goto(f"{host.address}/cashier#pair={host.open_pairing()}")
    expect(page.locator("#keys")).to_be_visible()
    expect(page).to_have_url(f"{host.address}/cashier")
    return page


def type_amount(page: Page, digits: str) -> None:
    for digit in digits:
        page.click(f"[data-digit='{digit}']")


def test_cashier_pairs_by_the_code_of_the_display(host: Host, page: Page) -> None:
    page.goto(f"{host.address}/cashier")
    code = host.open_pairing()
    page.fill("#code", f"{(int(code) + 1) % 10**8:08d}")
    page.click("#form button")
    expect(page.locator("#problem")).to_have_text("配对码与屏幕显示不一致。")
    page.fill("#code", code)
    page.click("#form button")
    expect(page.locator("#typed")).to_have_text("¥0.00")


def test_cashier_types_an_amount_starts_and_cancels(host: Host, page: Page) -> None:
    paired(host, page)
    type_amount(page, "1230")
    expect(page.locator("#typed")).to_have_text("¥12.30")
    page.click("#start")
    expect(page.locator(".phase.gathering")).to_be_visible()
    expect(page.locator(".due .amount")).to_have_text("¥12.30")
    expect(page.locator("#start")).to_be_disabled()
    page.click("button.stop")
    expect(page.locator(".phase.cancelled")).to_be_visible()
    assert [sale.amount.minor for sale in host.desk.sales.values()] == [1230]


def test_cashier_follows_a_sale_to_its_end_and_sees_discounts(host: Host, page: Page) -> None:
    paired(host, page)
    with host.register() as register:
        sale = register.post("/register/payments", json=PAYMENT).json()["sale"]
    expect(page.locator(".due .amount")).to_have_text("¥1,234.56")
    host.do(lambda desk: desk.discount(sale, "member", 3456))
    expect(page.locator(".sums")).to_contain_text("会员价")
    expect(page.locator(".sums")).to_contain_text("−¥34.56")
    for phase in (Phase.AUTHORISING, Phase.WAITING, Phase.UNKNOWN, Phase.CANCELLING):
        host.do(lambda desk, phase=phase: desk.change(sale, phase=phase))
        expect(page.locator(f".phase.{phase.value}")).to_be_visible()
    host.do(lambda desk: desk.pay(sale))
    expect(page.locator(".phase.paid")).to_contain_text("已付款")
    expect(page.locator("#last li").first).to_contain_text("¥1,200.00")


def test_supervisor_refunds_with_a_badge_that_a_scanner_types(host: Host, page: Page) -> None:
    paired(host, page)
    with host.register() as register:
        sale = register.post("/register/payments", json=PAYMENT).json()["sale"]
    host.do(lambda desk: desk.pay(sale))
    page.click("#actions button")
    expect(page.locator("#refund-badge")).to_be_focused()
    assert page.locator("#refund-badge").get_attribute("type") == "password"
    page.keyboard.type("TWB:NOBODY")
    page.keyboard.press("Enter")
    expect(page.locator("#refund-result")).to_have_text("需要主管工牌。")
    page.fill("#refund-amount", "200.5")
    page.fill("#refund-badge", "")
    page.focus("#refund-badge")
    page.keyboard.type(SUPERVISOR)
    page.keyboard.press("Enter")
    expect(page.locator("#refund-result")).to_contain_text("等待结算中心")
    ((asked, _view),) = host.desk.refunds.values()
    assert asked.amount.minor == 20050
    host.do(lambda desk: desk.decide_refund("cashier", asked.request, "approved"))
    expect(page.locator("#refund-result")).to_have_text("已退款。")
    assert page.input_value("#refund-badge") == ""
    expect(page.locator("#last li").first).to_contain_text("已退 ¥200.50")


def test_a_code_that_a_scanner_types_beside_every_field_is_no_amount(host: Host, page: Page) -> None:
    paired(host, page)
    type_amount(page, "55")
    page.wait_for_timeout(400)
    page.evaluate(
        """for (const key of [...'TWB:2345672345672345', 'Enter'])
             document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"""
    )
    page.wait_for_timeout(300)
    expect(page.locator("#typed")).to_have_text("¥0.55")
    assert host.desk.sales == {}


def test_keyboard_works_the_pad(host: Host, page: Page) -> None:
    paired(host, page)
    expect(page.locator("#typed")).to_have_text("¥0.00")
    page.keyboard.type("9990", delay=120)
    page.keyboard.press("Backspace")
    expect(page.locator("#typed")).to_have_text("¥9.99")
    page.wait_for_timeout(100)
    page.keyboard.press("Enter")
    expect(page.locator(".phase.gathering")).to_be_visible()


def test_a_lost_answer_opens_no_second_sale(host: Host, page: Page) -> None:
    paired(host, page)
    type_amount(page, "700")
    page.route("**/cashier/sales", lambda route: (route.fetch(), route.abort())[1], times=1)
    page.click("#start")
    expect(page.locator("#problem")).to_have_text("终端没有响应。")
    page.unroute_all()
    (sale,) = host.desk.sales
    host.do(lambda desk: desk.cancel(sale))
    expect(page.locator("#start")).to_be_enabled()
    page.click("#start")
    expect(page.locator("#typed")).to_have_text("¥0.00")
    assert len(host.desk.sales) == 1


def test_day_is_closed_with_both_sides_shown(host: Host, page: Page) -> None:
    paired(host, page)
    with host.register() as register:
        sale = register.post("/register/payments", json=PAYMENT).json()["sale"]
    host.do(lambda desk: desk.pay(sale))
    page.click("#day")
    page.click("#day-start")
    expect(page.locator("#day-result .verdict")).to_have_text("终端与结算中心一致。")
    expect(page.locator("#day-result")).to_contain_text("¥1,234.56")


def test_language_switches_and_is_remembered(host: Host, page: Page) -> None:
    paired(host, page)
    expect(page.locator("#start")).to_have_text("开始收款")
    page.click("#language")
    expect(page.locator("#start")).to_have_text("Start payment")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.reload()
    expect(page.locator("#start")).to_have_text("Start payment")


def test_words_without_a_text_get_a_general_sentence(host: Host, page: Page) -> None:
    paired(host, page)
    with host.register() as register:
        sale = register.post("/register/payments", json=PAYMENT).json()["sale"]
    host.do(lambda desk: desk.change(sale, notice="never-heard-of"))
    expect(page.locator(".note")).to_have_text("出示的内容现在无法使用。")


def test_labels_of_strangers_stay_text(host: Host, page: Page) -> None:
    paired(host, page)
    evil = "<img src=x onerror=alert(1)><b>"
    lines = [{"label": evil, "amount": PAYMENT["amount"]}]
    with host.register() as register:
        register.post("/register/payments", json={**PAYMENT, "lines": lines})
    expect(page.locator(".sums .lines")).to_contain_text(evil)
    assert page.locator(".sums img").count() == 0


def test_a_lost_connection_is_said_and_healed(host: Host, page: Page) -> None:
    paired(host, page)
    expect(page.locator("#lost")).to_be_hidden()
    host.stop()
    expect(page.locator("#lost")).to_be_visible()
    host.start()
    expect(page.locator("#lost")).to_be_hidden()


def test_trouble_and_queue_are_visible(host: Host, page: Page) -> None:
    paired(host, page)
    host.do(lambda desk: desk.change_counter(online=False, queue=7, in_service=False, trouble="case-open"))
    for text in ("暂停服务", "离线", "待上传 7 条"):
        expect(page.locator("#status")).to_contain_text(text)
    expect(page.locator("#state")).to_contain_text("终端外壳被打开")
    expect(page.locator("#devices")).to_contain_text("no paper path")


def test_display_shows_a_code_that_phones_can_read(host: Host, page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 600})
    page.goto(f"{host.address}/display")
    expect(page.locator("#idle h1")).to_have_text("潮汐百货")
    with host.register() as register:
        begun = register.post("/register/payments", json=PAYMENT).json()
    expect(page.locator("#total")).to_have_text("¥1,234.56")
    expect(page.locator("#code")).to_have_js_property("complete", value=True)
    (read,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(page.screenshot())).convert("L"))
    assert read.text == begun["challenge"]


def test_display_tells_every_outcome_by_symbol_and_text(host: Host, page: Page) -> None:
    page.goto(f"{host.address}/display")
    with host.register() as register:
        sale = register.post("/register/payments", json=PAYMENT).json()["sale"]
    expect(page.locator("#ask")).to_be_visible()
    host.do(lambda desk: desk.change(sale, phase=Phase.AUTHORISING, challenge=""))
    expect(page.locator("#outcome")).to_have_text("请稍候")
    host.do(lambda desk: desk.change(sale, phase=Phase.GATHERING, reason="insufficient-funds", challenge="0002"))
    expect(page.locator("#result.declined .picture-declined")).to_be_visible()
    expect(page.locator("#outcome-hint")).to_contain_text("钱包余额不足。")
    expect(page.locator("#ask")).to_be_visible()
    expect(page.locator("#notice")).to_contain_text("钱包余额不足。")
    host.do(lambda desk: desk.change(sale, phase=Phase.UNKNOWN, reason="no-decision", challenge=""))
    expect(page.locator("#result.unknown .picture-unknown")).to_be_visible()
    expect(page.locator("#outcome")).to_have_text("结果待确认")
    host.do(lambda desk: desk.pay(sale))
    expect(page.locator("#result.paid .picture-paid")).to_be_visible()
    expect(page.locator("#outcome")).to_have_text("付款成功")
    expect(page.locator("#idle")).to_be_visible()


def test_display_greets_members_and_explains_discounts(host: Host, page: Page) -> None:
    page.goto(f"{host.address}/display")
    with host.register() as register:
        sale = register.post("/register/payments", json=PAYMENT).json()["sale"]
    host.do(lambda desk: desk.discount(sale, "满减券", 1000))
    host.do(lambda desk: desk.change(sale, member="陈女士", notice="member-taken"))
    expect(page.locator("#hello")).to_have_text("您好，陈女士")
    expect(page.locator("#sums .off")).to_contain_text("满减券")
    expect(page.locator("#notice")).to_have_text("会员卡已识别。")


def test_display_shows_the_pairing_code(host: Host, page: Page) -> None:
    page.goto(f"{host.address}/display")
    expect(page.locator("#idle")).to_be_visible()
    code = host.open_pairing()
    expect(page.locator("#pairing-code")).to_have_text(f"{code[:4]} {code[4:]}")
    host.do(lambda _desk: host.pairing.close())
    expect(page.locator("#pairing")).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1024, 600), (390, 800), (600, 1024)])
def test_pages_fit_without_sideways_scrolling(host: Host, page: Page, width: int, height: int, tmp_path: Path) -> None:
    page.set_viewport_size({"width": width, "height": height})
    with host.register() as register:
        register.post("/register/payments", json=PAYMENT)
    for address in ("/display", f"/cashier#pair={host.open_pairing()}"):
        page.goto(host.address + address)
        expect(page.locator("#total, #typed").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
