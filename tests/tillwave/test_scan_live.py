from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import segno
import typer
from PIL import Image
from typer.testing import CliRunner

from device.drivers.simulated.bench import Bench
from tillwave.commands.scan import scan

WALLET = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
HOSTILE = "\x1b]0;owned\x07\x1b[31mRED\x9b2J\r\n"
LONG_S = "60"
GREEN, AMBER = (40, 215, 130), (250, 180, 40)

app = typer.Typer()
app.command()(scan)


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def ruined() -> np.ndarray:
    """What looks like a code and is none."""
    cells = np.random.default_rng(7).integers(0, 2, (29, 29), dtype=np.uint8) * 215 + 20
    return np.pad(np.kron(cells, np.ones((4, 4), np.uint8)), 16, constant_values=235)


@contextmanager
def shown(bench: Path, act) -> Iterator[None]:
    """Do something at the bench as soon as the camera is there."""
    thread = threading.Thread(target=lambda: act(Bench(bench, patience_s=60.0)))
    thread.start()
    yield
    thread.join()


def has_colour(path: Path, colour: tuple[int, int, int]) -> bool:
    return bool((np.asarray(Image.open(path).convert("RGB")) == colour).all(axis=2).any())


def simulated(folder: Path, *more: object) -> tuple[object, ...]:
    size = ("--option", "width=640", "--option", "height=480")
    return ("--camera", "simulated", "--option", f"bench={folder}", *size, *more)


