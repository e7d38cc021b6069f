"""How registers and pages prove that somebody stands at the counter, once; afterwards they hold a key.

Somebody presses the button on the case or runs `tillwave pair`; for five minutes the display shows eight digits. Who
sends them gets a key. The code works once, and five wrong ones close it.
"""

from __future__ import annotations

import base64
import hmac
import logging
from collections.abc import Callable
from pathlib import Path

from device.ports import Clock, Randomness
from device.server.keyring import Keyring
from device.server.limiter import Limiter
from keys.private_file import write_private

log = logging.getLogger(__name__)

OPEN_MS = 5 * 60 * 1000
WRONG_CODES = 5
KEY_BYTES = 32
PAGE = "cashier"
"""Under this name all cashier pages open sales; no register may take it."""
TECHNICIAN = "technician"
VISIT_MS = 8 * 3600 * 1000
"""So long a technician's key counts, by the wall clock: also a clock that was set back ends the visit."""

_CODE_DIGITS = 8
_CODE_RANGE = 10**_CODE_DIGITS
_DRAW_BYTES = 8
_WRONG_KEYS_A_MINUTE = 20


class PairingClosed(Exception):
    """No code counts now: pairing was not opened, is over, was used, or met too many wrong codes."""


class WrongCode(ValueError):
    """The code is not the one that the terminal shows; `left` more may be tried."""

    def __init__(self, left: int) -> None:
        self.left = left
        super().__init__(f"this is not the code that the terminal shows; {left} more tries")


class Pairing:
    """Gives keys for codes, and knows whose keys are right."""

    def __init__(self, state: Path, clock: Clock, randomness: Randomness) -> None:
        self._state = state
        self._clock = clock
        self._randomness = randomness
        self._keyring = Keyring(state / "registers.json")
        self._wrong_keys = Limiter(clock, _WRONG_KEYS_A_MINUTE)
        self._control_key = ""
        self._code = ""
        self._open_until_ms = 0
        self._tries_left = 0
        self._listeners: list[Callable[[], None]] = []

    def start(self) -> None:
        """Read who has paired, and write a new key with which programs of this machine may open pairing."""
        self._keyring.load()
        self._control_key = self._new_key()
        write_private(self._state / "control.key", self._control_key.encode())

    # the code

    def open(self) -> str:
        """Show a new code for five minutes; an older one ends."""
        drawn = int.from_bytes(self._randomness.token_bytes(_DRAW_BYTES))
        self._code = f"{drawn % _CODE_RANGE:0{_CODE_DIGITS}d}"
        self._open_until_ms = self._clock.monotonic_ms() + OPEN_MS
        self._tries_left = WRONG_CODES
        log.info("pairing is open for five minutes")
        self._tell()
        return self._code

    def close(self) -> None:
        """End the code; harmless when there is none."""
        if self._code:
            self._code = ""
            self._tell()

    @property
    def code(self) -> str:
        """The code to show, empty while pairing is closed."""
        return self._code if self.left_ms else ""

    @property
    def left_ms(self) -> int:
        """For how long the code still counts; 0 when pairing is closed."""
        return max(0, self._open_until_ms - self._clock.monotonic_ms()) if self._code else 0

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` when a code comes or goes, other than by time; the result ends it."""
        self._listeners.append(changed)
        return lambda: self._listeners.remove(changed) if changed in self._listeners else None

    def pair_register(self, code: str, name: str) -> str:
        """Give a new key to a register for the right code; PairingClosed or WrongCode otherwise."""
        return self._pair(code, name, "register")

    def pair_page(self, code: str) -> str:
        """Give a new key to a cashier's page for the right code; PairingClosed or WrongCode otherwise."""
        return self._pair(code, PAGE, "page")

    def pair_technician(self, code: str) -> str:
        """Give a new key to a technician's page for the right code; PairingClosed or WrongCode otherwise."""
        return self._pair(code, TECHNICIAN, "technician")

    # the keys

    def register_of(self, key: str) -> str:
        """Name the register that holds a key; empty if none does."""
        return self._owner(key, "register")

    def is_page(self, key: str) -> bool:
        """Tell whether a cashier's page holds this key."""
        return bool(self._owner(key, "page"))

    def is_technician(self, key: str) -> bool:
        """Tell whether a technician's page holds this key, and has not held it for longer than a visit lasts."""
        found = self._keyring.find(key, "technician")
        return self._noting_failure(found is not None and 0 <= self._clock.wall().ms - found.paired_ms < VISIT_MS)

    def is_control_key(self, key: str) -> bool:
        """Tell whether a program of this machine, which may read the state's files, has sent this key."""
        return self._noting_failure(bool(self._control_key) and _same(key, self._control_key))

    @property
    def is_exhausted(self) -> bool:
        """Tell whether so many wrong keys came lately that those who send one shall wait."""
        return self._wrong_keys.is_exhausted

    def _pair(self, code: str, name: str, kind: str) -> str:
        if not self.code:
            raise PairingClosed("pairing is closed; press the button on the terminal's case and try the new code")
        if not _same(code, self._code):
            self._count_wrong_code()
        key = self._new_key()
        self._keyring.add(name, kind, key, self._clock.wall().ms)
        log.info("%s %r has paired", kind, name)
        self.close()
        return key

    def _count_wrong_code(self) -> None:
        self._tries_left -= 1
        log.warning("a wrong pairing code was sent; %d more tries", self._tries_left)
        if not self._tries_left:
            self.close()
            raise PairingClosed("too many wrong codes; press the button on the terminal's case for a new one")
        raise WrongCode(self._tries_left)

    def _owner(self, key: str, kind: str) -> str:
        owner = self._keyring.owner(key, kind)
        self._noting_failure(bool(owner))
        return owner

    def _noting_failure(self, right: bool) -> bool:
        if not right:
            self._wrong_keys.note_failure()
        return right

    def _new_key(self) -> str:
        return base64.urlsafe_b64encode(self._randomness.token_bytes(KEY_BYTES)).decode().rstrip("=")

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _same(first: str, second: str) -> bool:
    return hmac.compare_digest(first.encode("utf-8", "surrogatepass"), second.encode("utf-8", "surrogatepass"))
