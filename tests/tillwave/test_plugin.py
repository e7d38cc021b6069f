"""The pytest plugin, used as an integrator uses it: from a project of his own."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.broker

_INTEGRATORS_TEST = """
import time


def test_my_register_takes_a_payment(tillwave_terminal, tillwave_shopper):
    register = tillwave_terminal.pair_register()
    payment = register.pay(1230)
    tillwave_terminal.bench.type_barcode(tillwave_shopper.phone.payment_text())
    assert register.wait(payment["id"])["phase"] == "paid"


def test_my_register_survives_an_unplugged_scanner(tillwave_terminal, tillwave_register, tillwave_shopper):
    tillwave_terminal.bench.unplug("scanner", "hand")
    tillwave_terminal.bench.wait_for("scanner", "hand", "missing")
    payment = tillwave_register.pay(500)
    tillwave_terminal.bench.plug("scanner", "hand")
    tillwave_terminal.bench.wait_for("scanner", "hand")
    tillwave_terminal.bench.type_barcode(tillwave_shopper.phone.payment_text())
    assert tillwave_register.wait(payment["id"])["phase"] == "paid"


def test_the_slip_is_printed(tillwave_terminal):
    deadline = time.monotonic() + 10
    while not tillwave_terminal.bench.slips() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "12.30" in tillwave_terminal.bench.slips()[0].text


def test_settlement_has_it(tillwave_settlement):
    assert tillwave_settlement.settlement.pid > 0
"""


def test_an_integrators_tests_pass_against_a_whole_mall(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(_INTEGRATORS_TEST)
    result = pytester.runpytest_subprocess("-q", "-W", "error")
    result.assert_outcomes(passed=4)


def test_without_mosquitto_the_tests_are_skipped_with_a_reason(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(_INTEGRATORS_TEST)
    pytester.makeconftest("import shutil\nshutil.which = lambda *_, **__: None\n")
    result = pytester.runpytest_subprocess("-q", "-rs")
    result.assert_outcomes(skipped=4)
    result.stdout.fnmatch_lines(["*mosquitto is not installed*"])
