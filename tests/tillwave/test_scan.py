from __future__ import annotations

import json
import struct
import subprocess
import sys
import wave
import zlib
from pathlib import Path

import numpy as np
import pytest
import segno
import typer
from PIL import Image
from typer.testing import CliRunner

from protocol.waveform import modulate
from tillwave.commands.scan import scan

WALLET = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
SOUND = bytes(range(16))

app = typer.Typer()
app.command()(scan)


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def qr(path: Path, content: str | bytes = WALLET) -> Path:
    segno.make(content, micro=False).save(str(path), scale=4)
    return path


def recording(path: Path, samples: np.ndarray, rate: int = 48_000, width: int = 2, channels: int = 1) -> Path:
    scaled = np.clip(samples, -1, 1)
    if width == 1:
        data = (scaled * 127 + 128).astype(np.uint8).tobytes()
    else:
        octets = (scaled * (2 ** (8 * width - 1) - 1)).astype("<i8").reshape(-1, 1).view(np.uint8)
        data = np.repeat(octets[:, :width].reshape(-1, 1, width), channels, axis=1).tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return path


def test_picture_is_one_json_line(tmp_path):
    path = qr(tmp_path / "code.png")
    result = run(path, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "file": str(path),
        "readings": [
            {"source": "optical", "symbology": "QR", "aim": "]Q1", "text": WALLET, "hex": WALLET.encode().hex()}
        ],
    }


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "gif", "tiff", "ppm"])
def test_every_common_kind_of_picture_is_read(tmp_path, ending):
    path = tmp_path / f"code.{ending}"
    Image.open(qr(tmp_path / "drawn.png")).convert("RGB").save(path)
    assert json.loads(run(path, "--json").stdout)["readings"][0]["text"] == WALLET


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_a_picture_is_read(tmp_path, mode):
    drawn = Image.open(qr(tmp_path / "drawn.png")).convert("L")
    picture = Image.fromarray(np.asarray(drawn).astype(np.uint16) * 257) if mode == "I;16" else drawn.convert(mode)
    picture.save(tmp_path / "code.png")
    assert json.loads(run(tmp_path / "code.png", "--json").stdout)["readings"][0]["text"] == WALLET


def test_transparent_paper_is_white(tmp_path):
    segno.make(WALLET, micro=False).save(str(tmp_path / "code.png"), scale=4, light=None)
    assert json.loads(run(tmp_path / "code.png", "--json").stdout)["readings"][0]["text"] == WALLET


@pytest.mark.parametrize(
    ("rate", "width", "channels"),
    [(48_000, 2, 1), (44_100, 2, 2), (16_000, 2, 1), (48_000, 1, 1), (48_000, 3, 1), (96_000, 4, 2)],
)
def test_recording_is_one_json_line(tmp_path, rate, width, channels):
    path = recording(tmp_path / "token.wav", modulate(SOUND, rate), rate, width, channels)
    result = run(path, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "file": str(path),
        "readings": [
            {"source": "acoustic", "symbology": "TILLWAVE", "aim": "", "text": SOUND.decode(), "hex": SOUND.hex()}
        ],
    }


def test_binary_code_is_given_in_hexadecimal(tmp_path):
    result = run(qr(tmp_path / "code.png", b"\x00\xff\xfe\x80"), "--json")
    assert json.loads(result.stdout)["readings"][0]["hex"] == "00fffe80"


def test_file_without_anything_has_no_readings(tmp_path):
    Image.new("L", (200, 200), 128).save(tmp_path / "empty.png")
    recording(tmp_path / "silence.wav", np.zeros(48_000))
    result = run(tmp_path / "empty.png", tmp_path / "silence.wav", "--json")
    assert result.exit_code == 0
    assert [json.loads(line)["readings"] for line in result.stdout.splitlines()] == [[], []]


def test_unreadable_file_has_an_error_and_the_others_are_read(tmp_path):
    good, missing = qr(tmp_path / "code.png"), tmp_path / "missing.png"
    result = run(missing, good, "--json")
    assert result.exit_code == 1
    first, second = map(json.loads, result.stdout.splitlines())
    assert first == {"file": str(missing), "readings": [], "error": "cannot be opened: No such file or directory"}
    assert second["readings"][0]["text"] == WALLET


def _bomb() -> bytes:
    """A PNG that says it has 60000 x 60000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(60_001))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _large() -> bytes:
    """A PGM whose size Pillow by itself would only warn of."""
    return b"P5 12000 12000 255\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "neither a WAV file nor a picture"),
        (b"just some text", "neither a WAV file nor a picture"),
        (_bomb(), "more than 64 million pixels"),
        (_large(), "more than 64 million pixels"),
        (b"P5 100 100 255\n" + bytes(50), "torn or broken"),
        (b"RIFF\x24\x00\x00\x00WAVE", "torn, or not of whole-number samples"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + struct.pack("<HHIIHH", 3, 1, 48_000, 192_000, 4, 32),
         "torn, or not of whole-number samples"),
    ],
)  # fmt: skip
def test_hostile_file_is_refused_with_a_reason(tmp_path, content, reason):
    path = tmp_path / "file"
    path.write_bytes(content)
    result = run(path, "--json")
    assert result.exit_code == 1
    assert reason in json.loads(result.stdout)["error"]


def test_torn_picture_is_refused(tmp_path):
    whole = qr(tmp_path / "code.png").read_bytes()
    for length in range(8, len(whole) - 20, 40):
        (tmp_path / "torn.png").write_bytes(whole[:length])
        result = run(tmp_path / "torn.png", "--json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["error"]


def test_torn_recording_is_heard_as_far_as_it_goes_or_refused(tmp_path):
    whole = recording(tmp_path / "token.wav", modulate(SOUND, 48_000)).read_bytes()
    for length in (13, 20, 43, 44, 45, 10_001, len(whole) // 2):
        (tmp_path / "torn.wav").write_bytes(whole[:length])
        result = run(tmp_path / "torn.wav", "--json")
        assert result.exit_code in (0, 1)
        assert json.loads(result.stdout)["readings"] == []


def test_recording_at_a_rate_that_cannot_carry_tones_is_refused(tmp_path):
    path = recording(tmp_path / "telephone.wav", np.zeros(8000), rate=8000)
    result = run(path, "--json")
    assert result.exit_code == 1
    assert "16000 to 192000" in json.loads(result.stdout)["error"]


def test_folder_is_no_file(tmp_path):
    result = run(tmp_path, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == "not a file"


def test_without_json_people_can_read_it(tmp_path):
    result = run(qr(tmp_path / "code.png"), recording(tmp_path / "token.wav", modulate(SOUND, 48_000)))
    assert result.exit_code == 0
    words = result.stdout.split()
    assert {"QR", "]Q1", "TILLWAVE", "optical", "acoustic"} <= set(words)
    assert "".join(word for word in words if word in WALLET) == WALLET


def test_code_cannot_steer_the_screen(tmp_path):
    result = run(qr(tmp_path / "code.png", "\x1b[31m[red]A[/]"))
    assert "\x1b[31m" not in result.stdout
    assert "\\x1b[31m[red]A[/]" in result.stdout


def test_error_is_a_line_on_standard_error(tmp_path):
    result = run(tmp_path / "missing.png")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "missing.png: cannot be opened: No such file or directory" in result.stderr


def test_command_line_starts_without_the_decoders():
    program = (
        "import sys, tillwave.commands.scan\n"
        "print([name for name in ('numpy', 'PIL', 'zxingcpp', 'rich.table') if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[]"
