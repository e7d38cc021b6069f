"""The real microphone and loudspeaker drivers over a PulseAudio server without hardware."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driver_stand import wait_until
from sound_server import MICROPHONE, MISSING, SPEAKER, SoundServer, plug, unplug

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")
ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 30.0
TIMES = 3
TOKEN = "00112233445566778899aabbccddeeff"


class Loop:
    """The process in which the drivers live."""

    def __init__(self, server: SoundServer) -> None:
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("sound_loop.py")],
            env=server.environment | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, line: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def are_all(self, state: str) -> bool:
        return wait_until(
            lambda: all(each == state for each, _ in self.ask("health").values()) or time.sleep(0.1), PATIENCE_S
        )

    def close(self) -> set[str]:
        last, _ = self.process.communicate(timeout=PATIENCE_S)
        return {state for state, _ in json.loads(last)["stopped"].values()}


@pytest.fixture
def server() -> Iterator[SoundServer]:
    server = SoundServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def loop(server: SoundServer) -> Iterator[Loop]:
    loop = Loop(server)
    try:
        assert loop.are_all("working")
        yield loop
        assert loop.close() == {"stopped"}
    finally:
        if loop.process.poll() is None:
            loop.process.kill()
        loop.process.communicate()


def test_microphone_hears_the_loudspeaker(loop: Loop) -> None:
    for hertz, rate_hz in ((1875, 48_000), (3000, 44_100)):
        heard = whole_tone(loop, hertz, rate_hz)
        assert abs(heard["hertz"] - hertz) < 5
        assert abs(heard["loudest"] - 0.5) < 0.05
        assert heard["loud_seconds"] > 0.48  # nothing is cut off at either end


def whole_tone(loop: Loop, hertz: int, rate_hz: int) -> dict[str, float]:
    """Play half a second until it comes without a gap, or too often: a sound server on a busy machine tears some."""
    for _ in range(TIMES):
        heard: dict[str, float] = loop.ask(f"tone {hertz} {rate_hz}")
        if heard["loud_seconds"] > 0.48:
            break
    return heard


def test_token_goes_from_loudspeaker_to_microphones_of_every_rate(loop: Loop) -> None:
    names = {f"{name} {rate}" for name, rate in (("mic", 48_000), ("mic-44", 44_100), ("mic-16", 16_000))}
    assert loop.ask(f"token {TOKEN}") == dict.fromkeys(names | {"right 48000"}, TOKEN)


def test_one_channel_of_two_is_heard(loop: Loop) -> None:
    heard = loop.ask("right")
    assert abs(heard["right"] - 0.4) < 0.03
    assert abs(heard["mic"] - 0.2) < 0.03  # the server gives the mean of both as the one channel


def test_unplugged_devices_are_missing_and_hear_a_token_when_they_are_back(server: SoundServer, loop: Loop) -> None:
    unplug(server.environment)
    assert loop.are_all("missing")
    assert all(detail for _, detail in loop.ask("health").values())
    plug(server.environment)
    assert loop.are_all("working")
    assert set(loop.ask(f"token {TOKEN}").values()) == {TOKEN}


def test_sound_server_that_went_away_is_missing_and_works_when_it_is_back(server: SoundServer, loop: Loop) -> None:
    server.stop()
    assert loop.are_all("missing")
    server.start()
    assert loop.are_all("working")
    assert abs(loop.ask("tone 1875 48000")["hertz"] - 1875) < 5


def test_commands_use_the_same_drivers(server: SoundServer) -> None:
    def tillwave(*words: str) -> str:
        run = subprocess.run(
            [sys.executable, "-c", "from tillwave.cli import main; main()", "sound", *words],
            env=server.environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    listed = [json.loads(line) for line in tillwave("devices", "--json").splitlines()]
    assert {MICROPHONE, SPEAKER} <= {device["name"] for device in listed if device["host_api"] == "ALSA"}
    rows = [
        json.loads(line)
        for line in tillwave(
            "meter", "--device", MICROPHONE, "--host-api", "alsa", "--seconds", "1", "--json"
        ).splitlines()
    ]
    assert rows[-1]["at_s"] >= 1
    assert rows[-1]["rate_hz"] == 48_000
    assert rows[-1]["levels"]["rms_dbfs"] == -120.0
    kept = server.folder / "kept.wav"
    tillwave("record", str(kept), "--device", MICROPHONE, "--seconds", "0.5")
    assert kept.stat().st_size == 44 + 48_000


def test_drivers_keep_the_contract_of_their_ports(server: SoundServer) -> None:
    """The contract tests, in a process whose sound comes from the server."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-p", "no:randomly"),
            *("-k", "SoundMicrophoneRig or SoundSpeakerRig", "tests/device/drivers/test_driver_contract.py"),
        ],
        cwd=ROOT,
        env=server.environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout[-4000:]
    summary = run.stdout.splitlines()[-1]
    passed = re.search(r"(\d+) passed", summary)
    assert passed is not None, run.stdout[-4000:]
    assert int(passed[1]) == 18
    assert "skipped" not in summary, run.stdout[-4000:]
