"""Element strings: identifiers with their values, one behind the other (GS1 General Specifications 7.8).

The separator FNC1 arrives from scanners as GS. What people read has brackets: "(01)09521234543213(10)ABC".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from device.gs1 import checks, identifiers
from device.gs1.problems import BadElement, BadRelation

SEPARATOR = "\x1d"
MOST_ELEMENTS = 32
"""Our own bound, several times what a code has; every element is compared with every other."""


@dataclass(frozen=True, slots=True)
class Element:
    """One application identifier with a value in its right form."""

    identifier: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ElementString:
    """Elements in the order in which a code has them; each stands once."""

    elements: tuple[Element, ...]

    def get(self, identifier: str) -> str | None:
        """Give the value of an identifier, in which each n stands for any digit; None if it is not there."""
        return next((each.value for each in self.elements if identifiers.fits(each.identifier, identifier)), None)

    def find(self, identifier: str) -> Element | None:
        """Give the first element of a family such as "310n"; None if there is none."""
        return next((each for each in self.elements if identifiers.fits(each.identifier, identifier)), None)

    def for_people(self) -> str:
        """Write it with brackets (human readable interpretation); brackets in values get a backslash."""
        return "".join(f"({each.identifier}){each.value.replace('(', chr(92) + '(')}" for each in self.elements)

    def for_scanners(self) -> str:
        """Write it as scanners send it, with a separator only where one is needed."""
        text, needs_separator = "", False
        for each in self.elements:
            text += SEPARATOR * needs_separator + each.identifier + each.value
            needs_separator = not identifiers.fixed_length(each.identifier)
        return text


def read_element(identifier: str, value: str) -> Element:
    """Check one element; BadElement if identifier or value are none."""
    known = identifiers.find(identifier)
    match = known.pattern.fullmatch(value)
    if match is None:
        raise BadElement(identifier, "the value has not the length or the letters that it must have")
    for component, names in zip(match.groups(), known.checks, strict=True):
        for name in names:
            if component and not checks.holds(name, component):
                raise BadElement(identifier, f"the value does not pass the check {name!r}")
    return Element(identifier, value)


def read_element_string(data: str) -> ElementString:
    """Read what a scanner sends behind its identifier of GS1; Gs1Problem if it is none or contradicts itself."""
    if not data:
        raise BadElement("", "there is no data")
    return related(_scanned(data))


def read_bracketed(text: str) -> ElementString:
    """Read the form for people; the relations between elements are not checked, as people write parts too."""
    return ElementString(_once(_typed(text)))


def related(elements: Iterable[Element]) -> ElementString:
    """Put elements together; BadRelation if one lacks another, or must not stand beside it."""
    kept = _once(elements)
    codes = [each.identifier for each in kept]
    for code in filter(identifiers.is_identifier, codes):
        _check_relations(identifiers.find(code), codes)
    return ElementString(kept)


def _scanned(data: str) -> Iterator[Element]:
    """Walk through data; a separator may also stand behind a value that needs none, and at the end."""
    place = 0
    while place < len(data):
        known = identifiers.leading(data[place : place + identifiers.LONGEST])
        place += len(known.code)
        end = data.find(SEPARATOR, place)
        end = len(data) if end < 0 else end
        if known.fixed:
            end = min(end, place + known.fixed)
        yield read_element(known.code, data[place:end])
        place = end + 1 if data[end : end + 1] == SEPARATOR else end


def _typed(text: str) -> Iterator[Element]:
    """Walk through text with brackets."""
    rest = text
    if not rest.startswith("("):
        raise BadElement("", "an element begins with its identifier in brackets")
    while rest:
        code, closed, rest = rest[1:].partition(")")
        if not closed:
            raise BadElement("", "a bracket is not closed")
        end = _next_bracket(rest)
        yield read_element(code, rest[:end].replace("\\(", "("))
        rest = rest[end:]


def _next_bracket(text: str) -> int:
    """Find the bracket that opens the next element: one without a backslash before it."""
    place = text.find("(")
    while place > 0 and text[place - 1] == "\\":
        place = text.find("(", place + 1)
    return len(text) if place < 0 else place


def _once(elements: Iterable[Element]) -> tuple[Element, ...]:
    """Keep each element once; BadRelation if the same identifier comes again with another value."""
    kept: dict[str, Element] = {}
    for element in elements:
        if kept.setdefault(element.identifier, element) != element:
            raise BadRelation(element.identifier, "stands twice with different values")
        if len(kept) > MOST_ELEMENTS:
            raise BadElement("", f"there are more than {MOST_ELEMENTS} elements")
    return tuple(kept.values())


def _check_relations(known: identifiers.Identifier, codes: list[str]) -> None:
    others = [code for code in codes if code != known.code]
    for wanted in known.excludes:
        if any(identifiers.fits(code, wanted) for code in others):
            raise BadRelation(known.code, f"excludes AI ({wanted})")
    if known.requires and not any(_has_all(group, others) for group in known.requires):
        groups = " or ".join("+".join(group) for group in known.requires)
        raise BadRelation(known.code, f"needs AI {groups}")


def _has_all(group: tuple[str, ...], codes: list[str]) -> bool:
    return all(any(identifiers.fits(code, wanted) for code in codes) for wanted in group)
