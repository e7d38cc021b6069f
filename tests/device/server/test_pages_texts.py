from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any

PAGES = resources.files("device.server") / "pages"


def texts(language: str) -> dict[str, str]:
    found: dict[str, Any] = json.loads((PAGES / f"{language}.json").read_text("utf-8"))
    return found


def sources(*endings: str) -> str:
    return "\n".join(each.read_text("utf-8") for each in PAGES.iterdir() if each.name.endswith(endings))


def test_both_languages_say_the_same_things() -> None:
    chinese, english = texts("zh"), texts("en")
    assert chinese.keys() == english.keys()
    for key, text in english.items():
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", chinese[key]), key


def test_every_word_of_the_counter_has_a_sentence() -> None:
    known = texts("en")
    words = set()
    said = r"notic\w+\((?:\w+, )?|notice(?:: str )?=\s?|Unknown\(|Priced\(\w+, |NoPrice\("
    for room in ("payment", "uplink"):
        for file in (resources.files("device") / room).iterdir():
            if file.name.endswith(".py"):
                source = file.read_text("utf-8")
                words |= set(re.findall(rf'(?:{said})"([a-z-]+)"', source))
    assert "goods-added" in words
    assert {word for word in words if f"notice.{word}" not in known} == set()


def test_every_text_that_pages_ask_for_is_there() -> None:
    known = texts("en")
    asked = set(re.findall(r"""(?:say\(|data-text=|data-label=)['"]([a-z.-]+)['"]""", sources(".js", ".html")))
    assert len(asked) > 50
    assert asked - known.keys() == set()


def test_every_text_is_asked_for() -> None:
    """By its whole key, or by the kind of it with a word that the page puts behind."""
    asked = set(re.findall(r"""['"]([a-z]+(?:[.-][a-z]+)+)['"]""", sources(".js", ".html")))
    kinds = set(re.findall(r"(?:say\(`|sayWord\(')([a-z]+)", sources(".js"))) - {"day"}
    built = {"day.paid", "day.refunded"}
    assert {key for key in texts("en") if key.partition(".")[0] not in kinds} - asked - built == set()


def test_pages_hold_no_inline_code_and_load_nothing_from_elsewhere() -> None:
    everything = sources(".html", ".css", ".js")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|innerHTML|eval\(", everything)
    assert set(re.findall(r"https?://[^'\"\s)]+", everything)) == {"http://www.w3.org/2000/svg"}
