"""MQTT topics and who may use them.

A terminal publishes below `tillwave/1/<mall>/<terminal>/up/` and hears `.../down/#` and `tillwave/1/<mall>/all/beat`.
The broker enforces it by the common name of the client certificate, which is the terminal's name.
"""

from __future__ import annotations

from dataclasses import dataclass

_ROOT = "tillwave/1"
SETTLEMENT_USER = "settlement"
"""Common name of settlement's TLS certificate, hence its user name at the broker."""


@dataclass(frozen=True, slots=True)
class TerminalTopics:
    """The topics of one terminal; "+" as terminal makes the filters of settlement."""

    mall: str
    terminal: str

    @property
    def records(self) -> str:
        """Runs of records, QoS 1."""
        return self._up("records")

    @property
    def questions(self) -> str:
        """Questions, QoS 1."""
        return self._up("questions")

    @property
    def birth(self) -> str:
        """The introduction after each connect, QoS 1."""
        return self._up("birth")

    @property
    def presence(self) -> str:
        """Retained JSON, also the last will; informs and proves nothing."""
        return self._up("presence")

    @property
    def check(self) -> str:
        """An empty message by which a technician tries the way up, QoS 1; nobody reads it."""
        return self._up("check")

    @property
    def receipts(self) -> str:
        """Receipts, QoS 1."""
        return self._down("receipts")

    @property
    def decisions(self) -> str:
        """Decisions, QoS 1."""
        return self._down("decisions")

    @property
    def answers(self) -> str:
        """Answers to questions, QoS 1."""
        return self._down("answers")

    @property
    def all_down(self) -> str:
        """The filter of everything that is meant for the terminal."""
        return self._down("#")

    def _up(self, leaf: str) -> str:
        return f"{_ROOT}/{self.mall}/{self.terminal}/up/{leaf}"

    def _down(self, leaf: str) -> str:
        return f"{_ROOT}/{self.mall}/{self.terminal}/down/{leaf}"


def beat_topic(mall: str) -> str:
    """Settlement's heartbeat, QoS 0."""
    return f"{_ROOT}/{mall}/all/beat"


def terminal_of(topic: str) -> str:
    """Give the terminal whose name a topic carries; empty if it is no topic of a terminal."""
    parts = topic.split("/")
    return parts[3] if len(parts) == 6 and parts[:2] == _ROOT.split("/") else ""  # noqa: PLR2004


def access_list(mall: str) -> str:
    """Write mosquitto's acl_file for a mall."""
    return (
        f"# %u is the common name of the client certificate\n"
        f"pattern write {_ROOT}/{mall}/%u/up/#\n"
        f"pattern read {_ROOT}/{mall}/%u/down/#\n"
        f"pattern read {beat_topic(mall)}\n"
        f"\n"
        f"user {SETTLEMENT_USER}\n"
        f"topic read {_ROOT}/{mall}/+/up/#\n"
        f"topic write {_ROOT}/{mall}/+/down/#\n"
        f"topic write {beat_topic(mall)}\n"
    )
