"""Parsers refuse what they do not understand; the long run of the same is scripts/test-fuzz."""

from __future__ import annotations

import contextlib
import random

import pytest
from fuzzing import fuzz, main
from hypothesis import given
from hypothesis import strategies as st
from mutation import LONGEST, mutations
from parsers import PARSERS, Parser

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_a_sound_input_is_accepted(parser: Parser) -> None:
    """Else the fuzzer would only ever see refusals."""
    result = fuzz(parser, len(parser.seeds), seed=1)
    assert result.accepted
    assert result.findings == []


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_a_hostile_input_is_refused_and_nothing_else_happens(parser: Parser) -> None:
    result = fuzz(parser, 300, seed=2)
    assert result.findings == []
    assert result.inputs == 300


@given(st.sampled_from(PARSERS), st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_or_refused(parser: Parser, data: bytes) -> None:
    with contextlib.suppress(*parser.refusals):
        parser.read(data)


def test_a_fault_is_found_and_told_once() -> None:
    def read(data: bytes) -> None:
        if data:
            raise KeyError(data)

    result = fuzz(Parser("broken", read, (ValueError,), (b"seed",)), 50, seed=4)
    assert len(result.findings) == 1
    assert result.findings[0] == f"KeyError for {b'seed'.hex()}"
    assert not result.is_sound


def test_the_same_seed_gives_the_same_inputs() -> None:
    first, second = (mutations((b"0109521234543213", b"x"), random.Random(5)) for _ in range(2))
    inputs = [next(first) for _ in range(2_000)]
    assert inputs == [next(second) for _ in range(2_000)]
    assert len(set(inputs)) > 1_000
    assert max(map(len, inputs)) <= LONGEST


def test_the_command_fuzzes_what_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--inputs", "20", "--parser", "GTIN", "--parser", "AI 8110"]) == 0
    assert "20 inputs, 2 parsers" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--parser", "nonsense"])
