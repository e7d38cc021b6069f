"""Sound in a real Chromium: what the page plays a terminal hears, what a terminal plays the page pays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from wallet_browser import CHROMIUM, EAR_HZ, Played, play_to_microphone, played_by
from wallet_house import House

from device.decode.acoustic import AcousticDecoder
from protocol import tokens
from protocol.records import Verdict
from protocol.waveform import modulate_challenge
from protocol.waveform.forms import AUDIBLE, HIGH, LONG, NORMAL, SHORT, Band, Form
from protocol.waveform.receiver import TokenReceiver
from wallet.account import Account
from wallet.ports import SystemClock
from wallet.server import WalletServer

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}"),
]

Page, expect = playwright_api.Page, playwright_api.expect
AT_RATE = """
const Usual = window.AudioContext;
window.AudioContext = class extends Usual {
  constructor(options) { super({ sampleRate: RATE, ...options }); }
};
"""
UNTAPPED = """
addEventListener("load", () => {
  const speaker = document.getElementById("speaker");
  if (speaker === null) return;
  const tell = () => speaker.dataset.state === "problem" && console.log("speaker problem");
  new MutationObserver(tell).observe(speaker, { attributes: true });
  document.getElementById("sound").click();
});
"""
"""Presses the button without a tap, and tells without being asked: whatever asks a page counts as a tap."""
CLOSED = """
new Promise((resolve) => {
  const look = () => microphones.every(({ track }) => track.readyState === "ended") ? resolve() : setTimeout(look, 20);
  look();
})
"""


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_every_token_that_the_page_plays_is_heard_by_a_terminal(
    open_page: Callable[..., Page], account: Account, house: House, rate: int
) -> None:
    page = open_page(script=AT_RATE.replace("RATE", str(rate)))
    page.click("#sound")
    heard_out(page)
    page.click("#quiet")
    page.click("#speak")
    heard_out(page)
    page.click("#speaker [data-close]")
    page.check("input[name=kind][value=signed]", force=True)
    page.click("#sound")
    heard_out(page)
    page.click("#quiet")
    page.click("#speak")
    heard_out(page)
    played = played_by(page)
    assert {one.rate for one in played} == {rate}
    assert [form_of(one) for one in played] == [(SHORT, AUDIBLE), (NORMAL, HIGH), (LONG, HIGH), (LONG, AUDIBLE)]
    short, again, signed, last = map(heard_by_terminal, played)
    assert (short, signed) == (again, last)
    assert tokens.parse_short_token(short).is_genuine(account.secret, None)
    token = tokens.parse_signed_token(signed)
    token.check(house.issuer.public_key, None, token.made_s)


def test_challenge_in_the_air_is_offered_and_paid_by_a_token_for_this_sale_alone(
    open_page: Callable[..., Page], house: House, ear: Path
) -> None:
    challenge, other = house.open_sale(), house.open_sale()
    play_to_microphone(ear, in_a_shop(challenge.to_sound()))
    page = open_page()
    page.wait_for_selector("#balance .symbol")
    page.click("#hear")
    page.wait_for_selector("#offer[open]")
    assert page.inner_text("#offer-amount") == "¥12.30"
    assert page.inner_text("#offer-merchant") == "Tea House"
    wait_for_closed_microphone(page)
    first = play_offer(page)
    assert tokens.parse_short_token(first).bound
    assert house.present(other, first).reason == "bad-token"
    page.click("#speaker [data-close]")
    expect(page.locator("#bound-text")).to_contain_text("Only for Tea House")
    page.click("#sound")
    heard_out(page)
    expect(page.locator("#speaker-for")).to_contain_text("Only for Tea House")
    second = heard_by_terminal(played_by(page)[-1])
    assert second != first
    assert house.present(challenge, second).verdict is Verdict.APPROVED
    page.wait_for_selector("#result[open][data-verdict=approved]")
    expect(page.locator("#bound")).to_be_hidden()
    assert not page.is_visible("#speaker")


def test_offline_token_for_a_challenge_in_the_air_convinces_its_terminal_alone(
    open_page: Callable[..., Page], house: House, ear: Path
) -> None:
    challenge = house.open_sale()
    play_to_microphone(ear, in_a_shop(challenge.to_sound()))
    page = open_page(locale="zh-CN", script=AT_RATE.replace("RATE", "44100"))
    page.check("input[name=kind][value=signed]", force=True)
    page.click("#hear")
    page.wait_for_selector("#offer[open]")
    assert page.inner_text("#pay") == "声波支付 ¥\u00a012.30"
    token = tokens.parse_signed_token(play_offer(page))
    token.check(house.issuer.public_key, challenge.nonce, token.made_s)
    with pytest.raises(tokens.BadToken, match="does not fit"):
        token.check(house.issuer.public_key, bytes(16), token.made_s)


def test_microphone_is_opened_without_what_pleases_voices(open_page: Callable[..., Page], ear: Path) -> None:
    play_to_microphone(ear, in_a_shop(None))
    page = open_page()
    page.click("#hear")
    page.wait_for_selector("#hearer[data-state=listening]")
    (wanted,) = page.evaluate("window.microphones.map(({ wanted }) => wanted)")
    assert [wanted[name] for name in ("echoCancellation", "noiseSuppression", "autoGainControl")] == [False] * 3
    page.click("#hearer [data-close]")
    wait_for_closed_microphone(page)


def test_sale_that_is_over_is_said_and_the_page_listens_on(
    open_page: Callable[..., Page], house: House, ear: Path
) -> None:
    challenge = house.open_sale()
    house.close_sale(challenge.sale)
    play_to_microphone(ear, in_a_shop(challenge.to_sound()))
    page = open_page()
    page.click("#hear")
    expect(page.locator("#hearer-state")).to_contain_text("This sale is over")
    assert page.evaluate("window.microphones[0].track.readyState") == "live"
    assert not page.is_visible("#offer")


def test_wallet_that_does_not_answer_plays_nothing(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.route("**/api/sound**", lambda route: route.abort())
    page.click("#sound")
    expect(page.locator("#speaker-state")).to_contain_text("does not answer")
    assert played_by(page) == []


@pytest.mark.parametrize("is_muted", [True, False])
def test_page_that_hears_nothing_says_so(
    open_page: Callable[..., Page], server: WalletServer, ear: Path, is_muted: bool
) -> None:
    play_to_microphone(ear, np.zeros(EAR_HZ) if is_muted else in_a_shop(None))
    page = open_page("about:blank")
    page.clock.install()
    page.goto(server.address)
    page.click("#hear")
    page.wait_for_selector("#hearer[data-state=listening]")
    page.clock.fast_forward(13_000)
    said = "gives no sound at all" if is_muted else "Nothing heard yet"
    expect(page.locator("#hearer-state")).to_contain_text(said)


@pytest.mark.parametrize(
    ("error", "english", "chinese"),
    [
        ("NotAllowedError", "is not allowed for this page", "未获准使用麦克风"),
        ("NotFoundError", "No microphone was found", "没有找到麦克风"),
        ("NotReadableError", "another program may be using it", "可能被其他程序占用"),
    ],
)
def test_missing_microphone_is_said(open_page: Callable[..., Page], error: str, english: str, chinese: str) -> None:
    refusal = f"navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '{error}'));"
    page = open_page(script=refusal)
    for said in (english, chinese):
        page.click("#hear")
        expect(page.locator("#hearer-state")).to_contain_text(said)
        page.click("#hearer [data-close]")
        page.click("#language")


def test_code_is_scanned_where_nothing_can_be_heard(open_page: Callable[..., Page]) -> None:
    page = open_page(script="Object.defineProperty(navigator, 'mediaDevices', { value: undefined });")
    page.click("#hear")
    expect(page.locator("#hearer-state")).to_contain_text("HTTPS pages alone")
    page.click("#hearer-scan")
    assert page.is_visible("#scanner")


def test_sound_that_waits_for_a_tap_is_said_and_then_played(
    open_page: Callable[..., Page], server: WalletServer, account: Account
) -> None:
    page = open_page("about:blank", script=UNTAPPED)
    with page.expect_console_message(lambda said: said.text == "speaker problem"):
        page.goto(server.address)
    expect(page.locator("#speaker-state")).to_contain_text("until you tap")
    page.click("#speak")
    heard_out(page)
    token = heard_by_terminal(played_by(page)[-1])
    assert tokens.parse_short_token(token).is_genuine(account.secret, None)


def test_browser_without_sound_says_so(open_page: Callable[..., Page]) -> None:
    page = open_page(script="window.AudioContext = class { constructor() { throw new Error('none'); } };", locale="zh")
    page.click("#sound")
    expect(page.locator("#speaker-state")).to_have_text("此浏览器无法播放声音，请出示付款码。")


def in_a_shop(payload: bytes | None) -> np.ndarray:
    """Give a second and a half of quiet noise, with a challenge in it."""
    sound = np.random.default_rng(1).normal(0, 0.005, EAR_HZ * 3 // 2)
    if payload is not None:
        samples = modulate_challenge(payload, EAR_HZ)
        sound[EAR_HZ // 4 : EAR_HZ // 4 + len(samples)] += 0.3 * samples
    return sound


def wait_for_closed_microphone(page: Page) -> None:
    assert page.evaluate("window.microphones.length") == 1
    page.evaluate(CLOSED)


def play_offer(page: Page) -> bytes:
    page.click("#pay")
    heard_out(page)
    return heard_by_terminal(played_by(page)[-1])


def heard_out(page: Page) -> None:
    page.wait_for_selector("#speaker[data-state=waiting]")


def heard_by_terminal(played: Played) -> bytes:
    assert 0.5 < np.abs(played.samples).max() <= 1
    with AcousticDecoder(played.rate) as decoder:
        (heard,) = [*decoder.feed(played.pcm), *decoder.flush()]
    return heard.payload


def form_of(played: Played) -> tuple[Form, Band]:
    receiver = TokenReceiver(played.rate)
    receiver.feed(played.pcm)
    receiver.flush()
    return receiver.last.form, receiver.last.band
