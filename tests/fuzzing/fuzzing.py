"""Gives parsers millions of hostile inputs; says what was raised that is no refusal, what was slow, and what grew."""

from __future__ import annotations

import argparse
import itertools
import logging
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mutation import mutations
from parsers import PARSERS, Parser

_PAGE_KIB = 4
MOST_GROWTH_KIB = 4_096
"""Between the first quarter of a parser's inputs, when every cache is filled, and its last input."""
LONGEST_S = 1.0
"""Of processor time for one input, also on a slow machine."""


@dataclass(slots=True)
class Result:
    """What became of one parser's inputs."""

    name: str
    inputs: int = 0
    accepted: int = 0
    slowest_s: float = 0.0
    growth_kib: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Tell whether there is nothing to look into."""
        return not self.findings and self.growth_kib <= MOST_GROWTH_KIB and self.slowest_s <= LONGEST_S


def fuzz(parser: Parser, count: int, seed: int) -> Result:
    """Give one parser so many inputs; the same seed gives the same ones."""
    result = Result(parser.name)
    inputs = itertools.chain(parser.seeds, mutations(parser.seeds, random.Random(f"{seed} {parser.name}")))
    settled = 0
    for number, data in enumerate(itertools.islice(inputs, count)):
        if number == count // 4:
            settled = _resident_kib()
        _give(parser, data, result)
    result.growth_kib = max(0, _resident_kib() - settled)
    return result


def _give(parser: Parser, data: bytes, result: Result) -> None:
    began = time.thread_time()
    try:
        parser.read(data)
        result.accepted += 1
    except parser.refusals:
        pass
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        finding = f"{type(error).__name__} for {data.hex()}"
        if not any(known.startswith(type(error).__name__) for known in result.findings):
            result.findings.append(finding)
    result.inputs += 1
    result.slowest_s = max(result.slowest_s, time.thread_time() - began)


def _resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_KIB


def _chosen(names: Sequence[str]) -> Iterator[Parser]:
    for parser in PARSERS:
        if not names or parser.name in names:
            yield parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz all parsers, or the named ones; 1 if there is something to look into."""
    reader = argparse.ArgumentParser(prog="scripts/test-fuzz", description=__doc__)
    reader.add_argument("--inputs", type=int, default=1_000_000, help="over all parsers (default 1,000,000)")
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--parser", action="append", default=[], help="only this one; may be given again")
    options = reader.parse_args(arguments)
    chosen = list(_chosen(options.parser))
    if not chosen:
        reader.error("there is no such parser; there are " + ", ".join(parser.name for parser in PARSERS))
    results = []
    with _without_logs():
        for parser in chosen:
            result = fuzz(parser, max(1, options.inputs // len(chosen)), options.seed)
            results.append(result)
            sys.stdout.write(_line(result) + "\n")
            sys.stdout.flush()
    sys.stdout.write(f"{sum(result.inputs for result in results):,} inputs, {len(results)} parsers\n")
    return 0 if all(result.is_sound for result in results) else 1


@contextmanager
def _without_logs() -> Iterator[None]:
    """Log nothing: parsers may warn of every hostile input."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _line(result: Result) -> str:
    text = (
        f"{result.name:20} {result.inputs:>10,} inputs, {result.accepted:>10,} accepted, "
        f"slowest {result.slowest_s * 1000:6.1f} ms, grew by {result.growth_kib:,} KiB"
    )
    return "\n  ".join([text + ("" if result.is_sound else "  <- look into this"), *result.findings])


if __name__ == "__main__":
    sys.exit(main())
