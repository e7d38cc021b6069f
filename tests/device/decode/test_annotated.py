from __future__ import annotations

import numpy as np
import pytest
from code_pictures import picture_of, put, ruined

from device.decode.annotated import Finding, annotated, findings_of, findings_of_view, printable
from device.decode.still import read_still
from device.ports import Source
from device.sight import Figures, Hint, LiveView, Mark, Place, PlacedReading

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
HERE, THERE = Place(0.1, 0.1, 0.3, 0.4), Place(0.6, 0.1, 0.8, 0.4)


def view(*marks: Mark) -> LiveView:
    figures = Figures(brightness=90, burnt_out=0.0, dark=0.0, frames_per_second=10.0, picture_ms=2.0)
    return LiveView("front", 7, 640, 480, marks, figures, b"")


def reading(text: str, place: Place | None, symbology: str = "QR") -> PlacedReading:
    return PlacedReading(Source.OPTICAL, "front", symbology, text.encode(), 1, place=place)


def test_read_code_and_unread_place_are_found_in_a_picture():
    picture = np.full((480, 900), 210, np.uint8)
    put(picture, picture_of(TOKEN, size=(200, 200)), left=60)
    put(picture, ruined(), left=600)
    read, unread = findings_of(picture, read_still(picture))
    assert (read.is_read, read.label) == (True, f"QR {TOKEN}")
    assert (unread.is_read, unread.label) == (False, "seen but not readable")
    assert read.place.right < 0.5 < unread.place.left


def test_small_picture_has_no_findings():
    assert findings_of(np.zeros((5, 5), np.uint8), []) == []


def test_marks_of_a_camera_get_the_text_of_the_reading_at_their_place():
    readings = [reading("AAAAA", HERE), reading("BBBBB", THERE), reading("CCCCC", None)]
    marks = (Mark(THERE, "QR", 5), Mark(HERE, "QR", 5), Mark(HERE, "EAN13", 13), Mark(HERE, hint=Hint.TILT, looks=7))
    labels = [finding.label for finding in findings_of_view(view(*marks), readings)]
    assert labels == ["QR BBBBB", "QR AAAAA", "EAN13 13 bytes", "held at a slant, 7 looks, 0 ms"]


def test_content_shows_in_no_repr():
    assert TOKEN not in repr(Finding(HERE, TOKEN, is_read=True))


@pytest.mark.parametrize("place", [HERE, Place(0, 0, 1, 1), Place(0.99, 0.99, 1, 1), Place(0.5, 0.5, 0.4, 0.4)])
@pytest.mark.parametrize("label", ["QR 1", "QR " + "长" * 40, "", "QR \\x1b[31m"])
def test_any_label_fits_at_any_place(place, label):
    label = label.encode("latin-1", "backslashreplace").decode("latin-1")
    for size in ((480, 640), (12, 9)):
        picture = annotated(np.full(size, 99, np.uint8), [Finding(place, label, is_read=True)])
        assert picture.size == (size[1], size[0])


def test_control_characters_are_shown_instead_of_obeyed():
    assert printable("a\x1b[31m\x07\x9b\r\n\ud800é长") == "a\\x1b[31m\\x07\\x9b\\r\\n\\ud800é长"
