"""Tokens that this terminal has tried, and what it has accepted offline and not yet had receipted."""

from __future__ import annotations

from device.payment.journal import Entry, Journal, read_record
from device.payment.risk import Exposure
from protocol import tokens
from protocol.records import Intent, Mode, kind_of

_REMEMBERED = 5_000
"""Records looked through at the start; a token is fresh for minutes, so this is plenty."""
_INTENT = Intent.__name__


class SpentTokens:
    """Remembers intents, across restarts, by the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._tokens: dict[bytes, None] = {}
        self._offline: list[tuple[int, int]] = []

    def resume(self) -> None:
        """Read the intents of the newest records, and of all that are not receipted."""
        after = min(self._journal.receipted, max(0, self._journal.head.number - _REMEMBERED))
        for entry in self._journal.entries(after):
            if entry.kind == _INTENT:
                self.note(entry)

    def note(self, entry: Entry) -> None:
        """Remember the token of an intent."""
        if entry.kind != _INTENT:
            return
        body = read_record(entry).body
        assert isinstance(body, Intent), kind_of(body)
        self._tokens[tokens.token_hash(body.token)] = None
        if len(self._tokens) > _REMEMBERED:
            self._tokens.pop(next(iter(self._tokens)))
        if body.mode is Mode.OFFLINE:
            self._offline.append((entry.number, body.amount.minor))

    def knows(self, token: bytes) -> bool:
        """Tell whether the token was tried before."""
        return any(tokens.token_hash(same) in self._tokens for same in tokens.same_tokens(token))

    @property
    def exposure(self) -> Exposure:
        """What was accepted offline and is not receipted."""
        receipted = self._journal.receipted
        self._offline = [(number, minor) for number, minor in self._offline if number > receipted]
        return Exposure(len(self._offline), sum(minor for _, minor in self._offline))
