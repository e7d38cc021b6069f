"""A reader of the part of CDDL (RFC 8610) that docs/protocol.cddl uses, which tells whether bytes fit a rule.

Known: choices, integers, texts, ranges, names with parameters, maps and arrays with occurrences, tags, and the controls
.size, .regexp and .cbor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cbor2

_TOKEN = re.compile(
    r"""(?P<space>\s+|;[^\n]*)|(?P<text>"[^"]*")|(?P<tag>\#6\.\d+)|(?P<control>\.[a-z]+)|(?P<range>\.\.)|(?P<arrow>=>)
    |(?P<occur>\d*\*\d*|\?)|(?P<number>-?\d+)|(?P<name>[a-zA-Z][a-zA-Z0-9-]*)|(?P<mark>[=/<>{}\[\](),:])""",
    re.VERBOSE,
)
_PLAIN: dict[str, type] = {"int": int, "tstr": str, "bstr": bytes}


@dataclass(frozen=True)
class Entry:
    """One element of an array or one member of a map; `key` is None in arrays."""

    key: int | None
    low: int
    high: float
    type: Any


class Schema:
    """The rules of a CDDL text."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._place = 0
        self.rules: dict[str, tuple[list[str], Any]] = {}
        while self._place < len(self._tokens):
            name = self._take("name")
            parameters = self._list(lambda: self._take("name")) if self._skip("<") else []
            self._expect("=")
            assert name not in self.rules, f"{name} is there twice"
            self.rules[name] = (parameters, self._type())

    def fits(self, rule: str, data: bytes) -> bool:
        """Tell whether encoded data fit a rule."""
        return self._fits(self.rules[rule][1], cbor2.loads(data), {})

    def names(self) -> set[str]:
        """Give all names that rules refer to, parameters left out."""
        return {
            name
            for parameters, rule in self.rules.values()
            for name in _names(rule)
            if name not in parameters and name not in _PLAIN
        }

    # reading

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "")

    def _skip(self, *marks: str) -> bool:
        if self._peek()[1] not in marks:
            return False
        self._place += 1
        return True

    def _take(self, kind: str) -> str:
        found, text = self._peek()
        assert found == kind, f"{kind} expected, {text!r} found"
        self._place += 1
        return text

    def _expect(self, mark: str) -> None:
        assert self._skip(mark), f"{mark} expected, {self._peek()[1]!r} found"

    def _list(self, read: Any) -> list[Any]:
        items = [read()]
        while self._skip(","):
            items.append(read())
        self._expect(">")
        return items

    def _type(self) -> Any:
        choices = [self._single()]
        while self._skip("/"):
            choices.append(self._single())
        return ("choice", choices) if len(choices) > 1 else choices[0]

    def _single(self) -> Any:
        left = self._atom()
        if self._skip(".."):
            return ("range", left, self._atom())
        if self._peek()[0] == "control":
            return ("control", self._take("control"), left, self._atom())
        return left

    def _atom(self) -> Any:
        kind, text = self._peek()
        self._place += 1
        if kind == "number":
            return int(text)
        if kind == "text":
            return text[1:-1]
        if kind == "name":
            return ("name", text, self._list(self._type) if self._skip("<") else [])
        if kind == "tag":
            self._expect("(")
            inner = self._type()
            self._expect(")")
            return ("tag", int(text.removeprefix("#6.")), inner)
        assert text in ("{", "["), f"{text!r} begins no type"
        return ("map" if text == "{" else "array", self._group("}" if text == "{" else "]"))

    def _group(self, end: str) -> list[Entry]:
        entries: list[Entry] = []
        while not self._skip(end):
            low, high = self._occurrence()
            key = self._key()
            assert (key is None) is (end == "]"), "members of maps have keys, elements of arrays have none"
            entries.append(Entry(key, low, high, self._type()))
            self._skip(",")
        return entries

    def _occurrence(self) -> tuple[int, float]:
        if self._peek()[0] != "occur":
            return 1, 1
        text = self._take("occur")
        if text == "?":
            return 0, 1
        low, _, high = text.partition("*")
        return int(low or 0), int(high) if high else float("inf")

    def _key(self) -> int | None:
        (kind, text), following = self._peek(), self._tokens[self._place + 1][1]
        if following == "=>":
            assert kind == "number", f"{text!r} is no key of ours"
            self._place += 2
            return int(text)
        if following == ":":
            self._place += 2
        return None

    # checking

    def _fits(self, rule: Any, value: Any, given: Mapping[str, Any]) -> bool:
        if isinstance(rule, int | str):
            return type(value) is type(rule) and value == rule
        check = {
            "choice": self._fits_choice,
            "range": self._fits_range,
            "control": self._fits_control,
            "name": self._fits_name,
            "tag": self._fits_tag,
            "map": self._fits_map,
            "array": self._fits_array,
        }[rule[0]]
        return bool(check(*rule[1:], value, given))

    def _fits_choice(self, choices: list[Any], value: Any, given: Mapping[str, Any]) -> bool:
        return any(self._fits(choice, value, given) for choice in choices)

    def _fits_range(self, low: int, high: int, value: Any, _given: Mapping[str, Any]) -> bool:
        return type(value) is int and low <= value <= high

    def _fits_control(self, control: str, left: Any, right: Any, value: Any, given: Mapping[str, Any]) -> bool:
        return self._fits(left, value, given) and self._obeys(control, right, value, given)

    def _fits_tag(self, tag: int, inner: Any, value: Any, given: Mapping[str, Any]) -> bool:
        return isinstance(value, cbor2.CBORTag) and value.tag == tag and self._fits(inner, value.value, given)

    def _obeys(self, control: str, right: Any, value: Any, given: Mapping[str, Any]) -> bool:
        if control == ".size":
            return bool(len(value) == right)
        if control == ".regexp":
            return re.fullmatch(right, value, re.ASCII) is not None
        assert control == ".cbor", f"{control} is not known"
        return self._fits(right, cbor2.loads(value), given)

    def _fits_name(self, name: str, arguments: list[Any], value: Any, given: Mapping[str, Any]) -> bool:
        if name in given:
            rule, outer = given[name]
            return self._fits(rule, value, outer)
        if name in _PLAIN:
            return type(value) is _PLAIN[name]
        parameters, rule = self.rules[name]
        bound = {each: (argument, given) for each, argument in zip(parameters, arguments, strict=True)}
        return self._fits(rule, value, bound)

    def _fits_map(self, entries: list[Entry], value: Any, given: Mapping[str, Any]) -> bool:
        if not isinstance(value, Mapping) or value.keys() - {entry.key for entry in entries}:
            return False
        return all(
            self._fits(entry.type, value[entry.key], given) if entry.key in value else entry.low == 0
            for entry in entries
        )

    def _fits_array(self, entries: list[Entry], value: Any, given: Mapping[str, Any]) -> bool:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            return False
        if not entries:
            return not value
        first, rest = entries[0], entries[1:]
        count = 0
        while count < min(len(value), first.high) and self._fits(first.type, value[count], given):
            count += 1
        return any(self._fits_array(rest, value[taken:], given) for taken in range(count, first.low - 1, -1))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        assert match is not None, f"unknown: {text[place : place + 20]!r}"
        place = match.end()
        if match.lastgroup not in (None, "space"):
            yield str(match.lastgroup), match.group()


def _names(rule: Any) -> Iterator[str]:
    if isinstance(rule, Entry):
        yield from _names(rule.type)
    elif isinstance(rule, list):
        for item in rule:
            yield from _names(item)
    elif isinstance(rule, tuple):
        if rule[0] == "name":
            yield rule[1]
        for item in rule[1:]:
            if not isinstance(item, str):
                yield from _names(item)
