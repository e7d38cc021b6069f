"""The waveform in JavaScript against the one in Python, through node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from device.decode.acoustic import AcousticDecoder
from protocol.waveform.forms import AUDIBLE, HIGH, LONG, NORMAL, SHORT, Direction, form_for
from protocol.waveform.modulator import token
from protocol.waveform.playing import played
from protocol.waveform.receiver import TokenReceiver

WAVEFORM = Path(__file__).resolve().parents[2] / "wallet" / "pages" / "waveform"
NODE = shutil.which("node")
RATE = 48_000
PROGRAM = """
import { readFileSync, writeFileSync } from "node:fs";
const [folder, request] = process.argv.slice(2);
const load = (name) => import(`file://${folder}/${name}.js`);
const [forms, { modulate }, { TokenReceiver }] = await Promise.all(["forms", "modulator", "receiver"].map(load));
const asked = JSON.parse(readFileSync(request, "utf8"));
for (const { payload, form, band, direction, file } of asked.made ?? []) {
  const samples = modulate(Uint8Array.from(Buffer.from(payload, "hex")), forms[form], forms[band], direction);
  writeFileSync(file, Buffer.from(samples.buffer));
}
for (const { file, rate, direction, chunk } of asked.heard ?? []) {
  const bytes = readFileSync(file);
  const samples = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const receiver = new TokenReceiver(rate, direction);
  const payloads = [];
  for (let from = 0; from < samples.length; from += chunk) {
    payloads.push(...receiver.feed(samples.subarray(from, from + chunk)));
  }
  payloads.push(...receiver.flush());
  console.log(JSON.stringify(payloads.map((payload) => Buffer.from(payload).toString("hex"))));
}
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def run(folder: Path, asked: dict) -> list[list[bytes]]:
    program, request = folder / "program.mjs", folder / "asked.json"
    program.write_text(PROGRAM)
    request.write_text(json.dumps(asked))
    done = subprocess.run([NODE, program, WAVEFORM, request], check=True, capture_output=True, text=True)
    return [[bytes.fromhex(payload) for payload in json.loads(line)] for line in done.stdout.splitlines()]


def heard(folder: Path, sounds: list[np.ndarray], rate: int = RATE, direction=Direction.CHALLENGE, chunk: int = 1024):
    files = [folder / f"{number}.f64" for number in range(len(sounds))]
    for file, sound in zip(files, sounds, strict=True):
        sound.astype(np.float64).tofile(file)
    asked = [{"file": str(file), "rate": rate, "direction": direction.value, "chunk": chunk} for file in files]
    return run(folder, {"heard": asked})


