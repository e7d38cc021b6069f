"""Which codes a camera reads is a setting of the camera."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.config import DeviceSettings, SettingsWrong, load_settings
from device.decode.camera_wire import Begin, decode_to_process, encode

LEAST = """
[terminal]
name = "till-1"
mall = "mall"
state = "state"
[merchant]
name = "Shop"
city = "Hangzhou"
country = "CN"
[broker]
host = "broker.example"
[[devices]]
kind = "camera"
name = "front"
driver = "picamera2"
"""


def load(folder: Path, more: str) -> DeviceSettings:
    (folder / "terminal.toml").write_text(LEAST + more)
    return load_settings(folder / "terminal.toml").devices[0]


def test_camera_reads_everything_unless_told(tmp_path: Path) -> None:
    device = load(tmp_path, "")
    assert (device.symbologies, device.itf_digits) == (None, (14,))


def test_symbologies_and_lengths_are_settings(tmp_path: Path) -> None:
    device = load(tmp_path, 'symbologies = ["QR", "GS1-128", "ITF"]\nitf_digits = [14, 20]\n')
    assert (device.symbologies, device.itf_digits) == (("QR", "GS1-128", "ITF"), (14, 20))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('symbologies = ["QR", "QRCODE"]', r'device .front.: no symbology is called "QRCODE"; there are .*GS1-128'),
        ("symbologies = []", "at least one"),
        ('symbologies = "QR"', "symbologies"),
        ('[[devices]]\nkind = "scanner"\nname = "s"\ndriver = "serial"\nsymbologies = ["QR"]', "for cameras"),
    ],
)
def test_wrong_choice_is_refused_when_the_terminal_starts(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(SettingsWrong, match=reason):
        load(tmp_path, line)


def test_choice_crosses_to_the_process_of_the_camera() -> None:
    begin = Begin("front", "picamera2", {}, ("QR", "ITF"), (14, 20))
    assert decode_to_process(encode(begin)) == begin
