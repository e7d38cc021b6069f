from __future__ import annotations

from pathlib import Path

import pytest

from device.config import SettingsWrong, load_settings

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
"""


def load(folder: Path, more: str) -> tuple[str, ...]:
    (folder / "terminal.toml").write_text(LEAST + more)
    return load_settings(folder / "terminal.toml").sound.waveforms


def test_own_waveform_is_heard_unless_the_settings_say_more(tmp_path: Path) -> None:
    assert load(tmp_path, "") == ("TILLWAVE",)
    assert load(tmp_path, '[sound]\nwaveforms = ["TILLWAVE", "GGWAVE"]') == ("TILLWAVE", "GGWAVE")


@pytest.mark.parametrize("waveforms", ['["MORSE"]', "[]", '"GGWAVE"'])
def test_waveforms_that_nobody_knows_are_refused(tmp_path: Path, waveforms: str) -> None:
    with pytest.raises(SettingsWrong, match=r"sound\.waveforms"):
        load(tmp_path, f"[sound]\nwaveforms = {waveforms}")
