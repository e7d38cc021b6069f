"""The camera section of the technician's page, with a camera's process behind it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import zxingcpp
from chromium import IS_HERE, chromium
from PIL import Image
from playwright.sync_api import Page, expect
from server_host import Host

from device.decode.camera_process import CameraProcess
from device.drivers.simulated.bench import Bench
from device.ports import HealthState
from device.server.sections import Fitted
from device.watching import CameraSection

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
LONG_S = 30.0


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"), patience_s=LONG_S)


@pytest.fixture(scope="module")
def camera(bench: Bench) -> Iterator[CameraProcess]:
    options = {"bench": str(bench.folder), "width": 640, "height": 480}
    camera = CameraProcess("front", "simulated", options, deliver=lambda _: None, watch=lambda *_: None)
    camera.start()
    wait_until(lambda: camera.health.state is HealthState.WORKING)
    yield camera
    camera.stop()


@pytest.fixture
def host(tmp_path: Path, camera: CameraProcess) -> Iterator[Host]:
    fitted = (Fitted("front", "camera", "simulated"),)
    with Host(tmp_path, fitted=fitted, sections=(CameraSection((camera,)),), language="en") as running:
        yield running


def ruined() -> np.ndarray:
    """What looks like a code and is none."""
    cells = np.random.default_rng(7).integers(0, 2, (29, 29), dtype=np.uint8) * 215 + 20
    return np.pad(np.kron(cells, np.ones((4, 4), np.uint8)), 16, constant_values=235)


def test_nothing_is_asked_of_the_camera_before_somebody_looks_or_after(camera: CameraProcess, bench: Bench) -> None:
    bench.show_qr(TOKEN)
    section = CameraSection((camera,))
    with section.watched(), section.watched():
        wait_until(lambda: section.figures()["cameras"][0]["view"])
    assert section._views == {}, "no picture outlives the look"
    time.sleep(0.6)
    assert section._views == {}
    (shown,) = section.figures()["cameras"]
    assert shown == {"name": "front", "state": "working", "view": None}


def test_figures_name_kind_and_length_but_never_the_content(camera: CameraProcess, bench: Bench) -> None:
    bench.show_qr(TOKEN)
    section = CameraSection((camera,))
    with section.watched():
        wait_until(lambda: (view := section.figures()["cameras"][0]["view"]) and view["marks"])
        (shown,) = section.figures()["cameras"]
    (mark,) = shown["view"]["marks"]
    assert (mark["symbology"], mark["length"], mark["hint"]) == ("QR", len(TOKEN), "")
    assert TOKEN not in repr(shown)
    assert TOKEN.encode().hex() not in repr(shown)


def test_picture_is_for_paired_pages_only(host: Host) -> None:
    with host.client() as stranger:
        assert stranger.get("/technician/camera/front.jpg").status_code == 401
        assert stranger.post("/technician/pair", json={"code": host.open_pairing()}).status_code == 204
        with host.client(cookies=stranger.cookies) as technician:
            assert technician.get("/technician/camera/front.jpg").status_code == 404, "nobody looks"
            assert technician.get("/technician/camera/other.jpg").status_code == 404
            picture = first_picture(technician)
    assert Image.open(io.BytesIO(picture)).size == (640, 480)
    assert zxingcpp.read_barcodes(np.asarray(Image.open(io.BytesIO(picture)))) == []


def first_picture(technician: httpx.Client) -> bytes:
    """Open the stream, as the page does, until there is a picture."""
    with technician.stream("GET", "/technician/events") as events:
        for line in events.iter_lines():
            if '"picture":' in line:
                answer = technician.get("/technician/camera/front.jpg")
                assert answer.headers["content-type"] == "image/jpeg"
                assert answer.headers["cache-control"] == "no-store"
                return answer.content
    raise AssertionError("the stream ended without a picture")


@pytest.mark.browser
@pytest.mark.skipif(not IS_HERE, reason="needs Chromium; set TILLWAVE_CHROMIUM to its program")
def test_page_shows_the_picture_with_marks_and_says_why_a_code_is_not_read(host: Host, bench: Bench) -> None:
    bench.show_qr(TOKEN)
    with chromium() as browser:
        page = browser.new_context(viewport={"width": 800, "height": 480}).new_page()
        page.set_default_timeout(1000 * LONG_S)
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{host.address}/technician#pair={host.open_pairing()}")
        section = page.locator(".section-camera")
        expect(section.locator(".why .read")).to_have_text(f"Read: QR, {len(TOKEN)} bytes", timeout=1000 * LONG_S)
        expect(section.locator("svg text.read")).to_have_text(f"QR · {len(TOKEN)}")
        wait_for_picture(page)
        bench.show_picture(ruined(), size=0.5)
        expect(section.locator(".why .unread")).to_contain_text("Seen but not readable", timeout=1000 * LONG_S)
        expect(section.locator("svg rect.unread")).to_be_visible()
        assert TOKEN not in page.content()
    assert problems == []


def wait_for_picture(page: Page) -> None:
    page.wait_for_function("document.querySelector('.section-camera img').naturalWidth === 640")
