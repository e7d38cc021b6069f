"""`tillwave sound` with a simulated microphone, and with recordings."""

from __future__ import annotations

import json
import stat
import sys
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from device.drivers.pcm import to_int16, write_wav
from device.drivers.simulated.bench import Bench
from device.drivers.simulated.control import SimulationError
from protocol.waveform import modulate, modulate_short
from tillwave.commands.sound import app

TOKEN = bytes(range(100, 116))
SETTINGS = """
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
kind = "microphone"
name = "ear"
driver = "simulated"
options = { bench = "bench" }
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "terminal.toml").write_text(SETTINGS)
    return tmp_path / "terminal.toml"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def recording(path: Path, samples: np.ndarray, rate_hz: int = 48_000) -> Path:
    quiet = np.zeros(rate_hz // 2, np.float32)
    write_wav(path, np.concatenate([quiet, samples, quiet]), rate_hz)
    return path


@contextmanager
def playing(bench: Path, samples: np.ndarray, volume: float = 0.5) -> Iterator[None]:
    """Play to the microphone, again and again, as soon as a command has started it."""
    done = threading.Event()

    def play() -> None:
        while not done.wait(0.2):
            try:
                Bench(bench, patience_s=0.2).play_samples(samples, 48_000, microphone="ear", volume=volume)
            except SimulationError:
                continue  # not started yet, or stopped already
            done.wait(len(samples) / 48_000)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_meter_of_a_recording_tells_level_and_quality_and_not_the_token(tmp_path: Path) -> None:
    told = run("meter", recording(tmp_path / "a.wav", 0.25 * modulate(TOKEN, 48_000)), "--json")
    assert told.exit_code == 0, told.output
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    assert rows[-1]["heard"] == 1
    assert (rows[-1]["last"]["waveform"], rows[-1]["last"]["form"]) == ("TILLWAVE", "normal")
    assert rows[-1]["last"]["snr_db"] > 8
    assert -14 < rows[-1]["loudest_dbfs"] < -12
    assert not rows[-1]["was_clipped"]
    assert rows[0]["levels"]["rms_dbfs"] < rows[4]["levels"]["rms_dbfs"]
    for secret in (TOKEN.hex(), TOKEN.decode()):
        assert secret not in told.output


def test_meter_of_a_recording_draws_its_loudest_moment(tmp_path: Path) -> None:
    told = run("meter", recording(tmp_path / "a.wav", np.clip(3 * modulate_short(TOKEN, 16_000), -1, 1), 16_000))
    assert told.exit_code == 0, told.output
    for part in ("16000 Hz", "TILLWAVE · short · audible", "CLIPPED", "█", "1k", "tokens heard"):
        assert part in told.stdout


@pytest.mark.parametrize("content", [None, b"", b"RIFF....WAVE", b"junk" * 20])
def test_meter_of_what_is_no_recording_says_so(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.wav").write_bytes(content)
    told = run("meter", tmp_path / "a.wav")
    assert told.exit_code == 1
    assert "tillwave: " in told.stderr


def test_meter_listens_to_the_microphone_of_a_terminals_settings(config: Path) -> None:
    with playing(config.parent / "bench", modulate_short(TOKEN, 48_000)):
        told = run("meter", "--config", config, "--json", "--seconds", "4")
    assert told.exit_code == 0, told.output
    rows: list[dict[str, Any]] = [json.loads(line) for line in told.stdout.splitlines()]
    assert rows[-1]["at_s"] >= 4
    assert all(row["rate_hz"] == 48_000 and len(row["levels"]["bands_dbfs"]) == 23 for row in rows)
    assert rows[-1]["heard"] >= 1
    assert max(row["levels"]["peak_dbfs"] for row in rows) > -8


def test_meter_says_which_microphones_the_settings_have(config: Path) -> None:
    told = run("meter", "--config", config, "--device", "mouth")
    assert told.exit_code == 4
    assert "it has: ear" in told.stderr


def test_meter_without_the_second_waveform_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ggwave", None)  # as on a machine without the package
    told = run("meter", recording(tmp_path / "a.wav", modulate_short(TOKEN, 48_000)), "--ggwave")
    assert told.exit_code == 4
    assert 'pip install "tillwave[sound]"' in told.stderr


def test_recording_is_kept_for_its_owner_alone(config: Path, tmp_path: Path) -> None:
    told = run("record", tmp_path / "out.wav", "--config", config, "--seconds", "1")
    assert told.exit_code == 0, told.output
    assert "payment tokens near the counter are kept" in told.stdout
    assert "kept 1.0 s" in told.stdout
    assert stat.S_IMODE((tmp_path / "out.wav").stat().st_mode) == 0o600
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getframerate(), file.getnframes(), file.getnchannels()) == (48_000, 48_000, 1)


def test_recording_is_what_was_heard(config: Path, tmp_path: Path) -> None:
    with playing(config.parent / "bench", modulate_short(TOKEN, 48_000)):
        assert run("record", tmp_path / "out.wav", "--config", config, "--seconds", "4").exit_code == 0
    told = run("meter", tmp_path / "out.wav", "--json")
    assert json.loads(told.stdout.splitlines()[-1])["heard"] >= 1


def test_recording_replaces_no_file_unless_told_to(config: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "out.wav", to_int16(np.zeros(10)), 48_000)
    before = (tmp_path / "out.wav").read_bytes()
    told = run("record", tmp_path / "out.wav", "--config", config, "--seconds", "0.2")
    assert told.exit_code == 1
    assert "--overwrite" in told.stderr
    assert (tmp_path / "out.wav").read_bytes() == before
    assert run("record", tmp_path / "out.wav", "--config", config, "--seconds", "0.2", "--overwrite").exit_code == 0
    assert stat.S_IMODE((tmp_path / "out.wav").stat().st_mode) == 0o600
    assert (tmp_path / "out.wav").read_bytes() != before


@pytest.mark.parametrize("seconds", ["0", "601"])
def test_recording_is_bounded(config: Path, tmp_path: Path, seconds: str) -> None:
    assert run("record", tmp_path / "out.wav", "--config", config, "--seconds", seconds).exit_code == 2
    assert not (tmp_path / "out.wav").exists()


def test_machine_without_portaudio_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    for command in (("devices",), ("meter",)):
        told = run(*command)
        assert told.exit_code == 4
        assert "apt install libportaudio2" in told.stderr