def test_code_before_a_camera_is_read_by_its_driver_and_drawn_into_a_picture(tmp_path):
    picture = tmp_path / "seen.png"
    with shown(tmp_path / "bench", lambda bench: bench.show_qr(WALLET, camera="camera")):
        result = run(*simulated(tmp_path / "bench"), "--codes", 1, "--seconds", LONG_S, "--json", "--annotate", picture)
    assert result.exit_code == 0, result.output
    (line,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert (line["source"], line["device"], line["symbology"], line["text"]) == ("optical", "camera", "QR", WALLET)
    left, top, right, bottom = line["place"]
    assert 0 < left < 0.5 < right < 1
    assert 0 < top < 0.5 < bottom < 1
    assert has_colour(picture, GREEN)
    assert "working" in result.stderr


def test_camera_of_the_settings_is_found_by_its_name(tmp_path):
    config = tmp_path / "terminal.toml"
    config.write_text(
        '[terminal]\nname = "till-1"\nmall = "demo"\nstate = "state"\n'
        '[merchant]\nname = "Tea"\ncity = "Hangzhou"\ncountry = "CN"\n[broker]\nhost = "localhost"\n'
        '[[devices]]\nkind = "camera"\nname = "front"\ndriver = "simulated"\n'
        '[devices.options]\nbench = "bench"\nwidth = 640\nheight = 480\n'
    )
    with shown(tmp_path / "bench", lambda bench: bench.show_qr(WALLET)):
        result = run("--camera", "front", "--config", config, "--codes", 1, "--seconds", LONG_S)
    assert result.exit_code == 0, result.output
    assert f"QR         ]Q1 30 bytes: {WALLET}" in result.stdout


def test_reason_of_an_unread_code_is_said_and_drawn_until_ctrl_c(tmp_path):
    picture = tmp_path / "seen.png"
    arguments = [str(one) for one in simulated(tmp_path / "bench", "--annotate", picture, "--seconds", LONG_S)]
    program = [sys.executable, "-m", "tillwave", "scan", *arguments]
    with subprocess.Popen(program, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as command:
        Bench(tmp_path / "bench", patience_s=60.0).show_picture(ruined(), camera="camera", size=0.5)
        assert command.stderr is not None
        said = next(line for line in command.stderr if line.startswith("not read"))
        assert said == "not read: seen but not readable\n"
        command.send_signal(signal.SIGINT)
        _, rest = command.communicate(timeout=60)
    assert command.returncode == 1
    assert "nothing was read" in rest
    assert has_colour(picture, AMBER)
    assert not has_colour(picture, GREEN)


def test_camera_without_pictures_is_said_and_ends_in_time(tmp_path):
    (tmp_path / "bench").mkdir()
    Bench(tmp_path / "bench", patience_s=0.0).break_device("camera", "camera", "dead")
    began = time.monotonic()
    result = run(*simulated(tmp_path / "bench"), "--seconds", 2, "--annotate", tmp_path / "seen.png")
    assert time.monotonic() - began < 60
    assert result.exit_code == 1
    assert "no picture" in result.stderr
    assert not (tmp_path / "seen.png").exists()


def test_wrong_options_are_refused_before_anything_starts(tmp_path):
    for arguments, said in (
        (("--camera", "nonsense", "--config", tmp_path / "none.toml"), "neither a camera"),
        (("--camera", "simulated", "--option", "bench"), "key=value"),
        (("--camera", "simulated", "--option", "bench=b", "--option", "width=wide"), "width"),
        (("--camera", "simulated", "--option", "bench=b", "--option", "colour=red"), "colour"),
        (("--serial", "/dev/none", "--profile", "nonsense"), "nonsense"),
    ):
        result = run(*arguments)
        assert result.exit_code == 3, result.output
        assert said in result.stderr


def test_wrong_use_is_told(tmp_path):
    for arguments in (
        (),
        ("a.png", "--camera", "front"),
        ("--camera", "front", "--serial", "/dev/ttyUSB0"),
        ("a.png", "b.png", "--annotate", tmp_path / "out.png"),
        ("--serial", "/dev/ttyUSB0", "--annotate", tmp_path / "out.png"),
    ):
        assert run(*arguments).exit_code == 2


@pytest.fixture
def line(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    master, slave = os.openpty()
    os.set_blocking(master, False)
    path = tmp_path / "scanner"
    path.symlink_to(os.ttyname(slave))
    yield master, path
    os.close(master)
    os.close(slave)


@contextmanager
def typed(master: int, data: bytes) -> Iterator[None]:
    """Let the scanner send again and again until the command has heard it; what comes too early is not read."""
    done = threading.Event()

    def send() -> None:
        while not done.wait(0.4):
            os.write(master, data)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_serial_scanner_is_read_line_by_line(line):
    master, path = line
    with typed(master, b"]E06901234567892\r"):
        result = run("--serial", path, "--codes", 1, "--seconds", LONG_S, "--json")
    assert result.exit_code == 0, result.output
    shown_line = json.loads(result.stdout.splitlines()[0])
    assert (shown_line["source"], shown_line["symbology"], shown_line["text"], shown_line["place"]) == (
        "scanner",
        "EAN13",
        "6901234567892",
        None,
    )


def test_serial_line_that_stays_silent_is_told(line):
    result = run("--serial", line[1], "--seconds", 0.5)
    assert result.exit_code == 1
    assert "nothing was read" in result.stderr


def test_code_cannot_steer_the_screen_neither_live_nor_in_a_picture(tmp_path):
    picture = tmp_path / "seen.png"
    with shown(tmp_path / "bench", lambda bench: bench.show_qr(HOSTILE.encode(), camera="camera")):
        result = run(*simulated(tmp_path / "bench"), "--codes", 1, "--seconds", LONG_S, "--annotate", picture)
    assert result.exit_code == 0, result.output
    assert not set(result.output) & set("\x1b\x07\x9b\r")
    assert "\\x1b]0;owned\\x07" in result.stdout
    assert has_colour(picture, GREEN)


def test_picture_file_is_annotated(tmp_path):
    segno.make(WALLET, micro=False).save(str(tmp_path / "code.png"), scale=5)
    result = run(tmp_path / "code.png", "--annotate", tmp_path / "out.png", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["readings"][0]["text"] == WALLET
    assert has_colour(tmp_path / "out.png", GREEN)


def test_annotation_that_cannot_be_written_is_told(tmp_path):
    segno.make(WALLET, micro=False).save(str(tmp_path / "code.png"), scale=5)
    result = run(tmp_path / "code.png", "--annotate", tmp_path / "none" / "out.png")
    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr


def test_recording_and_hostile_file_cannot_be_annotated(tmp_path):
    (tmp_path / "token.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVE")
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n\x1b[31m")
    for name in ("token.wav", "torn.png", "missing.png"):
        result = run(tmp_path / name, "--annotate", tmp_path / "out.png")
        assert result.exit_code == 1
        assert "\x1b[31m" not in result.output.replace("\x1b[31m" + str(tmp_path), "")
        assert not (tmp_path / "out.png").exists()
