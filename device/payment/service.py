"""Whether the terminal takes payments now, and if not, why."""

from __future__ import annotations

from device.payment.errors import OutOfService

CASE_OPEN = "case-open"
JOURNAL_FULL = "journal-full"
JOURNAL_DAMAGED = "journal-damaged"
CHAIN_FORKED = "chain-forked"
STOPPING = "stopping"

_SENTENCES = {
    CASE_OPEN: "the case of the terminal is open; close it and restart the terminal",
    JOURNAL_FULL: "the terminal cannot write to its journal; a technician must look at its disk",
    JOURNAL_DAMAGED: "the journal of the terminal does not hold any more; a technician must look at its disk",
    CHAIN_FORKED: "settlement holds other records of this terminal; a technician must provision it anew",
    STOPPING: "the terminal is stopping",
}


def sentence_of(trouble: str) -> str:
    """Say a reason word in a sentence that tells what to do."""
    return _SENTENCES.get(trouble, trouble)


class Service:
    """Collects what keeps the terminal from working; empty means in service."""

    def __init__(self) -> None:
        self._troubles: list[str] = []

    @property
    def trouble(self) -> str:
        """The first reason word, empty if in service."""
        return self._troubles[0] if self._troubles else ""

    def enter(self, trouble: str) -> bool:
        """Note a trouble; False if it was known."""
        if trouble in self._troubles:
            return False
        self._troubles.append(trouble)
        return True

    def leave(self, trouble: str) -> bool:
        """Note that a trouble is over; False if there was none."""
        if trouble not in self._troubles:
            return False
        self._troubles.remove(trouble)
        return True

    def refuse_if_out(self) -> None:
        """Raise OutOfService if there is any trouble."""
        if self._troubles:
            raise OutOfService(_SENTENCES[self._troubles[0]])
