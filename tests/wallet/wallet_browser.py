"""A real Chromium with a camera and a microphone that play files, and what is seen on its screen."""

from __future__ import annotations

import io
import os
import time
import wave
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zxingcpp
from PIL import Image

from wallet.qr import png_of

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--autoplay-policy=document-user-activation-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
PATIENCE_MS = 60_000
"""For a machine that is busy with other things."""
PHONE = {"width": 390, "height": 844}
EAR_HZ = 48_000
TAP = """
const start = AudioBufferSourceNode.prototype.start;
window.played = [];
AudioBufferSourceNode.prototype.start = function (...when) {
  const bytes = new Uint8Array(Float32Array.from(this.buffer.getChannelData(0)).buffer);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  window.played.push({ rate: this.buffer.sampleRate, samples: btoa(text) });
  return start.apply(this, when);
};
const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
window.microphones = [];
if (open) navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await open(wanted);
  if (wanted.audio) window.microphones.push({ wanted: wanted.audio, track: stream.getAudioTracks()[0] });
  return stream;
};
"""
"""Keeps what the page plays and which microphones it opens."""


@contextmanager
def chromium(film: Path, ear: Path) -> Iterator[object]:
    """Start a browser whose camera and microphone read these files anew each time they are opened."""
    from playwright import sync_api  # noqa: PLC0415 only those who have it

    sync_api.expect.set_options(timeout=PATIENCE_MS)
    files = [f"--use-file-for-fake-video-capture={film}", f"--use-file-for-fake-audio-capture={ear}"]
    with sync_api.sync_playwright() as player:
        opened = player.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *files])
        yield opened
        opened.close()


@contextmanager
def pages(browser, home: str) -> Iterator[Callable[..., object]]:
    """Give what opens a phone-sized page, at `home` unless told; nothing may fail in it unseen."""
    contexts, problems = [], []

    def open_one(address: str = "", locale: str = "en-GB", script: str = "", **options: object) -> object:
        context = browser.new_context(viewport=PHONE, device_scale_factor=2, locale=locale, **options)
        contexts.append(context)
        context.add_init_script(TAP + script)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
        page.goto(address or home)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert problems == []


def show_to_camera(film: Path, text: str | None) -> None:
    """Film a code, or nothing."""
    picture = Image.new("RGB", (1280, 720), (170, 170, 170))
    if text is not None:
        code = Image.open(io.BytesIO(png_of(text))).convert("RGB")
        picture.paste(code.resize((560, 560), Image.Resampling.NEAREST), (360, 80))
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=90)
    film.write_bytes(jpeg.getvalue() * 4)


def play_to_microphone(ear: Path, sound: np.ndarray) -> None:
    """Let the microphone hear these samples in [-1, 1] over and over."""
    with wave.open(str(ear), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(EAR_HZ)
        file.writeframes(np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


@dataclass(frozen=True, slots=True)
class Played:
    """What the page has given to the loudspeaker."""

    rate: int
    samples: np.ndarray

    @property
    def pcm(self) -> np.ndarray:
        """Half as loud, as a terminal's microphone would give it."""
        return (self.samples * 16_000).astype(np.int16)


def played_by(page) -> list[Played]:
    """Give all that a page has played."""
    pieces = page.evaluate("window.played")
    return [Played(piece["rate"], np.frombuffer(b64decode(piece["samples"]), "<f4")) for piece in pieces]


def read_screen(page) -> list[str]:
    """Give the texts of the codes on a page."""
    return [code.text for code in zxingcpp.read_barcodes(Image.open(io.BytesIO(page.screenshot())).convert("L"))]


def wait_for_code(page, wanted: Callable[[str], bool] = bool) -> str:
    """Wait until a code that is wanted is on the screen, and give its text."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not (found := [text for text in read_screen(page) if wanted(text)]):
        assert time.monotonic() < deadline, "no such code is drawn"
        page.wait_for_timeout(50)
    return found[0]
