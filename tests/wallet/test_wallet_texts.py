"""Every sentence of the page is there in both languages, and every problem has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wallet import errors

PAGES = Path(__file__).resolve().parents[2] / "wallet" / "pages"
LANGUAGES = ("en", "zh")
SCRIPTS = {path.name: path.read_text("utf-8") for path in PAGES.glob("*.js")}
SOURCES = "".join(text for name, text in SCRIPTS.items() if name != "texts.js") + (PAGES / "index.html").read_text(
    "utf-8"
)
MADE_UP = re.compile(r"`([a-z]+(?:-[a-z]+)*-)\$\{")
"""The beginning of a name that a script completes: reason-, problem-, ..."""


def texts_in(language: str) -> dict[str, str]:
    (block,) = re.findall(rf"^const {language} = \{{\n(.*?)^\}};", SCRIPTS["texts.js"], re.MULTILINE | re.DOTALL)
    found = re.findall(r'^  "?([\w-]+)"?: "(.+)",$', block, re.MULTILINE)
    assert len(found) == block.count("\n")
    return dict(found)


def test_both_languages_say_the_same_things() -> None:
    english, chinese = map(texts_in, LANGUAGES)
    assert list(english) == list(chinese)
    for name, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", chinese[name])), name


def test_no_text_is_left_over() -> None:
    beginnings = tuple(MADE_UP.findall(SOURCES))
    used = set(re.findall(r"[\"'`]([\w-]+)[\"'`]", SOURCES))
    assert [name for name in texts_in("en") if name not in used and not name.startswith(beginnings)] == []


def test_every_text_that_the_page_names_is_there() -> None:
    named = set(re.findall(r'data-(?:text|label|alt)="([\w-]+)"', SOURCES)) | set(
        re.findall(r'\btext\("([\w-]+)"', SOURCES)
    )
    assert named
    assert named - set(texts_in("en")) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_has_a_sentence(language: str) -> None:
    raised = set(re.findall(r'new Problem\("([\w-]+)"', SOURCES)) | set(re.findall(r'Error: "([\w-]+)"', SOURCES))
    from_settlement = {kind.kind for kind in errors.SettlementProblem.__subclasses__()}
    assert {"play", "mic-denied", "camera-none"} <= raised
    for kind in raised | from_settlement | {errors.NotPayable.kind}:
        assert f"problem-{kind}" in texts_in(language)
