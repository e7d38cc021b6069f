from __future__ import annotations

import stat
from pathlib import Path

import pytest

from device.ports import SystemRandomness, TimeQuality, WallTime
from device.server.keyring import Keyring, KeyringDamaged
from device.server.pairing import OPEN_MS, VISIT_MS, Pairing, PairingClosed, WrongCode


class HandClock:
    def __init__(self) -> None:
        self.ms = 5_000

    def wall(self) -> WallTime:
        return WallTime(1_790_000_000_000 + self.ms, TimeQuality.SYNCHRONISED)

    def monotonic_ms(self) -> int:
        return self.ms

    def boot_id(self) -> bytes:
        return bytes(16)


class DrawnNumbers:
    """Gives known bytes, so that a test can know a code."""

    def __init__(self, number: int) -> None:
        self.number = number

    def token_bytes(self, length: int) -> bytes:
        return self.number.to_bytes(length)


def make(tmp_path: Path, clock: HandClock | None = None) -> Pairing:
    pairing = Pairing(tmp_path, clock or HandClock(), SystemRandomness())
    pairing.start()
    return pairing


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


def test_code_gives_a_key_that_opens(tmp_path: Path) -> None:
    pairing = make(tmp_path)
    key = pairing.pair_register(pairing.open(), "register-1")
    assert pairing.register_of(key) == "register-1"
    assert pairing.register_of(key[:-1]) == ""
    assert not pairing.is_page(key)


def test_code_has_eight_digits_even_when_small(tmp_path: Path) -> None:
    pairing = Pairing(tmp_path, HandClock(), DrawnNumbers(42))
    pairing.start()
    assert pairing.open() == "00000042"


def test_code_works_once(tmp_path: Path) -> None:
    pairing = make(tmp_path)
    code = pairing.open()
    pairing.pair_register(code, "register-1")
    assert pairing.code == ""
    with pytest.raises(PairingClosed):
        pairing.pair_register(code, "register-2")


def test_five_wrong_codes_close_it_even_for_the_right_one(tmp_path: Path) -> None:
    pairing = make(tmp_path)
    code = pairing.open()
    for left in (4, 3, 2, 1):
        with pytest.raises(WrongCode) as refused:
            pairing.pair_register(wrong(code), "register-1")
        assert refused.value.left == left
    for tried in (wrong(code), code):
        with pytest.raises(PairingClosed):
            pairing.pair_register(tried, "register-1")


def test_code_ends_after_five_minutes(tmp_path: Path) -> None:
    clock = HandClock()
    pairing = make(tmp_path, clock)
    code = pairing.open()
    clock.ms += OPEN_MS - 1
    assert pairing.code == code
    clock.ms += 1
    assert (pairing.code, pairing.left_ms) == ("", 0)
    with pytest.raises(PairingClosed):
        pairing.pair_page(code)


def test_without_opening_the_empty_code_opens_nothing(tmp_path: Path) -> None:
    with pytest.raises(PairingClosed):
        make(tmp_path).pair_register("", "register-1")


@pytest.mark.parametrize("odd", ["", "１２３４５６７８", "\ud800", "0" * 16, "\x00"])
def test_odd_codes_are_wrong_codes(tmp_path: Path, odd: str) -> None:
    pairing = make(tmp_path)
    pairing.open()
    with pytest.raises(WrongCode):
        pairing.pair_register(odd, "register-1")


def test_keys_outlive_a_restart_and_only_their_hashes_are_kept(tmp_path: Path) -> None:
    pairing = make(tmp_path)
    key = pairing.pair_register(pairing.open(), "register-1")
    cookie = pairing.pair_page(pairing.open())
    again = make(tmp_path)
    assert again.register_of(key) == "register-1"
    assert again.is_page(cookie)
    kept = tmp_path / "registers.json"
    assert key not in kept.read_text()
    assert cookie not in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_pairing_again_under_a_name_ends_the_old_key(tmp_path: Path) -> None:
    pairing = make(tmp_path)
    old = pairing.pair_register(pairing.open(), "register-1")
    new = pairing.pair_register(pairing.open(), "register-1")
    assert (pairing.register_of(old), pairing.register_of(new)) == ("", "register-1")


def test_a_full_ring_lets_the_oldest_page_go(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "registers.json", most_of_a_kind=2)
    ring.load()
    ring.add("register-1", "register", "r", 1)
    for key in ("a", "b", "c"):
        ring.add("cashier", "page", key, 1)
    assert [ring.owner(key, "page") for key in ("a", "b", "c")] == ["", "cashier", "cashier"]
    assert ring.owner("r", "register") == "register-1"


def test_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "registers.json").write_bytes(b'[{"name": 1')
    with pytest.raises(KeyringDamaged, match="remove it and pair"):
        make(tmp_path)


def test_control_key_is_private_and_new_with_every_start(tmp_path: Path) -> None:
    pairing = make(tmp_path)
    file = tmp_path / "control.key"
    first = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert pairing.is_control_key(first)
    again = make(tmp_path)
    assert not again.is_control_key(first)
    assert again.is_control_key(file.read_text())


def test_many_wrong_keys_exhaust_for_a_minute(tmp_path: Path) -> None:
    clock = HandClock()
    pairing = make(tmp_path, clock)
    for _ in range(20):
        assert not pairing.is_exhausted
        pairing.register_of("guess")
    assert pairing.is_exhausted
    clock.ms += 60_000
    assert not pairing.is_exhausted


def test_listeners_hear_of_codes_until_they_leave(tmp_path: Path) -> None:
    pairing = make(tmp_path)
    heard: list[str] = []
    leave = pairing.subscribe(lambda: heard.append(pairing.code))
    code = pairing.open()
    pairing.close()
    leave()
    leave()
    pairing.open()
    assert heard == [code, ""]


def test_a_technicians_visit_ends_after_eight_hours_and_when_the_clock_goes_back(tmp_path: Path) -> None:
    clock = HandClock()
    pairing = make(tmp_path, clock)
    key = pairing.pair_technician(pairing.open())
    began_ms = clock.ms
    clock.ms = began_ms + VISIT_MS - 1
    assert make(tmp_path, clock).is_technician(key)
    assert not pairing.is_page(key)
    for later in (began_ms + VISIT_MS, began_ms - 1):
        clock.ms = later
        assert not pairing.is_technician(key)


def test_two_technicians_can_look_at_once(tmp_path: Path) -> None:
    pairing = make(tmp_path)
    keys = [pairing.pair_technician(pairing.open()) for _ in range(2)]
    assert all(pairing.is_technician(key) for key in keys)
