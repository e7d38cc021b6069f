"""Topics name their terminal, and the broker's rules fit them."""

from __future__ import annotations

import pytest

from protocol.topics import TerminalTopics, access_list, beat_topic, terminal_of

TOPICS = TerminalTopics("mall-1", "till-1")


def test_a_terminal_has_its_topics() -> None:
    assert TOPICS.records == "tillwave/1/mall-1/till-1/up/records"
    assert TOPICS.questions == "tillwave/1/mall-1/till-1/up/questions"
    assert TOPICS.birth == "tillwave/1/mall-1/till-1/up/birth"
    assert TOPICS.presence == "tillwave/1/mall-1/till-1/up/presence"
    assert TOPICS.receipts == "tillwave/1/mall-1/till-1/down/receipts"
    assert TOPICS.decisions == "tillwave/1/mall-1/till-1/down/decisions"
    assert TOPICS.answers == "tillwave/1/mall-1/till-1/down/answers"
    assert TOPICS.all_down == "tillwave/1/mall-1/till-1/down/#"
    assert beat_topic("mall-1") == "tillwave/1/mall-1/all/beat"


def test_settlement_hears_all_terminals() -> None:
    assert TerminalTopics("mall-1", "+").records == "tillwave/1/mall-1/+/up/records"


@pytest.mark.parametrize("topic", [TOPICS.records, TOPICS.answers, TOPICS.presence])
def test_a_topic_tells_its_terminal(topic: str) -> None:
    assert terminal_of(topic) == "till-1"


@pytest.mark.parametrize("topic", ["", "tillwave/1/mall-1/all/beat", "other/1/m/t/up/records", "tillwave/2/m/t/up/x"])
def test_other_topics_name_no_terminal(topic: str) -> None:
    assert terminal_of(topic) == ""


def test_the_brokers_rules_let_a_terminal_speak_for_itself_alone() -> None:
    lines = access_list("mall-1").splitlines()
    assert "pattern write tillwave/1/mall-1/%u/up/#" in lines
    assert "pattern read tillwave/1/mall-1/%u/down/#" in lines
    settlement = lines[lines.index("user settlement") :]
    assert "topic write tillwave/1/mall-1/all/beat" in settlement
    assert not any(line.startswith("topic") and "write" in line for line in lines[: lines.index("user settlement")])
