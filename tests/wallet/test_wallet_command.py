import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner
from wallet_house import House, terminal_code

from device.decode.files import read_recording
from protocol import tokens
from tillwave.commands.wallet import app
from wallet.account import Account
from wallet.ports import SystemClock
from wallet.qr import read_picture

run = CliRunner().invoke


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def folder(account: Account) -> str:
    return str(account.folder)


def test_phone_is_enrolled(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    done = run(app, ["enrol", str(folder), "--settlement", house.url, "--code", house.code, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["name"] == "Lin Mei"
    assert Account.load(folder).settlement == house.url


def test_balance_is_shown(folder: str, house: House) -> None:
    house.give_coupon("[red]5 off")
    sale = house.take_at_counter(1230)
    shown = run(app, ["show", folder]).stdout
    assert "116.20 CNY" in shown
    assert "[red]5 off" in shown
    said = json.loads(run(app, ["show", folder, "--json"]).stdout)
    assert said["balance"] == {"minor": 11_620, "currency": "CNY"}
    assert said["payments"][0]["sale"] == sale
    assert "voucher" not in said


def test_code_is_a_fresh_token_each_time(folder: str, tmp_path: Path) -> None:
    picture = tmp_path / "code.png"
    first = json.loads(run(app, ["code", folder, "--json"]).stdout)["text"]
    run(app, ["code", folder, "--signed", "--png", str(picture)])
    second = read_picture(picture.read_bytes())[0]
    assert len(tokens.token_from_text(first)) == tokens.SHORT_BYTES
    assert len(tokens.token_from_text(second)) == tokens.SIGNED_BYTES
    assert "▀" in run(app, ["code", folder]).stdout


@pytest.mark.parametrize(
    ("options", "size"),
    [([], tokens.SHORT_BYTES), (["--signed"], tokens.SIGNED_BYTES), (["--high"], tokens.SHORT_BYTES)],
)
def test_sound_is_written(folder: str, tmp_path: Path, options: list[str], size: int) -> None:
    out = tmp_path / "token.wav"
    assert run(app, ["sound", folder, str(out), *options]).exit_code == 0
    (heard,) = read_recording(out)
    assert len(heard.raw) == size
    assert tokens.is_wallet_token(heard.raw)


def test_terminals_code_is_paid(folder: str, house: House) -> None:
    code = terminal_code(house.open_sale())
    done = run(app, ["pay", folder, code, "--yes", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["verdict"] == "approved"
    assert len(house.payments) == 1


def test_nothing_is_paid_without_a_yes(folder: str, house: House) -> None:
    code = terminal_code(house.open_sale())
    done = run(app, ["pay", folder, code], input="n\n")
    assert done.exit_code == 1
    assert "Pay 12.30 CNY to Tea House?" in done.output
    assert house.way.orders == 0


def test_declined_and_unknown_are_told_apart(folder: str, house: House) -> None:
    code = terminal_code(house.open_sale(99_900), 99_900)
    declined = run(app, ["pay", folder, code, "--yes"])
    assert declined.exit_code == 1
    assert "insufficient-funds" in declined.stderr
    house.way.lose_answers = 3
    unknown = run(app, ["pay", folder, code, "--yes", "--patience", "0"])
    assert unknown.exit_code == 1
    assert "Not known yet" in unknown.stderr


def test_pending_order_is_asked_for_patiently(folder: str, house: House) -> None:
    code = terminal_code(house.open_sale())
    house.way.pending_answers = 1
    assert run(app, ["pay", folder, code, "--yes"]).exit_code == 0
    assert house.way.orders == 2


def test_exit_codes_tell_what_is_wrong(folder: str, house: House, tmp_path: Path) -> None:
    assert run(app, ["show", str(tmp_path / "nothing")]).exit_code == 4
    assert run(app, ["pay", folder, "hello", "--yes"]).exit_code == 1
    assert run(app, ["serve", folder, "--host", "0.0.0.0"]).exit_code == 3
    code = ["--code", house.code]
    away = run(app, ["enrol", str(tmp_path / "away"), "--settlement", "http://127.0.0.1:9", *code])
    assert away.exit_code == 5
    assert run(app, ["enrol", folder, "--settlement", house.url, *code]).exit_code == 1
    Path(folder, "phone.key").unlink()
    assert run(app, ["code", folder]).exit_code == 4


def test_page_is_served_until_it_is_asked_to_end(folder: str) -> None:
    program = "from tillwave.commands.wallet import app; app()"
    command = [sys.executable, "-c", program, "serve", folder, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as served:
        address = json.loads(served.stdout.readline())["address"]
        assert httpx.get(address, trust_env=False).status_code == 200
        served.send_signal(signal.SIGTERM)
        assert served.wait(10) == 0
