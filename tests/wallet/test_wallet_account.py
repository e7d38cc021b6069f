import stat
from pathlib import Path

import pytest
from wallet_house import House

from keys.port import KeyUnusable
from wallet.account import Account, enrol
from wallet.errors import AccountDamaged, AccountExists, AccountMissing, BadSettings, Refused, Unreachable
from wallet.ports import SteppedClock


def test_enrolled_account_is_read_again(account: Account) -> None:
    again = Account.load(account.folder)
    assert again == account
    assert again.name == "Lin Mei"
    assert again.currency == "CNY"
    assert account.key().key_id == again.key().key_id


def test_files_are_for_their_owner_alone(account: Account) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in account.folder.iterdir()}
    assert modes == {"wallet.json": 0o600, "phone.key": 0o600}
    assert stat.S_IMODE(account.folder.stat().st_mode) == 0o700


def test_no_secret_is_shown(account: Account) -> None:
    shown = repr(account) + str(account)
    for secret in (account.secret, account.alias, account.voucher):
        assert secret.hex() not in shown
        assert repr(secret) not in shown


def test_second_account_in_a_folder_is_refused(account: Account, house: House) -> None:
    with pytest.raises(AccountExists):
        enrol(account.folder, house.url, house.code, None)


def test_wrong_code_is_refused_and_the_right_one_goes_on_with_the_same_key(
    house: House, tmp_path: Path, clock: SteppedClock
) -> None:
    folder = tmp_path / "phone"
    with pytest.raises(Refused, match="code is wrong"):
        enrol(folder, house.url, "AAAA-AAAA-AAAA", None, clock=clock)
    pem = (folder / "phone.key").read_bytes()
    assert not (folder / "wallet.json").exists()
    enrol(folder, house.url, house.code, None, clock=clock)
    assert (folder / "phone.key").read_bytes() == pem


def test_no_settlement_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        enrol(tmp_path / "phone", "http://127.0.0.1:9", "7K2M-Q4XD", None)


@pytest.mark.parametrize(
    "url", ["http://settlement.mall:8443", "ftp://127.0.0.1", "settlement", "https://", "http://["]
)
def test_plain_http_leaves_this_machine_under_no_name(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettings):
        enrol(tmp_path / "phone", url, "7K2M-Q4XD", None)


def test_missing_account_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(AccountMissing, match="tillwave wallet enrol"):
        Account.load(tmp_path)


@pytest.mark.parametrize("change", [("{", "["), ('"alias"', '"alien"'), ('"voucher": "', '"voucher": "00')])
def test_damaged_account_is_refused(account: Account, change: tuple[str, str]) -> None:
    path = account.folder / "wallet.json"
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(AccountDamaged):
        Account.load(account.folder)


def test_account_that_others_can_read_is_refused(account: Account) -> None:
    (account.folder / "wallet.json").chmod(0o644)
    with pytest.raises(AccountDamaged, match="chmod 600"):
        Account.load(account.folder)


def test_key_that_others_can_read_is_refused(account: Account) -> None:
    (account.folder / "phone.key").chmod(0o640)
    with pytest.raises(KeyUnusable):
        account.key()
