from __future__ import annotations

from device.decode.guiding import Guiding
from device.sight import Guidance, Hint, Place

HERE = (Place(0.2, 0.3, 0.4, 0.6),)
THERE = (Place(0.5, 0.3, 0.7, 0.6),)
NOTHING = Guidance("front")


def feed(guiding: Guiding, hint: Hint | None, at_ms: int, places=HERE, *, has_read: bool = False):
    return guiding.feed(hint, places if hint else (), has_read=has_read, at_ms=at_ms)


def test_hint_is_said_once_as_long_as_it_stays():
    guiding = Guiding("front")
    assert feed(guiding, Hint.CLOSER, 1000) == Guidance("front", Hint.CLOSER, HERE)
    for number in range(50):
        assert feed(guiding, Hint.CLOSER, 1100 + 100 * number) is None


def test_place_that_moves_is_told_a_few_times_a_second():
    guiding = Guiding("front")
    told = 0
    for number in range(40):
        left = 0.01 * number
        place = (Place(left, 0.1, left + 0.2, 0.3),)
        told += feed(guiding, Hint.NOT_READ, 1000 + 33 * number, place) is not None
    assert 3 <= told <= 6


def test_small_trembling_is_not_told():
    guiding = Guiding("front")
    feed(guiding, Hint.CLOSER, 1000)
    assert feed(guiding, Hint.CLOSER, 2000, (Place(0.22, 0.31, 0.42, 0.61),)) is None
    assert feed(guiding, Hint.CLOSER, 2100, THERE) == Guidance("front", Hint.CLOSER, THERE)


def test_other_hint_waits_for_its_turn():
    guiding = Guiding("front")
    feed(guiding, Hint.CLOSER, 1000)
    assert feed(guiding, Hint.TOO_BRIGHT, 1100) is None
    assert feed(guiding, Hint.TOO_BRIGHT, 1300) == Guidance("front", Hint.TOO_BRIGHT, HERE)


def test_code_that_is_read_takes_the_hint_away_at_once_and_keeps_it_away():
    guiding = Guiding("front")
    feed(guiding, Hint.CLOSER, 1000)
    assert feed(guiding, None, 1010, has_read=True) == NOTHING
    assert feed(guiding, Hint.NOT_READ, 1500) is None
    assert feed(guiding, Hint.NOT_READ, 1900) == Guidance("front", Hint.NOT_READ, HERE)


def test_read_code_without_a_hint_before_says_nothing():
    assert feed(Guiding("front"), None, 1000, has_read=True) is None


def test_hint_that_flickers_stays():
    guiding = Guiding("front")
    feed(guiding, Hint.CLOSER, 1000)
    assert feed(guiding, None, 1400) is None
    assert feed(guiding, Hint.CLOSER, 1500) is None
    assert feed(guiding, None, 2100) is None
    assert feed(guiding, None, 2300) == NOTHING
    assert feed(guiding, None, 2400) is None


def test_camera_that_is_gone_says_no_more():
    guiding = Guiding("front")
    assert guiding.end() is None
    feed(guiding, Hint.CLOSER, 1000)
    assert guiding.end() == NOTHING
    assert guiding.end() is None
