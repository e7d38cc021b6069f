"""Writes TOML 1.0: tables, arrays of tables, and a comment where a person will edit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Document: TypeAlias = Mapping[str, object]

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_COMMENT_COLUMN = 40


def write_toml(document: Document, comments: Mapping[str, str] | None = None) -> str:
    """Write a document of tables; `comments` are found by the dotted place of a key, for example "broker.port"."""
    return "\n".join(_table((), document, comments or {})).strip("\n") + "\n"


def _table(place: tuple[str, ...], table: Document, comments: Mapping[str, str]) -> Iterator[str]:
    for key, value in table.items():
        if not _is_table(value) and not _is_array_of_tables(value):
            yield _line((*place, key), value, comments)
    for key, value in table.items():
        inner = (*place, key)
        if isinstance(value, Mapping):
            yield from ("", f"[{_dotted(inner)}]")
            yield from _table(inner, value, comments)
        elif _is_array_of_tables(value):
            assert isinstance(value, Sequence)
            for entry in value:
                yield from ("", f"[[{_dotted(inner)}]]")
                yield from _table(inner, entry, comments)


def _line(place: tuple[str, ...], value: object, comments: Mapping[str, str]) -> str:
    line = f"{_key(place[-1])} = {_value(value)}"
    comment = comments.get(".".join(place))
    return line if comment is None else f"{line:<{_COMMENT_COLUMN}} # {comment}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    raise TypeError(f"TOML has no place for {type(value).__name__}")


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_array_of_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(_is_table(entry) for entry in value)


def _dotted(place: tuple[str, ...]) -> str:
    return ".".join(_key(part) for part in place)


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON lets DEL stand, TOML does not
