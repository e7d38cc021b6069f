"""Badges are known by their hashes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.badges import BadBadgeHash, hash_badge, is_badge, is_badge_hash

BADGE = "TWB:OQ75D6ZSWQOEABWYRTXQZFLBQI"


def test_the_right_badge_is_known_in_either_case():
    line = hash_badge(BADGE)
    assert is_badge(BADGE, line)
    assert is_badge(BADGE.lower() + "\n", line)


def test_another_badge_is_not():
    assert not is_badge("TWB:OQ75D6ZSWQOEABWYRTXQZFLBQA", hash_badge(BADGE))


def test_two_hashes_of_one_badge_differ():
    assert hash_badge(BADGE) != hash_badge(BADGE)


def test_a_hash_does_not_show_the_badge():
    assert BADGE[4:] not in hash_badge(BADGE)


def test_a_badge_in_place_of_its_hash_is_refused():
    assert not is_badge_hash(BADGE)
    with pytest.raises(BadBadgeHash, match="provision badge"):
        is_badge(BADGE, BADGE)


@pytest.mark.parametrize("damage", [lambda line: line[:-1], lambda line: line + "A", lambda line: line[1:]])
def test_a_damaged_hash_is_refused(damage):
    assert not is_badge_hash(damage(hash_badge(BADGE)))


@given(st.text(max_size=120))
@settings(max_examples=200)
def test_no_text_breaks_the_reader(text):
    assert is_badge_hash(text) in (True, False)
    assert not is_badge_hash("scrypt:16384:8:1:" + text) or len(text) == 66
