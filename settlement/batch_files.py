"""How a party's day is written: CSV for people, JSON for programs; both end with counts, sums and a hash."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocol.money import Money

COLUMNS = ("type", "at", "kind", "id", "terminal", "sale", "scheme", "paid", "discounts", "amount", "currency", "count")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one entry of the ledger means to a party."""

    at: str
    """ISO 8601 in the time zone of the batch."""
    kind: str
    id: str
    """Key of the entry: the same for ever, and in the files of all parties."""
    terminal: str
    sale: str
    scheme: str
    paid: Money
    """By the shopper; negative when it went back."""
    discounts: Mapping[str, Money]
    """By who funds them."""
    amount: Money
    """What this party gets; negative what it gives."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One party's day."""

    account: str
    heads: Mapping[str, str]
    lines: Sequence[Line]

    def csv(self) -> bytes:
        """Write it as CSV (RFC 4180, UTF-8): a `batch` row, entries, a `sum` row a kind, `total`, and a `sha256` row.

        The hash is that of all bytes before its row. Text that a spreadsheet would take for a formula gets an
        apostrophe in front.
        """
        rows: list[Mapping[str, object]] = [{"type": "batch", "at": self.heads["day"], "id": self.account}]
        rows += [{"type": "entry", **_row(line)} for line in self.lines]
        rows += [{"type": "sum", "kind": kind, **figures} for kind, figures in self._sums().items()]
        rows.append({"type": "total", **self._total()})
        body = _table(rows, self.heads["currency"], header=True)
        digest = {"type": "sha256", "id": hashlib.sha256(body).hexdigest()}
        return body + _table([digest], "", header=False)

    def json(self) -> bytes:
        """Write it as one JSON object; `sha256` is that of the object without it, keys sorted, without spaces."""
        content: dict[str, Any] = {
            "party": self.account,
            **self.heads,
            "entries": [_object(line) for line in self.lines],
            "sums": self._sums(),
            "total": self._total(),
        }
        return pretty({**content, "sha256": hashlib.sha256(canonical(content)).hexdigest()})

    def _sums(self) -> dict[str, dict[str, object]]:
        kinds = sorted({line.kind for line in self.lines})
        return {kind: self._figures([line for line in self.lines if line.kind == kind]) for kind in kinds}

    def _total(self) -> dict[str, object]:
        return self._figures(self.lines)

    def _figures(self, lines: Sequence[Line]) -> dict[str, object]:
        minor = sum(line.amount.minor for line in lines)
        return {"count": len(lines), "amount": Money(minor, self.heads["currency"]).decimal}


def manifest(heads: Mapping[str, object], files: Mapping[str, bytes]) -> bytes:
    """Name every file of a batch with its SHA-256."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    return pretty({**heads, "files": hashes})


def canonical(value: object) -> bytes:
    """Write JSON in its one form."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def pretty(value: object) -> bytes:
    """Write JSON for people."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def _row(line: Line) -> dict[str, object]:
    discounts = "; ".join(f"{name} {money.decimal}" for name, money in line.discounts.items())
    return {**_object(line), "discounts": discounts}


def _object(line: Line) -> dict[str, object]:
    return {
        "at": line.at,
        "kind": line.kind,
        "id": line.id,
        "terminal": line.terminal,
        "sale": line.sale,
        "scheme": line.scheme,
        "paid": line.paid.decimal,
        "discounts": {name: money.decimal for name, money in line.discounts.items()},
        "amount": line.amount.decimal,
    }


def _table(rows: Sequence[Mapping[str, object]], currency: str, *, header: bool) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="")
    if header:
        writer.writeheader()
    for row in rows:
        writer.writerow({"currency": currency, **{name: _harmless(name, value) for name, value in row.items()}})
    return text.getvalue().encode()


def _harmless(column: str, value: object) -> object:
    is_number = column in ("paid", "amount", "count")
    if isinstance(value, str) and not is_number and value.startswith(_FORMULA):
        return f"'{value}"
    return value
