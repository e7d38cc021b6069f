"""What a store says of its labels, member cards and dates is checked when the terminal starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.config import SettingsWrong, load_settings
from device.gs1.labels import COUNTRIES, Layout
from device.payment.classifying import MemberShape

TERMINAL = """
[terminal]
name = "till-1"
mall = "riverside"
state = "state"

[merchant]
name = "Jade Tea House"
city = "Shanghai"
country = "CN"

[broker]
host = "localhost"
"""


def write(tmp_path: Path, more: str) -> Path:
    path = tmp_path / "terminal.toml"
    path.write_text(TERMINAL + more)
    return path


def test_labels_and_cards_are_settings(tmp_path: Path) -> None:
    more = """
[goods]
labels_of = "germany"
sell_past_best = false
[[goods.labels]]
layout = "21IIIIIPPPPPC"
[[member_codes]]
pattern = '10\\d{16}'
aims = ["]C0"]
"""
    settings = load_settings(write(tmp_path, more))
    assert settings.goods.layouts == (Layout("21IIIIIPPPPPC"), *COUNTRIES["germany"])
    assert not settings.goods.sell_past_best
    assert settings.member_codes == (MemberShape(r"10\d{16}", ("]C0",)),)


def test_nothing_of_it_must_be_said(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, ""))
    assert (settings.goods.layouts, settings.member_codes) == ((), ())


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ('[goods]\nlabels_of = "atlantis"\n', "labels_of"),
        ('[[goods.labels]]\nlayout = "21PPPPPC"\n', "layout"),
        ('[[goods.labels]]\nlayout = "21IIIIIPPPPPC"\nprice_decimals = 9\n', "decimals"),
        ('[[member_codes]]\npattern = "("\n', "member_codes"),
        ('[[codes]]\nscheme = "wechat"\npattern = "("\n', "wechat"),
        ('[goods]\ncolour = "red"\n', "colour"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, more: str, complaint: str) -> None:
    with pytest.raises(SettingsWrong, match=complaint):
        load_settings(write(tmp_path, more))
