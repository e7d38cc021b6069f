"""A counter whose camera dies in the middle of a day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scene import Counter, wait_until

from provisioning.layout import Device
from tillwave.testing.mall import BoxedMall
from tillwave.testing.shopper import Shopper

pytestmark = pytest.mark.broker

LONG_S = 60.0


class SeeingCounter(Counter):
    """A counter with a camera beside its scanner."""

    def fitted(self, bench: str) -> list[Device]:
        return [Device("camera", "front", "simulated", {"bench": bench, "width": 640, "height": 480})]


@pytest.fixture
def counter(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = SeeingCounter(tillwave_mall)
    yield made
    made.close()


def camera_of(counter: Counter) -> dict[str, Any]:
    return next(device for device in counter.terminal.status()["devices"] if device["name"] == "front")


def test_camera_that_dies_is_said_and_the_counter_sells_on_until_it_is_back(
    counter: Counter, tillwave_shopper: Shopper
) -> None:
    bench, phone = counter.terminal.bench, tillwave_shopper.phone
    counter.terminal.wait_for_devices(LONG_S)
    waiting = counter.register.pay(410)
    bench.break_device("camera", "front", "dead")
    wait_until(lambda: camera_of(counter)["state"] == "failed", LONG_S, lambda: f"{camera_of(counter)}")
    assert camera_of(counter)["detail"].endswith("; it is started again")
    counter.present(phone.payment_text())
    assert counter.register.wait(waiting["id"], LONG_S)["phase"] == "paid"

    bench.mend_device("camera", "front")
    counter.terminal.wait_for_devices(LONG_S)
    seen = counter.register.pay(420)
    bench.show_qr(phone.payment_text())
    done = counter.register.wait(seen["id"], LONG_S)
    assert done["phase"] == "paid", done
