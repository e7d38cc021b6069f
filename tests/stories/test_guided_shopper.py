"""A shopper whose code the cameras cannot read at first, and one whose code two cameras see."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from scene import Counter, wait_until

from device.drivers.base import Light
from provisioning.layout import Device
from tillwave.testing.mall import BoxedMall
from tillwave.testing.shopper import Shopper

pytestmark = pytest.mark.broker

LONG_S = 60.0
CAMERAS = ("front", "side")


@pytest.fixture(scope="module")
def counter(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = WatchfulCounter(tillwave_mall)
    yield made
    made.close()


class WatchfulCounter(Counter):
    """A counter with two cameras, a lamp for codes and an aim light beside its scanner."""

    def fitted(self, bench: str) -> list[Device]:
        size = {"bench": bench, "width": 640, "height": 480}
        lights = [Device(kind, kind, "simulated", {"bench": bench}) for kind in ("illumination", "aim")]
        return [*(Device("camera", name, "simulated", size) for name in CAMERAS), *lights]


def ruined() -> np.ndarray:
    """What looks like a code and is none."""
    cells = np.random.default_rng(7).integers(0, 2, (29, 29), dtype=np.uint8) * 215 + 20
    return np.pad(np.kron(cells, np.ones((4, 4), np.uint8)), 16, constant_values=235)


def display_until(counter: Counter, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Look at the shopper's display until it shows what is wanted."""
    deadline = time.monotonic() + LONG_S
    with httpx.stream("GET", f"{counter.terminal.url}/display/events", timeout=LONG_S, trust_env=False) as events:
        for line in events.iter_lines():
            if line.startswith('data: {"terminal"'):
                view: dict[str, Any] = json.loads(line.removeprefix("data: "))
                if wanted(view):
                    return view
            assert time.monotonic() < deadline, "the display does not show it"
    raise AssertionError("the display went away")


def test_shopper_is_guided_by_display_and_light_until_the_code_is_read(
    counter: Counter, tillwave_shopper: Shopper
) -> None:
    bench = counter.terminal.bench
    counter.terminal.wait_for_devices(LONG_S)
    assert (bench.illumination(), bench.aim()) == (0.0, Light.OFF)
    payment = counter.register.pay(1_230)
    bench.show_picture(ruined(), size=0.5)
    guided = display_until(counter, lambda view: view["guidance"] is not None)
    assert guided["guidance"]["hint"] == "not-read"
    ((left, _, right, _),) = guided["guidance"]["places"]
    assert left < 0.5 < right
    wait_until(lambda: Light.BLINK in bench.aim_history(), LONG_S, lambda: "the aim light does not blink")
    assert bench.illumination() == 0.6

    bench.show_qr(tillwave_shopper.phone.payment_text())
    done = counter.register.wait(payment["id"], LONG_S)
    assert done["phase"] == "paid", done
    assert display_until(counter, lambda view: view["sale"]["phase"] == "paid")["guidance"] is None
    wait_until(lambda: bench.aim() is Light.OFF, LONG_S, lambda: "the aim light stays on")
    assert bench.illumination() == 0.0
    bench.clear_view()


def test_code_that_two_cameras_and_a_scanner_see_is_one_code(counter: Counter, tillwave_shopper: Shopper) -> None:
    bench = counter.terminal.bench
    counter.terminal.wait_for_devices(LONG_S)
    payment = counter.register.pay(880)
    code = tillwave_shopper.phone.payment_text()
    for camera in CAMERAS:
        bench.show_qr(code, camera=camera)
    counter.present(code)
    done = counter.register.wait(payment["id"], LONG_S)
    assert (done["phase"], done["notice"]) == ("paid", ""), done
    for camera in CAMERAS:
        bench.clear_view(camera=camera)
