"""The waveform in a real Chromium: what Web Audio renders is decoded, what a terminal plays is heard by the page."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from device.decode.acoustic import AcousticDecoder
from protocol.waveform import modulate_challenge

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
WAVEFORM = Path(__file__).resolve().parents[2] / "wallet" / "pages" / "waveform"
RENDER = """
async ({ payload, form, rate }) => {
  const [forms, { modulate }] = await Promise.all([import("/forms.js"), import("/modulator.js")]);
  const samples = modulate(Uint8Array.from(payload), forms[form]);
  const context = new OfflineAudioContext(1, rate * 2, rate);
  const buffer = context.createBuffer(1, samples.length, 48000);
  buffer.copyToChannel(Float32Array.from(samples), 0);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start(0.2);
  const rendered = await context.startRendering();
  return Array.from(rendered.getChannelData(0));
}
"""
HEAR = """
async ({ samples, rate }) => {
  const [forms, { TokenReceiver }] = await Promise.all([import("/forms.js"), import("/receiver.js")]);
  const context = new OfflineAudioContext(1, samples.length, rate);
  const buffer = context.createBuffer(1, samples.length, rate);
  buffer.copyToChannel(Float32Array.from(samples), 0);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
  const heard = (await context.startRendering()).getChannelData(0);
  const receiver = new TokenReceiver(rate, forms.CHALLENGE);
  const payloads = [];
  for (let from = 0; from < heard.length; from += 128) {
    payloads.push(...receiver.feed(heard.subarray(from, from + 128)));
  }
  return payloads.map((payload) => Array.from(payload));
}
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}"),
]


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def evaluate() -> Iterator[Callable[..., object]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Files, directory=str(WAVEFORM)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with playwright_api.sync_playwright() as player:
            browser = player.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/package.json")
            yield page.evaluate
            browser.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("rate", [48_000, 44_100])
@pytest.mark.parametrize(("form", "length"), [("SHORT", 16), ("NORMAL", 16), ("LONG", 160)])
def test_what_the_page_renders_is_heard_by_a_terminal(evaluate, form, length, rate):
    payload = np.random.default_rng(length).bytes(length)
    samples = np.array(evaluate(RENDER, {"payload": list(payload), "form": form, "rate": rate}))
    with AcousticDecoder(rate) as decoder:
        heard = decoder.feed((samples * 16_000).astype(np.int16))
    assert [token.payload for token in heard] == [payload]


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_challenge_of_a_terminal_is_heard_by_the_page(evaluate, rate):
    challenge = bytes(range(40))
    noise = np.random.default_rng(1).normal(0, 0.1, 2 * rate)
    samples = modulate_challenge(challenge, rate)
    noise[rate // 5 : rate // 5 + len(samples)] += 0.5 * samples
    assert evaluate(HEAR, {"samples": noise.tolist(), "rate": rate}) == [list(challenge)]
