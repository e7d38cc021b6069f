"""Questions move no money, and an answer belongs to its question."""

from __future__ import annotations

import pytest
from samples import ANSWERS, NOW_MS, QUESTIONS
from signing import make_key

from protocol import cbor
from protocol.envelope import ContentType, seal, take_apart
from protocol.errors import Forged, Malformed
from protocol.questions import (
    Answer,
    AnswerBody,
    Question,
    QuestionBody,
    open_answer,
    open_question,
    seal_answer,
    seal_question,
)

KEY = make_key()


def _question(body: QuestionBody) -> Question:
    return Question(terminal="till-1", question="q" * 16, at_ms=NOW_MS, body=body)


def _answer(body: AnswerBody) -> Answer:
    return Answer(terminal="till-1", question="q" * 16, at_ms=NOW_MS, body=body)


@pytest.mark.parametrize("body", QUESTIONS, ids=lambda body: type(body).__name__)
def test_every_question_comes_back(body: QuestionBody) -> None:
    message = seal_question(_question(body), KEY)
    assert open_question(message, KEY.public_key) == _question(body)
    with pytest.raises(Forged):
        open_question(message, make_key().public_key)
    with pytest.raises(Malformed):
        open_answer(message, KEY.public_key)


@pytest.mark.parametrize("body", ANSWERS, ids=lambda body: type(body).__name__)
def test_every_answer_comes_back(body: AnswerBody) -> None:
    message = seal_answer(_answer(body), KEY)
    assert open_answer(message, KEY.public_key) == _answer(body)
    with pytest.raises(Forged):
        open_answer(message, make_key().public_key)
    with pytest.raises(Malformed):
        open_question(message, KEY.public_key)


@pytest.mark.parametrize("change", [{4: 9}, {4: 0}, {5: 1}, {5: {}}, {6: 1}, {2: 5}, {3: "now"}])
def test_what_nobody_asked_is_refused(change: dict[int, object]) -> None:
    message = seal_question(_question(QUESTIONS[0]), KEY)
    payload = cbor.decode(take_apart(message, ContentType.QUESTION).payload)
    for content_type, reader in ((ContentType.QUESTION, open_question), (ContentType.ANSWER, open_answer)):
        changed = seal(cbor.encode(payload | change), content_type, KEY)
        with pytest.raises(Malformed):
            reader(changed, KEY.public_key)


@pytest.mark.parametrize("payload", [[], 1, {}, {5: {}}, {1: "till-1"}])
def test_what_is_no_question_is_refused(payload: object) -> None:
    with pytest.raises(Malformed):
        open_question(seal(cbor.encode(payload), ContentType.QUESTION, KEY), KEY.public_key)
