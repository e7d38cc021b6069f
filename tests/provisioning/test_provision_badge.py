"""A badge is random, shown once, and known by its hash."""

import pytest
import zxingcpp
from PIL import Image

from keys.badges import is_badge
from provisioning.badge import draw_badge, make_badge
from provisioning.errors import AlreadyThere, BadName


def test_a_badge_is_known_by_its_hash():
    badge = make_badge("Chen")
    assert badge.text.startswith("TWB:")
    assert len(badge.text) == 30
    assert is_badge(badge.text, badge.badge_hash)


def test_two_badges_differ():
    assert make_badge("Chen").text != make_badge("Chen").text


def test_a_badge_does_not_show_itself_by_accident():
    badge = make_badge("Chen")
    assert badge.text not in repr(badge)


def test_the_picture_of_a_badge_can_be_scanned(tmp_path):
    badge = make_badge("Chen")
    draw_badge(badge, tmp_path / "badge.png")
    with Image.open(tmp_path / "badge.png") as picture:
        assert [code.text for code in zxingcpp.read_barcodes(picture.convert("L"))] == [badge.text]
    assert (tmp_path / "badge.png").stat().st_mode & 0o777 == 0o600


def test_a_drawn_badge_is_not_overwritten(tmp_path):
    draw_badge(make_badge("Chen"), tmp_path / "badge.svg")
    assert (tmp_path / "badge.svg").read_bytes().startswith(b"<?xml")
    with pytest.raises(AlreadyThere):
        draw_badge(make_badge("Li"), tmp_path / "badge.svg")


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a\nb"])
def test_a_name_that_does_not_fit_a_line_is_refused(name):
    with pytest.raises(BadName):
        make_badge(name)


def test_other_kinds_of_pictures_are_refused(tmp_path):
    with pytest.raises(BadName, match=r"\.png or \.svg"):
        draw_badge(make_badge("Chen"), tmp_path / "badge.pdf")
