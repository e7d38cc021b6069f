"""GS1 Digital Links in their plain form: "https://id.gs1.org/01/09521234543213/10/ABC?17=251225".

Compressed links, whose path hides the identifiers in base64, are refused as links without a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from device.gs1 import gtin, identifiers
from device.gs1.elements import Element, ElementString, read_element, related
from device.gs1.problems import BadElement, BadLink

LONGEST_LINK = 2048
"""Characters; our own bound."""


@dataclass(frozen=True, slots=True)
class LinkRules:
    """What is read besides the strict form; nothing by default."""

    unknown_identifiers: bool = False
    """Numeric names in the query that are no identifiers are kept as if they were."""
    short_gtins: bool = False
    """GTINs of 8, 12 and 13 digits are filled up."""
    names: bool = False
    """"gtin" for 01 and the like in the path."""


STRICT = LinkRules()
_SCHEME = re.compile(r"(?:https?|HTTPS?)://")
_LETTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_DOMAIN = re.compile(r"[A-Za-z0-9\-._:\[\]]+")
_PAIR = 2
"""An identifier and its value, as two steps of the path."""
_MOST_QUALIFIERS = 3
"""Of any key; so the key stands near the end of the path."""
_UNKNOWN = re.compile(r"[0-9]{2,4}")
_NAMES = {
    "gtin": "01",
    "itip": "8006",
    "cpid": "8010",
    "gln": "414",
    "party": "417",
    "gsrnp": "8017",
    "gsrn": "8018",
    "gcn": "255",
    "sscc": "00",
    "gdti": "253",
    "ginc": "401",
    "gsin": "402",
    "grai": "8003",
    "giai": "8004",
    "gmn": "8013",
    "cpv": "22",
    "lot": "10",
    "ser": "21",
}


def looks_like_link(text: str) -> bool:
    """Tell whether a text begins as a link; cheap, for sorting what was scanned."""
    return _SCHEME.match(text) is not None


def read_link(uri: str, rules: LinkRules = STRICT) -> ElementString:
    """Give the elements of a Digital Link; Gs1Problem if it is none."""
    path, query = _parts(uri)
    keys = list(_path_elements(path, rules))
    return related([*keys, *_query_elements(query, [key.identifier for key in keys], rules)])


def _parts(uri: str) -> tuple[str, str]:
    """Split off path and query; the fragment means nothing here."""
    scheme = _SCHEME.match(uri)
    if scheme is None or len(uri) > LONGEST_LINK:
        raise BadLink("the text is no web link, or a very long one")
    if _LETTERS.fullmatch(uri) is None:
        raise BadLink("there are characters in the link that no link has")
    domain, slash, rest = uri[scheme.end() :].partition("/")
    if not slash or _DOMAIN.fullmatch(domain) is None:
        raise BadLink("the link has no sound domain with a path behind it")
    path, _, query = rest.partition("#")[0].partition("?")
    return path, query


def _path_elements(path: str, rules: LinkRules) -> Iterator[Element]:
    """Walk the key and its qualifiers; the right-most key counts."""
    steps = path.split("/")
    last = len(steps) - _PAIR
    first = max(0, last - _MOST_QUALIFIERS * _PAIR)
    start = next((place for place in range(last, first - 1, -1) if _is_key(steps, place, rules)), None)
    if start is None:
        raise BadLink("the path names no key of GS1; compressed links are not read")
    pairs = [(_code(name, rules), value) for name, value in zip(steps[start::2], steps[start + 1 :: 2], strict=True)]
    _check_way(pairs[0][0], [code for code, _ in pairs[1:]])
    for code, value in pairs:
        yield _element(code, _decoded(value), rules)


def _is_key(steps: list[str], place: int, rules: LinkRules) -> bool:
    """Tell whether a key stands here, with nothing but pairs of identifier and value up to the end."""
    if (len(steps) - place) % 2 or not all(_code(name, rules) for name in steps[place::2]):
        return False
    return identifiers.find(_code(steps[place], rules)).ways is not None


def _code(name: str, rules: LinkRules) -> str:
    """Give the identifier that a step of the path names, empty if none."""
    code = _NAMES.get(name, name) if rules.names else name
    return code if identifiers.is_identifier(code) else ""


def _check_way(key: str, qualifiers: list[str]) -> None:
    for way in identifiers.find(key).ways or ():
        if qualifiers == [code for code in way if code in qualifiers]:
            return
    raise BadLink(f"what follows AI ({key}) in the path is not in the order of its qualifiers")


def _query_elements(query: str, in_path: list[str], rules: LinkRules) -> Iterator[Element]:
    seen = set(in_path)
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if not equals or not gtin.is_digits(name):
            continue
        if name in seen:
            raise BadLink(f"the number {name} stands twice")
        seen.add(name)
        yield _attribute(name, _decoded(value.replace("+", " ")), in_path, rules)


def _attribute(name: str, value: str, in_path: list[str], rules: LinkRules) -> Element:
    if identifiers.is_identifier(name):
        _check_place(name, in_path)
        return _element(name, value, rules)
    if not rules.unknown_identifiers or _UNKNOWN.fullmatch(name) is None or not value.isprintable():
        raise BadLink("the query has a number for a name that is no application identifier")
    return Element(name, value)


def _check_place(code: str, in_path: list[str]) -> None:
    """Refuse in the query what belongs into the path: qualifiers of the key, and what is never an attribute."""
    known = identifiers.find(code)
    together = {*in_path[1:], code}
    if not known.in_query or any(together <= set(way) for way in identifiers.find(in_path[0]).ways or ()):
        raise BadLink(f"AI ({code}) belongs into the path of the link")


def _decoded(text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise BadLink("a percent sign in the link stands for nothing")
    return unquote_to_bytes(text).decode("latin-1")


def _element(code: str, value: str, rules: LinkRules) -> Element:
    if not value:
        raise BadElement(code, "the value is empty")
    if code == "01" and rules.short_gtins and len(value) in gtin.LENGTHS:
        value = value.zfill(gtin.DIGITS)
    return read_element(code, value)
