"""Deterministic CBOR (RFC 8949 section 4.2) and its mapping to frozen dataclasses.

A message type is a dataclass whose fields carry a small integer key (`key(3)`), which is the key in the CBOR map. Keys
lie in 0..23, so that the orders of sections 4.2.1 and 4.2.3 agree. There are maps with integer keys, arrays, integers,
text and bytes, and nothing else: no floats, simple values, tags or indefinite lengths. An absent optional field is left
out. Reading is strict: unknown or missing keys, wrong types and other encodings are refused.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from enum import IntEnum
from typing import Any, TypeVar, cast

import cbor2

from protocol.currencies import UnknownCurrency
from protocol.errors import Malformed
from protocol.money import Money, MoneyProblem

LARGEST_MESSAGE = 256 * 1024
"""Bytes of any one message on the wire."""
LARGEST_INTEGER = 2**63 - 1
LONGEST_TEXT = 512
LONGEST_BYTES = 4096
LONGEST_LIST = 1000

_Value = TypeVar("_Value")


def key(number: int, *, optional: bool = False, secret: bool = False) -> Any:
    """Declare a field with its key in the map; an optional one defaults to None, no repr shows a secret one."""
    default: Any = None if optional else dataclasses.MISSING
    return dataclasses.field(default=default, metadata={"key": number}, repr=not secret)


def encode(value: object) -> bytes:
    """Write plain values (dict, list, int, str, bytes) as deterministic CBOR."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes) -> Any:
    """Read deterministic CBOR of plain values; Malformed for any other encoding or type, however valid."""
    value = _load(data)
    _refuse_foreign(value)
    return value


def decode_tagged(data: bytes, tag: int) -> list[Any]:
    """Read a tagged array like `decode`; Malformed if it is none or has another tag."""
    value = _load(data)
    if not isinstance(value, cbor2.CBORTag) or value.tag != tag or not isinstance(value.value, _ARRAYS):
        raise Malformed(f"the message is not an array with tag {tag}")
    _refuse_foreign(value.value)
    return list(value.value)


def to_map(value: Any) -> dict[int, object]:
    """Turn a message value into a map with integer keys."""
    plain = ((slot.key, _to_plain(getattr(value, slot.name))) for slot in _slots(cast("Hashable", type(value))))
    return {number: item for number, item in plain if item is not None}


def from_map(kind: type[_Value], data: object) -> _Value:
    """Make a message value of a map; Malformed unless every key and type fits."""
    if not isinstance(data, dict):
        raise Malformed(f"{kind.__name__} is not a map")
    slots = _slots(cast("Hashable", kind))
    unknown = data.keys() - {slot.key for slot in slots}
    if unknown:
        raise Malformed(f"{kind.__name__} has unknown keys")
    arguments = {}
    for slot in slots:
        if slot.key in data:
            arguments[slot.name] = _checked(kind, slot, data[slot.key])
        elif not slot.optional:
            raise Malformed(f"{kind.__name__} lacks {slot.name}")
    return kind(**arguments)


_ARRAYS = (list, tuple)
"""cbor2 gives immutable values inside a tag."""


def _load(data: bytes) -> Any:
    if len(data) > LARGEST_MESSAGE:
        raise Malformed(f"the message has {len(data)} bytes, more than {LARGEST_MESSAGE}")
    try:
        value = cbor2.loads(data, allow_indefinite=False, allow_duplicate_keys=False)
        same = encode(value) == data
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, RecursionError, EOFError) as error:
        raise Malformed(f"the message is not CBOR ({type(error).__name__})") from error
    if not same:
        raise Malformed("the message is not deterministic CBOR")
    return value


def _refuse_foreign(value: object) -> None:
    """Raise Malformed for types of CBOR that messages do not use; in Python, true and 1.0 would pass for the key 1."""
    if isinstance(value, _ARRAYS):
        for item in value:
            _refuse_foreign(item)
    elif isinstance(value, Mapping):
        if not all(type(number) is int for number in value):
            raise Malformed("a map of the message has keys that are not integers")
        for item in value.values():
            _refuse_foreign(item)
    elif type(value) not in (int, str, bytes):
        raise Malformed("the message has a value that is neither integer, text nor bytes")


@dataclasses.dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    key: int
    optional: bool
    read: Callable[[object], object]


@functools.cache
def _slots(kind: Hashable) -> tuple[_Slot, ...]:
    hints = typing.get_type_hints(cast("type", kind))
    slots = []
    for field in dataclasses.fields(cast("Any", kind)):
        hint, optional = _without_none(hints[field.name])
        slots.append(_Slot(field.name, field.metadata["key"], optional, _reader(hint)))
    return tuple(slots)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if isinstance(hint, types.UnionType):
        (inner,) = (argument for argument in typing.get_args(hint) if argument is not types.NoneType)
        return inner, True
    return hint, False


def _checked(kind: type, slot: _Slot, item: object) -> object:
    try:
        return slot.read(item)
    except (TypeError, ValueError, UnknownCurrency, MoneyProblem) as error:
        raise Malformed(f"{slot.name} of {kind.__name__} is not valid") from error


def _reader(hint: Any) -> Callable[[object], object]:
    if typing.get_origin(hint) is tuple:
        return functools.partial(_read_list, _reader(typing.get_args(hint)[0]))
    if hint is Money:
        return _read_money
    if dataclasses.is_dataclass(hint):
        return functools.partial(from_map, cast("type[Any]", hint))
    if issubclass(hint, IntEnum):
        return lambda item: hint(_read_plain(int, item))
    return functools.partial(_read_plain, hint)


def _read_plain(kind: type, item: object) -> Any:
    if type(item) is not kind:
        raise TypeError
    if isinstance(item, int) and abs(item) > LARGEST_INTEGER:
        raise ValueError
    if isinstance(item, str) and len(item) > LONGEST_TEXT:
        raise ValueError
    if isinstance(item, bytes) and len(item) > LONGEST_BYTES:
        raise ValueError
    return item


def _read_list(read: Callable[[object], object], item: object) -> tuple[object, ...]:
    if not isinstance(item, list) or len(item) > LONGEST_LIST:
        raise TypeError
    return tuple(read(element) for element in item)


def _read_money(item: object) -> Money:
    minor, currency = item if isinstance(item, list) else (None, None)
    return Money(_read_plain(int, minor), _read_plain(str, currency))


def _to_plain(value: object) -> object:
    if isinstance(value, Money):
        return [value.minor, value.currency]
    if isinstance(value, tuple):
        return [_to_plain(item) for item in value]
    if isinstance(value, IntEnum):
        return int(value)
    if dataclasses.is_dataclass(value):
        return to_map(value)
    return value
