"""What the camera's process tells people: hints for the shopper, and pictures for whoever looks."""

from __future__ import annotations

import io
import os
import queue
import signal
import time
from collections.abc import Callable

import numpy as np
import pytest
import zxingcpp
from code_pictures import ruined
from PIL import Image

from device.decode.camera_process import CameraProcess, Patience
from device.decode.camera_wire import LARGEST_JPEG, LONGEST_LINE, WATCH_S, Guide, Seen, Shown, Watch, encode
from device.decode.camera_wire import decode_from_process as decode
from device.drivers.simulated.bench import Bench
from device.ports import HealthState
from device.sight import Figures, Guidance, Hint, LiveView, Mark, Place

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
LONG_S = 30.0
NOTHING = Guidance("front")


class Terminal:
    """What a terminal hears of its camera."""

    def __init__(self, bench: Bench) -> None:
        self.readings: queue.Queue = queue.Queue()
        self.guidances: queue.Queue = queue.Queue()
        self.views: queue.Queue = queue.Queue()
        self.healths: queue.Queue = queue.Queue()
        self.camera = CameraProcess(
            "front",
            "simulated",
            {"bench": str(bench.folder), "width": 640, "height": 480},
            deliver=self.readings.put,
            watch=lambda _, health: self.healths.put(health.state),
            guide=self.guidances.put,
            patience=Patience(stop_s=1.0, first_pause_s=0.1),
        )
        self.camera.show_to(self.views.put)

    def guidance(self, wanted: Callable[[Guidance], bool]) -> Guidance:
        while True:
            guidance = self.guidances.get(timeout=LONG_S)
            if wanted(guidance):
                return guidance

    def view(self, wanted: Callable[[LiveView], bool] = bool, *, veiled: bool = True) -> LiveView:
        """Look until there is such a picture."""
        deadline = time.monotonic() + LONG_S
        while time.monotonic() < deadline:
            self.camera.look(640, veiled=veiled)
            try:
                view = self.views.get(timeout=1.0)
            except queue.Empty:
                continue
            if wanted(view):
                return view
        raise AssertionError("no such picture")


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "bench", patience_s=LONG_S)


@pytest.fixture
def terminal(bench):
    terminal = Terminal(bench)
    terminal.camera.start()
    while terminal.healths.get(timeout=LONG_S) is not HealthState.WORKING:
        pass
    yield terminal
    terminal.camera.stop()


def has_hint(guidance: Guidance) -> bool:
    return guidance.hint is not None


def picture_of(view: LiveView) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(view.jpeg)).convert("L"))


def test_code_that_cannot_be_read_is_told_with_its_place_and_a_read_one_ends_it(terminal, bench):
    bench.show_picture(ruined(), size=0.5)
    guidance = terminal.guidance(has_hint)
    assert guidance.device == "front"
    (place,) = guidance.places
    assert 0.2 < place.left < 0.5 < place.right < 0.8
    bench.show_qr(TOKEN)
    assert terminal.guidance(lambda one: not has_hint(one)) == NOTHING
    reading = terminal.readings.get(timeout=LONG_S)
    assert reading.text == TOKEN
    assert reading.place.left < 0.5 < reading.place.right


def test_hint_goes_with_the_code(terminal, bench):
    bench.show_picture(ruined(), size=0.5)
    terminal.guidance(has_hint)
    bench.clear_view()
    assert terminal.guidance(lambda one: not has_hint(one)) == NOTHING


def test_hint_goes_with_the_camera(terminal, bench):
    bench.show_picture(ruined(), size=0.5)
    terminal.guidance(has_hint)
    bench.unplug("camera", "front")
    assert terminal.guidance(lambda one: not has_hint(one)) == NOTHING


def test_hint_goes_with_the_process(terminal, bench):
    bench.show_picture(ruined(), size=0.5)
    terminal.guidance(has_hint)
    os.kill(terminal.camera.pid, signal.SIGKILL)
    assert terminal.guidance(lambda one: not has_hint(one)) == NOTHING


def test_nothing_is_shown_while_nobody_looks_and_only_for_a_while_after(terminal, bench):
    bench.show_qr(TOKEN)
    terminal.readings.get(timeout=LONG_S)
    assert terminal.views.empty()
    began = time.monotonic()
    terminal.view()
    while time.monotonic() - began < 3 * LONG_S:
        try:
            terminal.views.get(timeout=WATCH_S)
        except queue.Empty:
            break
    else:
        raise AssertionError("pictures are sent for ever")


def test_picture_has_marks_and_figures_but_no_code_that_could_be_read(terminal, bench):
    bench.show_qr(TOKEN)
    view = terminal.view(lambda view: bool(view.marks and view.figures.frames_per_second))
    assert (view.device, view.width, view.height) == ("front", 640, 480)
    (mark,) = view.marks
    assert (mark.symbology, mark.length, mark.hint) == ("QR", len(TOKEN), None)
    assert 0 < view.figures.brightness < 255
    assert view.figures.frames_per_second < 40
    assert picture_of(view).shape == (480, 640)
    assert zxingcpp.read_barcodes(picture_of(view)) == []


def test_command_line_may_see_the_picture_as_it_is(terminal, bench):
    bench.show_qr(TOKEN)
    view = terminal.view(lambda view: bool(view.marks), veiled=False)
    assert [found.text for found in zxingcpp.read_barcodes(picture_of(view))] == [TOKEN]


def test_picture_says_why_a_code_is_not_read(terminal, bench):
    bench.show_picture(ruined(), size=0.5)
    view = terminal.view(lambda view: bool(view.marks and view.marks[0].hint))
    (mark,) = view.marks
    assert mark.hint is Hint.NOT_READ
    assert mark.looks > 5
    assert mark.spent_ms > 0


def test_sight_crosses_the_wire_unharmed():
    place = Place(0.1, 0.2, 0.3, 0.4)
    figures = Figures(brightness=90, burnt_out=0.1, dark=0.2, frames_per_second=9.9, picture_ms=3.5)
    view = LiveView(
        "front", 7, 1280, 720, (Mark(place, "QR", 9), Mark(place, hint=Hint.TILT)), figures, b"\xff\xd8\x00"
    )
    for message in (Guide(Guidance("front", Hint.TOO_DARK, (place,))), Shown(view), Seen("QR", b"1", "]Q1", 1, place)):
        assert decode(encode(message).rstrip(b"\n")) == message
    largest = Shown(LiveView("front", 7, 1280, 720, (Mark(place),) * 17, figures, bytes(LARGEST_JPEG)))
    assert len(encode(largest)) <= LONGEST_LINE
    assert "jpeg" not in repr(view)
    assert b"watch" in encode(Watch(640, veiled=True))
