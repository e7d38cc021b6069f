"""docs/protocol.cddl describes the real messages, and docs/protocol.md explains every word that they carry."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cddl import Schema
from samples import ANSWERS, BEAT, BIRTH, BODIES, DECISION, NOW_MS, PHONE, QUESTIONS, RECEIPT
from signing import make_key, record_of

from protocol import cbor, questions
from protocol.answers import seal_answer
from protocol.envelope import ContentType
from protocol.phone import seal_phone
from protocol.questions import Answer, Question, seal_question
from protocol.records import seal_record
from protocol.topics import TerminalTopics, beat_topic
from protocol.transport import pack_run, seal_birth

HOUSE = Path(__file__).parents[2]
SCHEMA = Schema((HOUSE / "docs" / "protocol.cddl").read_text(encoding="utf-8"))
DOCUMENT = (HOUSE / "docs" / "protocol.md").read_text(encoding="utf-8")
KEY = make_key()


def _messages() -> Iterator[tuple[str, str, bytes]]:
    for body in BODIES:
        yield type(body).__name__, "record-message", seal_record(record_of(body), KEY)
    for asked in QUESTIONS:
        question = Question(terminal="till-1", question="q" * 16, at_ms=NOW_MS, body=asked)
        yield type(asked).__name__, "question-message", seal_question(question, KEY)
    for answered in ANSWERS:
        answer = Answer(terminal="till-1", question="q" * 16, at_ms=NOW_MS, body=answered)
        yield type(answered).__name__, "answer-message", questions.seal_answer(answer, KEY)
    for said in PHONE:
        yield type(said).__name__, "phone-message", seal_phone(said, KEY)
    yield "Birth", "birth-message", seal_birth(BIRTH, KEY)
    yield "Decision", "decision-message", seal_answer(DECISION, KEY)
    yield "Receipt", "receipt-message", seal_answer(RECEIPT, KEY)
    yield "Beat", "beat-message", seal_answer(BEAT, KEY)


MESSAGES = list(_messages())
IDS = [name for name, _, _ in MESSAGES]


def _with_payload(message: bytes, payload: object) -> bytes:
    protected, unprotected, _, signature = cbor2.loads(message).value
    return cbor.encode(cbor2.CBORTag(18, [protected, unprotected, cbor.encode(payload), signature]))


def _payload(message: bytes) -> dict[int, Any]:
    payload: dict[int, Any] = cbor2.loads(cbor2.loads(message).value[2])
    return payload


def _maps(value: Any, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], dict[int, Any]]]:
    """Give every map in a payload with the way to it."""
    if isinstance(value, dict):
        yield path, value
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _maps(inner, (*path, key))


def _changed(payload: dict[int, Any], path: tuple[int, ...], change: dict[int, Any], *, drop: int | None = None) -> Any:
    copy = cbor2.loads(cbor2.dumps(payload))
    inner = copy
    for step in path:
        inner = inner[step]
    inner.update(change)
    inner.pop(drop, None)
    return copy


@pytest.mark.parametrize(("_name", "rule", "message"), MESSAGES, ids=IDS)
def test_the_description_fits_every_real_message(_name: str, rule: str, message: bytes) -> None:
    assert SCHEMA.fits(rule, message)
    others = {each for each in SCHEMA.rules if each.endswith("-message")} - {rule}
    assert not any(SCHEMA.fits(other, message) for other in others)


@pytest.mark.parametrize(("_name", "rule", "message"), MESSAGES, ids=IDS)
def test_the_description_allows_no_more_than_the_readers(_name: str, rule: str, message: bytes) -> None:
    payload = _payload(message)
    changes = 0
    for path, inner in _maps(payload):
        assert not SCHEMA.fits(rule, _with_payload(message, _changed(payload, path, {23: 1})))
        for key in inner:
            wrong = {key: 2**64 - 1} if not isinstance(inner[key], int) else {key: "x"}
            assert not SCHEMA.fits(rule, _with_payload(message, _changed(payload, path, wrong))), (path, key)
            changes += 1
    assert changes >= 2


_REQUIRED = [entry for entry in MESSAGES if entry[0] not in ("ChallengeOpened", "Intent", "StateAnswer")]


@pytest.mark.parametrize(("_name", "rule", "message"), _REQUIRED, ids=[name for name, _, _ in _REQUIRED])
def test_the_description_misses_every_key(_name: str, rule: str, message: bytes) -> None:
    payload = _payload(message)
    for path, inner in _maps(payload):
        for key in inner:
            assert not SCHEMA.fits(rule, _with_payload(message, _changed(payload, path, {}, drop=key))), (path, key)


def test_optional_keys_may_be_left_out_and_no_others() -> None:
    for rule, first_optional in (("challenge-opened", 5), ("intent", 9), ("state-answer", 2)):
        _, (_, entries) = SCHEMA.rules[rule]
        for entry in entries:
            assert (entry.low == 0) is (entry.key >= first_optional), (rule, entry.key)


def test_runs_and_envelopes_are_described() -> None:
    record = MESSAGES[0][2]
    assert SCHEMA.fits("run", pack_run([record] * 64))
    assert not SCHEMA.fits("run", cbor.encode([]))
    assert not SCHEMA.fits("run", cbor.encode([record] * 65))
    protected, unprotected, payload, signature = cbor2.loads(record).value
    for parts in (
        [protected, {1: -7}, payload, signature],
        [protected, unprotected, payload, signature[1:]],
        [protected, unprotected, payload],
        [cbor.encode({1: -8}), unprotected, payload, signature],
    ):
        assert not SCHEMA.fits("record-message", cbor.encode(cbor2.CBORTag(18, parts)))
    assert not SCHEMA.fits("record-message", cbor.encode(cbor2.CBORTag(98, [protected, {}, payload, signature])))


def test_every_name_of_the_description_has_a_rule_and_a_use() -> None:
    assert SCHEMA.names() <= SCHEMA.rules.keys()
    unused = {name for name in SCHEMA.rules if name not in SCHEMA.names() and not name.endswith("-message")}
    assert unused == {"run"}


def test_every_content_type_is_described() -> None:
    text = (HOUSE / "docs" / "protocol.cddl").read_text(encoding="utf-8")
    assert re.findall(r'signed<"([^"]+)"', text) == [kind.value for kind in ContentType]


def test_every_topic_is_named() -> None:
    topics = TerminalTopics("<mall>", "<terminal>")
    own = (topics.records, topics.questions, topics.birth, topics.presence)
    heard = (topics.receipts, topics.decisions, topics.answers, beat_topic("<mall>"))
    for topic in own + heard:
        assert f"`{topic}`" in DOCUMENT, topic


def test_every_kind_of_message_is_explained() -> None:
    for name in IDS:
        assert f"`{name}`" in DOCUMENT, name


_WORD = re.compile(r"[a-z]+(?:-[a-z]+)+")
_ROOMS = ("device/payment", "settlement", "settlement/acquirers", "settlement/server")
_NO_REASONS = frozenset(
    {"broker-desk", "broker-line", "cash-in", "content-type", "coupon-funding", "no-store", "read-only"}
)
"""Names of threads, of accounts in the ledger, of HTTP headers."""
_SINGLE = (
    "amount",
    "cancelled",
    "currency",
    "deadline",
    "interrupted",
    "offline",
    "stopped",
    "superseded",
    "withdrawn",
)


def _words() -> dict[str, str]:
    words = {}
    for room in _ROOMS:
        for path in sorted((HOUSE / room).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and _WORD.fullmatch(node.value):
                    words[node.value] = path.name
    return words


def test_every_reason_and_notice_is_explained() -> None:
    words = _words()
    assert len(words) > 50
    missing = {word: path for word, path in words.items() if word not in _NO_REASONS and f"`{word}`" not in DOCUMENT}
    assert missing == {}
    assert [word for word in _SINGLE if f"`{word}`" not in DOCUMENT] == []


def test_no_word_is_explained_that_nobody_says() -> None:
    explained = {
        match.group(1)
        for line in DOCUMENT.splitlines()
        if (match := re.match(r"\| `([a-z]+(?:-[a-z]+)+)` \|", line)) is not None
    }
    assert len(explained) > 50
    assert explained <= _words().keys()
