"""The same parsers under atheris, which finds its way by what an input reaches; needs requirements/fuzz.txt.

Anything raised that is no refusal ends the run with the input in a file "crash-..."; so does memory over the bound.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["device", "protocol", "keys"]):
    from parsers import PARSERS, Parser

_MOST_MEGABYTES = 1024


def main() -> int:
    """Fuzz the named parsers, or all, each in a process of its own; gives how many had a finding."""
    names = {parser.name: parser for parser in PARSERS}
    reader = argparse.ArgumentParser(prog="scripts/test-fuzz --guided", description=__doc__)
    reader.add_argument("--inputs", type=int, default=1_000_000, help="over all parsers (default 1,000,000)")
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--parser", action="append", choices=sorted(names), metavar="NAME")
    reader.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = reader.parse_args()
    chosen = options.parser or list(names)
    each = max(1, options.inputs // len(chosen))
    if options.here:
        _fuzz(names[chosen[0]], each, options.seed)
    return sum(_in_a_process(name, each, options.seed) for name in chosen)


def _in_a_process(name: str, inputs: int, seed: int) -> bool:
    """Tell whether there was a finding; the process has then said which."""
    command = [sys.executable, __file__, "--here", "--parser", name, "--inputs", str(inputs), "--seed", str(seed)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    lines = done.stderr.strip().splitlines()
    told = next((line for line in reversed(lines) if "DONE" in line), "") if done.returncode == 0 else done.stderr
    sys.stdout.write(f"{name:20} {inputs:>10,} inputs  {told}\n")
    sys.stdout.flush()
    return done.returncode != 0


def _fuzz(parser: Parser, inputs: int, seed: int) -> None:
    """Give one parser its inputs; atheris ends the process."""
    logging.disable(logging.CRITICAL)

    def give(data: bytes) -> None:
        with contextlib.suppress(*parser.refusals):
            parser.read(data)

    with tempfile.TemporaryDirectory(prefix="fuzz-") as corpus:
        for number, sound in enumerate(parser.seeds):
            Path(corpus, str(number)).write_bytes(sound)
        bounds = [f"-runs={inputs}", f"-seed={seed}", f"-rss_limit_mb={_MOST_MEGABYTES}", "-max_len=512"]
        atheris.Setup([sys.argv[0], *bounds, corpus], give)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
