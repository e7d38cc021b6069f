import subprocess
import sys

import pytest

from device.drivers.base import Scanner
from device.drivers.errors import DriverError, UnknownDriver
from device.drivers.registry import KINDS, BadDriverOptions, find_driver, installed, make_driver


def test_every_kind_has_its_simulated_twin():
    for kind in KINDS:
        assert "simulated" in installed(kind)


def test_driver_is_made_from_its_settings():
    made = make_driver("scanner", "serial", "hand", {"path": "/dev/ttyACM0", "baud": 115200})
    assert isinstance(made, Scanner)
    assert made.name == "hand"


def test_unknown_driver_is_told_what_is_installed():
    with pytest.raises(
        UnknownDriver, match=r'hand: no driver "seriall" for kind "scanner".*hid, hid-pos, serial, simulated'
    ) as caught:
        make_driver("scanner", "seriall", "hand", {})
    assert isinstance(caught.value, LookupError)


def test_unknown_kind_is_told_the_kinds():
    with pytest.raises(UnknownDriver, match=r'no kind of device "scaner".*camera, scanner'):
        find_driver("scaner", "serial")


@pytest.mark.parametrize(
    ("options", "key", "text"),
    [
        ({"path": "/dev/x", "boud": 9600}, "boud", r'hand: unknown option "boud"; known are: path, profile, .*baud'),
        ({}, "path", r'hand: option "path" is missing'),
        ({"path": "/dev/x", "baud": "9600"}, "baud", r'hand: option "baud": expected `int`, got `str`'),
        ({"path": "/dev/x", "baud": 5}, "baud", r'hand: option "baud": expected `int` >= 300'),
        ({"path": "/dev/x", "suffix": "bell"}, "suffix", r'hand: option "suffix": invalid enum value .bell.'),
        ({"path": "/dev/x", "silence_ms": 1.5}, "silence_ms", r'hand: option "silence_ms"'),
    ],
)
def test_bad_options_name_device_and_key(options, key, text):
    with pytest.raises(BadDriverOptions, match=text) as caught:
        make_driver("scanner", "serial", "hand", options)
    assert caught.value.key == key
    assert caught.value.device == "hand"
    assert isinstance(caught.value, DriverError | ValueError)


@pytest.mark.parametrize(
    ("kind", "driver", "options", "text"),
    [
        ("printer", "escpos", {"connection": "network"}, 'slips: connection "network" needs "host"'),
        ("printer", "escpos", {"connection": "usb", "vendor_id": 1208}, 'needs "vendor_id" and "product_id"'),
        ("lamps", "gpiozero", {"ready": 17, "working": 17}, "each lamp needs a pin of its own"),
        ("camera", "webcam", {"formats": ["H264"]}, '"formats" knows GREY.*not H264'),
    ],
)
def test_options_that_do_not_fit_together_are_refused(kind, driver, options, text):
    with pytest.raises(BadDriverOptions, match=text):
        make_driver(kind, driver, "slips", options)


def test_nothing_heavy_is_imported_before_a_driver_is_made():
    heavy = "numpy", "PIL", "escpos", "sounddevice", "gpiozero", "serial", "evdev"
    code = f"import sys, device.drivers.registry, device.drivers.base; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(("kind", "driver", "options"), [
    ("scanner", "serial", {"path": "/dev/x"}),
    ("scanner", "hid", {"path": "/dev/x"}),
    ("lamps", "gpiozero", {}),
    ("illumination", "gpiozero", {}),
    ("aim", "gpiozero", {}),
    ("printer", "escpos", {"connection": "file", "path": "/dev/x"}),
    ("scanner", "simulated", {"bench": "/tmp"}),
    ("lamps", "simulated", {"bench": "/tmp"}),
    ("printer", "simulated", {"bench": "/tmp"}),
    ("microphone", "sounddevice", {}),
])  # fmt: skip
def test_light_drivers_stay_light_when_made(kind, driver, options):
    code = (
        "import sys\nfrom device.drivers.registry import make_driver\n"
        f"make_driver({kind!r}, {driver!r}, 'x', {options!r})\n"
        "print([m for m in ('numpy', 'PIL', 'escpos', 'sounddevice', 'gpiozero', 'evdev') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
