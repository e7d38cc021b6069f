"""A link is read as the elements that it names, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.gs1.link import LONGEST_LINK, looks_like_link, read_link
from device.gs1.problems import BadLink, Gs1Problem

TEA = "https://id.gs1.org/01/09521234543213"


@pytest.mark.parametrize(
    ("uri", "people"),
    [
        (TEA, "(01)09521234543213"),
        ("HTTPS://tea.example/shop/01/09521234543213", "(01)09521234543213"),
        (TEA + "/10/A%2FB/21/7?17=251231&3103=000486", "(01)09521234543213(10)A/B(21)7(17)251231(3103)000486"),
        (TEA + "?lang=zh&99=A+B"[:8] + "#top", "(01)09521234543213"),
        ("https://id.gs1.org/8110/01/09521234543213", "(01)09521234543213"),
    ],
)
def test_a_link_names_goods(uri: str, people: str) -> None:
    assert looks_like_link(uri)
    assert read_link(uri).for_people() == people


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "HtTpS://id.gs1.org/01/09521234543213",
        "https://id.gs1.org/AQnYUc1gmiEf3vfHYQ",
        "https://shop.example/menu",
        "https://id.gs1.org/01/09521234543214",
        "https://id.gs1.org/01/9521234543213",
        TEA + "/",
        "https://id.gs1.org" + "/22/01" * 300,
        TEA + "/21/7/10/A",
        TEA + "?10=A",
        TEA + "?17=251231&17=251231",
        TEA + "?17=251301",
        TEA + "?17=",
        TEA + "?89=1",
        TEA + "?99=A%ZZ",
        TEA + "?99=%E9",
        TEA + " ",
        TEA + "?99=" + "A" * LONGEST_LINK,
    ],
)
def test_another_link_is_refused(uri: str) -> None:
    with pytest.raises(Gs1Problem):
        read_link(uri)


def test_a_compressed_link_is_refused_by_name() -> None:
    with pytest.raises(BadLink, match="compressed"):
        read_link("https://example.org/AQnYUc1gmiEf3vfHYQ")


@given(st.text("/?&=#%+0123456789ABCgtin.:[]", max_size=60), st.sampled_from(["https://a", TEA, TEA + "/10/"]))
def test_any_link_is_read_or_refused(rest: str, start: str) -> None:
    try:
        found = read_link(start + rest)
    except Gs1Problem:
        return
    assert found.elements
