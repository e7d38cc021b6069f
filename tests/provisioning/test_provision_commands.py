"""The same on the command line, as a technician types it."""

import json
import re

import pytest
from provisioned_mall import running_broker
from typer.testing import CliRunner

from device.config import load_settings
from keys.badges import is_badge
from tillwave.commands.provision import app
from tillwave.testing.processes import free_port

MISSING, NETWORK = 4, 5
AUTHORITY = ["--mall", "demo", "--merchant", "Jade Tea", "--city", "Hangzhou", "--local-name", "玉茶"]


def run(*words, code=0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def bench(tmp_path):
    """An authority, a broker and a settlement, made by commands."""
    run("authority", tmp_path / "authority", *AUTHORITY)
    run("broker", tmp_path / "broker", "--authority", tmp_path / "authority", "--port", free_port())
    run("settlement", tmp_path / "settlement", "--authority", tmp_path / "authority")
    return tmp_path


def test_three_steps_with_fingerprints_told_by_telephone(bench):
    said = run("terminal", "request", "t1", bench / "t1", "--mall", "demo")
    request = bench / "t1" / "request.json"
    told = ["--fingerprint", fingerprint_in(said)]
    said = run("terminal", "sign", request, "--authority", bench / "authority", *told)
    told = ["--fingerprint", fingerprint_in(said)]
    run("terminal", "install", bench / "t1", bench / "t1" / "answer.json", *told)
    settings = load_settings(bench / "t1" / "terminal.toml")
    assert (settings.terminal.name, settings.merchant.local_name) == ("t1", "玉茶")


def test_one_command_on_a_bench(bench):
    run("terminal", "t1", bench / "t1", "--authority", bench / "authority")
    run("terminal", "--authority", bench / "authority", "t2", bench / "t2", "--merchant", "Corner Books")
    run("terminal", "bench", "request", bench / "t3", "--authority", bench / "authority")
    names = [load_settings(bench / folder / "terminal.toml").merchant.name for folder in ("t1", "t2", "t3")]
    assert names == ["Jade Tea", "Corner Books", "Jade Tea"]


def test_help_names_the_three_steps():
    said = run("terminal", "--help")
    assert all(step in said for step in ("request", "sign", "install", "bench"))


def test_the_same_bench_twice_is_refused_and_changes_nothing(bench):
    run("terminal", "t1", bench / "t1", "--authority", bench / "authority")
    before = {path: path.read_bytes() for path in bench.rglob("*") if path.is_file()}
    for words in (
        ["authority", bench / "authority", *AUTHORITY],
        ["broker", bench / "broker", "--authority", bench / "authority"],
        ["settlement", bench / "settlement", "--authority", bench / "authority"],
        ["terminal", "t1", bench / "t1", "--authority", bench / "authority"],
        ["terminal", "request", "t1", bench / "t1", "--mall", "demo"],
    ):
        assert "not overwritten" in " ".join(run(*words, code=1).split())
    assert {path: path.read_bytes() for path in bench.rglob("*") if path.is_file()} == before


def test_what_is_missing_ends_with_its_own_code(tmp_path):
    assert "tillwave provision authority" in run("broker", tmp_path / "b", "--authority", tmp_path / "a", code=MISSING)
    run("terminal", "sign", tmp_path / "request.json", "--authority", tmp_path / "a", code=MISSING)
    run("terminal", "install", tmp_path / "t1", tmp_path / "answer.json", code=MISSING)
    run("check", "--config", tmp_path / "terminal.toml", code=MISSING)


def test_a_name_that_cannot_be_is_refused(bench):
    run("terminal", "request", "Settlement", bench / "x", "--mall", "demo", code=1)
    run("terminal", "settlement", bench / "x", "--authority", bench / "authority", code=1)
    assert not (bench / "x").exists()


def test_settings_are_kept_or_replaced_but_not_both(bench):
    run("terminal", "t1", bench / "t1", "--authority", bench / "authority")
    answer = bench / "answer.json"
    run("terminal", "sign", bench / "t1" / "request.json", "--authority", bench / "authority", "--output", answer)
    run("terminal", "install", bench / "t1", answer, code=1)
    run("terminal", "install", bench / "t1", answer, "--keep-settings", "--replace-settings", code=2)
    run("terminal", "install", bench / "t1", answer, "--keep-settings")
    assert "terminal.toml.old" in run("terminal", "install", bench / "t1", answer, "--replace-settings")


def test_a_badge_is_printed_once_with_its_hash():
    said = run("badge", "Chen")
    text, line = re.search(r"TWB:\S+", said)[0], re.search(r'badge_hash = "(.+)"', said)[1]
    assert is_badge(text, line)


def test_a_drawn_badge_is_not_printed(tmp_path):
    said = run("badge", "Chen", "--qr", tmp_path / "badge.svg")
    assert "TWB:" not in said
    assert (tmp_path / "badge.svg").exists()
    run("badge", "Chen", "--qr", tmp_path / "badge.svg", code=1)


def test_a_check_without_broker_says_so_in_json(bench):
    run("terminal", "t1", bench / "t1", "--authority", bench / "authority")
    settings = bench / "t1" / "terminal.toml"
    settings.write_text(settings.read_text().replace("port = 8800", f"port = {free_port()}"))
    said = run("check", "--json", "--config", settings, code=NETWORK)
    findings = [json.loads(line) for line in said.splitlines()]
    assert [finding["part"] for finding in findings if not finding["good"]] == ["broker"]


def test_no_command_says_a_key(bench):
    said = run("terminal", "request", "t1", bench / "t1", "--mall", "demo")
    said += run("terminal", "sign", bench / "t1" / "request.json", "--authority", bench / "authority")
    said += run("terminal", "install", bench / "t1", bench / "t1" / "answer.json")
    keys = [line for path in bench.rglob("*.key") for line in path.read_text().splitlines() if not line.startswith("-")]
    assert keys
    assert not any(key in said for key in keys)


@pytest.mark.broker
def test_mosquitto_starts_with_what_the_command_wrote(bench):
    configuration = bench / "broker" / "mosquitto.conf"
    port = int(re.search(r"listener (\d+)", configuration.read_text())[1])
    with running_broker(configuration, port) as log:
        assert "Error" not in log.read_text()


def fingerprint_in(said):
    return re.search(r"other side: ([0-9a-f ]+)", " ".join(said.split()))[1].strip()
