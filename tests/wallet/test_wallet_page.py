"""The page in a real Chromium: what it shows is decoded, what its camera sees is paid."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from wallet_browser import CHROMIUM, read_screen, show_to_camera, wait_for_code
from wallet_house import House, terminal_code

from protocol import tokens
from wallet.account import Account
from wallet.ports import SystemClock
from wallet.qr import png_of
from wallet.server import WalletServer

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}"),
]

Page, expect = playwright_api.Page, playwright_api.expect


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def test_code_on_the_screen_is_a_genuine_token(open_page: Callable[..., Page], account: Account) -> None:
    page = open_page()
    text = wait_for_code(page)
    page.wait_for_selector("#balance .symbol")
    assert page.inner_text("#balance") == "¥128.50"
    token = tokens.parse_short_token(tokens.token_from_text(text))
    assert token.is_genuine(account.secret, None)
    assert abs(token.made_s - time.time()) < tokens.FRESH_S


def test_offline_code_on_the_screen_convinces_a_terminal(open_page: Callable[..., Page], house: House) -> None:
    page = open_page()
    wait_for_code(page)
    page.get_by_text("Offline code", exact=True).click()
    text = wait_for_code(page, lambda text: text.startswith(tokens.SIGNED_PREFIX))
    token = tokens.parse_signed_token(tokens.token_from_text(text))
    token.check(house.issuer.public_key, None, int(time.time()))


def test_code_is_renewed(open_page: Callable[..., Page]) -> None:
    page = open_page()
    before = wait_for_code(page)
    page.click("#renew")
    wait_for_code(page, lambda text: text != before)


def test_code_renews_itself_when_the_phone_is_taken_up_again(open_page: Callable[..., Page]) -> None:
    page = open_page()
    before = wait_for_code(page)
    wake(page)
    wait_for_code(page, lambda text: text != before)


def test_code_renews_itself_when_its_time_is_over(open_page: Callable[..., Page], server: WalletServer) -> None:
    page = open_page("about:blank")
    page.clock.install()
    page.goto(server.address)
    wait_for_code(page)
    with page.expect_response("**/api/code?kind=short"):
        page.clock.run_for(31_000)


def test_terminals_code_before_the_camera_is_paid(open_page: Callable[..., Page], film: Path, house: House) -> None:
    show_to_camera(film, terminal_code(house.open_sale()))
    page = open_page()
    page.click("#scan")
    page.wait_for_selector("#offer[open]")
    assert page.inner_text("#offer-amount") == "¥12.30"
    assert page.inner_text("#offer-merchant") == "Tea House"
    assert house.way.orders == 0
    page.click("#pay")
    page.wait_for_selector("#result[open][data-verdict=approved]")
    assert page.inner_text("#result-title") == "Paid"
    expect(page.locator("#balance")).to_have_text("¥116.20")
    assert len(house.payments) == 1
    show_to_camera(film, None)


def test_photo_of_a_code_is_scanned(open_page: Callable[..., Page], film: Path, house: House) -> None:
    page = open_page()
    page.click("#scan")
    photo = png_of(terminal_code(house.open_sale()))
    page.set_input_files("#photo", {"name": "code.png", "mimeType": "image/png", "buffer": photo})
    page.wait_for_selector("#offer[open]")
    assert page.inner_text("#offer-amount") == "¥12.30"


def test_link_opens_the_offer_in_chinese(open_page: Callable[..., Page], server: WalletServer, house: House) -> None:
    code = terminal_code(house.open_sale())
    page = open_page(locale="zh-CN")
    page.goto(f"{server.base}/?pay={code.replace(' ', '%20')}")
    page.wait_for_selector("#offer[open]")
    assert page.inner_text("#offer-title") == "确认付款"
    assert page.inner_text("#offer-merchant") == "一间茶室"
    assert page.url == f"{server.base}/"
    assert house.way.orders == 0


def test_lost_answer_is_shown_as_unknown_and_asked_again(open_page: Callable[..., Page], house: House) -> None:
    page = open_page()
    house.way.lose_answers = 3
    scan_by_typing(page, terminal_code(house.open_sale()))
    page.click("#pay")
    page.wait_for_selector("#result[open][data-verdict=unknown]")
    assert "may have been paid" in page.inner_text("#result-text")
    page.click("#again")
    page.wait_for_selector("#result[open][data-verdict=approved]")
    assert len(house.payments) == 1


def test_declined_payment_says_why(open_page: Callable[..., Page], house: House) -> None:
    page = open_page()
    page.wait_for_selector("#balance .symbol")
    scan_by_typing(page, terminal_code(house.open_sale(99_900), 99_900))
    assert page.is_visible("#offer-warning")
    page.click("#pay")
    page.wait_for_selector("#result[open][data-verdict=declined]")
    assert page.inner_text("#result-text").startswith("Your balance is too low.")


def test_foreign_code_is_refused_in_words(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.click("#scan")
    page.fill("#typed-text", "hello")
    page.click("#typed button")
    expect(page.locator("#scanner-state")).to_contain_text("cannot be paid")
    assert not page.is_visible("#offer")


def test_code_for_one_sale_is_bound_to_it(open_page: Callable[..., Page], house: House, account: Account) -> None:
    challenge = house.open_sale()
    page = open_page()
    before = wait_for_code(page)
    scan_by_typing(page, terminal_code(challenge))
    page.click("#bind")
    page.wait_for_selector("#bound:not([hidden])")
    text = wait_for_code(page, lambda text: text != before)
    assert tokens.parse_short_token(tokens.token_from_text(text)).is_genuine(account.secret, challenge.nonce)


def test_payment_taken_by_the_counter_is_told(open_page: Callable[..., Page], house: House) -> None:
    page = open_page()
    page.wait_for_selector("#balance .symbol")
    house.take_at_counter(850)
    wake(page)
    page.wait_for_selector("#result[open][data-verdict=approved]")
    assert page.inner_text("#result-merchant") == "Tea House"


def test_member_card_and_coupon_are_shown_as_codes(open_page: Callable[..., Page], house: House) -> None:
    card, coupon = house.give_member_card(), house.give_coupon("5 off <b>")
    page = open_page()
    page.click("button[data-tab=cards]")
    assert wait_for_code(page) == card
    page.get_by_text("5 off <b>").click()
    page.wait_for_selector("#coupon[open]")
    wait_for_code(page, lambda text: text == coupon)


def test_language_and_theme_are_remembered(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.click("#language")
    page.click("#theme")
    page.reload()
    assert page.inner_text("#scan") == "扫一扫"
    assert page.get_attribute("html", "lang") == "zh-CN"
    assert page.get_attribute("html", "data-theme") == "dark"


def test_page_without_its_key_is_locked(open_page: Callable[..., Page], server: WalletServer) -> None:
    page = open_page(server.base)
    page.wait_for_selector("#notice:not([hidden])")
    assert "locked" in page.inner_text("#notice")
    assert read_screen(page) == []


def test_no_connection_is_said_and_the_offline_code_still_shown(open_page: Callable[..., Page], house: House) -> None:
    page = open_page()
    page.wait_for_selector("#balance .symbol")
    house.way.is_cut = True
    wake(page)
    page.wait_for_selector("#notice:not([hidden])")
    assert "does not answer" in page.inner_text("#notice")
    assert page.inner_text("#as-of").startswith("as of")
    assert page.inner_text("#balance") == "¥128.50"


def test_missing_camera_is_said(open_page: Callable[..., Page]) -> None:
    page = open_page()
    refusal = "() => Promise.reject(new DOMException('', 'NotFoundError'))"
    page.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = {refusal}; }}")
    page.click("#scan")
    expect(page.locator("#scanner-state")).to_contain_text("No camera")


def test_every_control_has_a_name_and_room_for_a_thumb(open_page: Callable[..., Page]) -> None:
    page = open_page()
    wait_for_code(page)
    for control in page.query_selector_all("button:visible"):
        box = control.bounding_box()
        assert box["height"] >= 44
        assert box["width"] >= 44
        assert control.get_attribute("aria-label") or control.inner_text().strip()


def wake(page: Page) -> None:
    """Do as if the phone had been in a pocket."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange')), 0")


def scan_by_typing(page: Page, code: str) -> None:
    page.click("#scan")
    page.fill("#typed-text", code)
    page.click("#typed button")
    page.wait_for_selector("#offer[open]")
