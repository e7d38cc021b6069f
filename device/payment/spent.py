"""Tokens that this terminal has tried or burned, and what it has accepted offline and not yet had receipted."""

from __future__ import annotations

from device.payment.journal import Entry, Journal, read_record
from device.payment.risk import Exposure
from protocol import tokens
from protocol.records import Intent, Mode, TokenBurned

_REMEMBERED = 5_000
"""Records looked through at the start; a token is fresh for minutes, so this is plenty."""
_KINDS = frozenset({Intent.__name__, TokenBurned.__name__})


class SpentTokens:
    """Remembers intents and burned tokens, across restarts, by the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._tokens: dict[bytes, str] = {}
        """Why a token is refused, by its hash."""
        self._offline: list[tuple[int, int]] = []

    def resume(self) -> None:
        """Read what concerns tokens in the newest records, and in all that are not receipted."""
        after = min(self._journal.receipted, max(0, self._journal.head.number - _REMEMBERED))
        for entry in self._journal.entries(after):
            self.note(entry)

    def note(self, entry: Entry) -> None:
        """Remember the token of an intent, or a burned one."""
        if entry.kind not in _KINDS:
            return
        match read_record(entry).body:
            case TokenBurned(token_hash=hashed):
                self._refuse(hashed, "token-burned")
            case Intent() as intent:
                self._refuse(tokens.token_hash(intent.token), "token-used")
                if intent.mode is Mode.OFFLINE:
                    self._offline.append((entry.number, intent.amount.minor))
            case _:
                pass

    def objection(self, token: bytes) -> str:
        """Give the reason word why a token is refused here, empty if this terminal never met it."""
        known = (self._tokens.get(tokens.token_hash(same)) for same in tokens.same_tokens(token))
        return next((reason for reason in known if reason), "")

    @property
    def exposure(self) -> Exposure:
        """What was accepted offline and is not receipted."""
        receipted = self._journal.receipted
        self._offline = [(number, minor) for number, minor in self._offline if number > receipted]
        return Exposure(len(self._offline), sum(minor for _, minor in self._offline))

    def _refuse(self, hashed: bytes, reason: str) -> None:
        self._tokens.setdefault(hashed, reason)
        if len(self._tokens) > _REMEMBERED:
            self._tokens.pop(next(iter(self._tokens)))