def quiet(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.zeros(round(seconds * rate))


def test_samples_are_those_of_python(tmp_path):
    tokens = [
        (SHORT, AUDIBLE, Direction.TOKEN, bytes(range(16))),
        (NORMAL, AUDIBLE, Direction.TOKEN, b"\xff" * 8),
        (NORMAL, AUDIBLE, Direction.CHALLENGE, bytes(range(64))),
        (LONG, AUDIBLE, Direction.TOKEN, bytes(range(160))),
        (NORMAL, HIGH, Direction.TOKEN, bytes(range(16, 32))),
        (LONG, HIGH, Direction.CHALLENGE, bytes(192)),
    ]
    asked = [
        {
            "payload": payload.hex(),
            "form": form.name.upper(),
            "band": band.name.upper(),
            "direction": direction.value,
            "file": str(tmp_path / f"{number}.f64"),
        }
        for number, (form, band, direction, payload) in enumerate(tokens)
    ]
    run(tmp_path, {"made": asked})
    for number, (form, band, direction, payload) in enumerate(tokens):
        made = np.fromfile(tmp_path / f"{number}.f64")
        expected = token(payload, form, band, direction)
        assert made.shape == expected.shape
        assert np.abs(made - expected).max() < 1e-9


PLAYED = """
import { writeFileSync } from "node:fs";
const [folder, rate, file] = process.argv.slice(2);
const [{ AUDIBLE, HIGH }, { formFor, played }] = await Promise.all(
  ["forms", "playing"].map((name) => import(`file://${folder}/${name}.js`)));
const forms = [AUDIBLE, HIGH].map((band) => Array.from({ length: 185 }, (_, n) => formFor(n + 8, band).name));
console.log(JSON.stringify(forms));
const samples = played(new Uint8Array(16).map((_, n) => n), formFor(16, HIGH), Number(rate), HIGH);
writeFileSync(file, Buffer.from(samples.buffer));
"""


@pytest.mark.parametrize("rate", [48_000, 44_100, 96_000])
def test_sound_at_the_rate_of_a_loudspeaker_is_that_of_python(tmp_path, rate):
    program, file = tmp_path / "program.mjs", tmp_path / "played.f32"
    program.write_text(PLAYED)
    command = [NODE, program, WAVEFORM, str(rate), file]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == [[form_for(n, band).name for n in range(8, 193)] for band in (AUDIBLE, HIGH)]
    made, expected = np.fromfile(file, np.float32), played(bytes(range(16)), NORMAL, rate, HIGH)
    assert made.shape == expected.shape
    assert np.abs(made - expected).max() < 1e-4


def test_terminal_hears_the_page(tmp_path):
    payload = bytes(range(40, 56))
    made = {
        "payload": payload.hex(),
        "form": "SHORT",
        "band": "AUDIBLE",
        "direction": 0,
        "file": str(tmp_path / "a.f64"),
    }
    run(tmp_path, {"made": [made]})
    sound = np.concatenate([quiet(0.2), np.fromfile(tmp_path / "a.f64"), quiet(0.3)])
    with AcousticDecoder(RATE) as decoder:
        assert [each.payload for each in decoder.feed((sound * 12_000).astype(np.int16))] == [payload]


def test_page_hears_the_terminal_through_noise(tmp_path):
    challenges = [np.random.default_rng(seed).bytes(40) for seed in range(3)]
    sounds = []
    for seed, challenge in enumerate(challenges):
        sound = np.concatenate([quiet(0.3), token(challenge, NORMAL, AUDIBLE, Direction.CHALLENGE), quiet(0.3)])
        sounds.append(sound + np.random.default_rng(seed).normal(0, 0.9, len(sound)))
    assert heard(tmp_path, sounds) == [[challenge] for challenge in challenges]


@pytest.mark.parametrize("rate", [44_100, 16_000])
def test_page_hears_at_other_rates(tmp_path, rate):
    challenge = bytes(range(32))
    sound = played(challenge, NORMAL, rate, direction=Direction.CHALLENGE)
    assert heard(tmp_path, [np.concatenate([quiet(0.2, rate), sound, quiet(0.3, rate)])], rate) == [[challenge]]


def test_page_hears_every_form_and_both_bands(tmp_path):
    sent = [
        (bytes(16), SHORT, AUDIBLE),
        (bytes(64), NORMAL, AUDIBLE),
        (bytes(160), LONG, AUDIBLE),
        (bytes(range(16)), NORMAL, HIGH),
    ]
    pieces = [np.concatenate([token(*each, Direction.CHALLENGE), quiet(0.1)]) for each in sent]
    assert sorted(heard(tmp_path, [np.concatenate([*pieces, quiet(0.3)])], chunk=128)[0]) == sorted(
        each[0] for each in sent
    )


def test_page_hears_nothing_in_noise_or_in_a_token(tmp_path):
    noise = np.random.default_rng(4).normal(0, 0.3, 3 * RATE)
    other = np.concatenate([token(bytes(16), NORMAL, AUDIBLE, Direction.TOKEN), quiet(1.0)])
    assert heard(tmp_path, [noise, other]) == [[], []]


def test_page_and_terminal_agree_far_below_the_noise(tmp_path):
    payloads = [np.random.default_rng(seed).bytes(16) for seed in range(4)]
    for snr_db in (-14, -17):
        sounds = []
        for seed, payload in enumerate(payloads):
            clean = token(payload, NORMAL, AUDIBLE, Direction.TOKEN)
            level = np.sqrt(np.mean(clean**2)) * 10 ** (-snr_db / 20)
            sound = np.concatenate([quiet(0.4), clean, quiet(0.3)])
            sounds.append((sound + np.random.default_rng(seed).normal(0, level, len(sound))) * 0.02)
        by_page = heard(tmp_path, sounds, direction=Direction.TOKEN)
        by_terminal = [TokenReceiver(RATE).feed((sound * 32768).astype(np.int16)) for sound in sounds]
        assert by_page == by_terminal == [[payload] for payload in payloads]
