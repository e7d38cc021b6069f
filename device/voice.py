"""The terminal's voice: plays the challenge of the running sale, so that phones around bind their tokens to it.

It speaks when a sale begins to gather, some time after the amount has changed, and then again and again; never while a
token is being heard, and it breaks off when one begins or when the gathering ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from device.decode.disturbance import Sound
from device.drivers.base import Speaker
from device.payment.views import CounterView, Phase
from device.ports import Clock, HealthState
from protocol import emv_qr
from protocol.emv_problems import EmvQrProblem
from protocol.waveform import modulate_challenge, modulate_challenge_high

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

RATE_HZ: Final = 48_000
SETTLED_MS: Final = 1_500
"""While goods are being scanned the challenge changes with each of them: it is played when they pause."""
ANSWER_MS: Final = 1_000
"""So long after a token was heard, the phone may be about to play another."""
LONGEST_HEARING_MS: Final = 3_000
"""A microphone that stops in the middle of a token must not silence the voice."""
LOOK_AGAIN_MS: Final = 500
"""A loudspeaker that is missing may be plugged in."""
AIR_MS: Final = 1_700
"""One challenge with what a loudspeaker puts before and after it, and the room behind it."""


class ChallengeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether and how the challenge is played."""

    band: Literal["audible", "high", "off"] = "audible"
    volume: Annotated[float, Meta(ge=0, le=1)] = 0.5
    every_s: Annotated[float, Meta(ge=2, le=60)] = 6.0
    """From one to the next."""


class Voice:
    """Plays challenges. Lives on the event loop; `run` works until cancelled."""

    def __init__(
        self, speakers: Sequence[Speaker], settings: ChallengeSettings, clock: Clock, *, deafen: Callable[[int], None]
    ) -> None:
        self._speakers = speakers if settings.band != "off" and settings.volume > 0 else ()
        self._settings = settings
        self._clock = clock
        self._deafen = deafen
        self._changed = asyncio.Event()
        self._sale = ""
        self._challenge = ""
        self._due_ms = 0
        self._hearing_since_ms: dict[str, int] = {}
        self._made: tuple[str, np.ndarray] | None = None
        self._speaking_until_ms = 0

    def follow(self, view: CounterView) -> None:
        """Follow a change of the counter."""
        sale = view.sale if view.in_service else None
        challenge = sale.challenge if sale is not None and sale.phase is Phase.GATHERING else ""
        if challenge == self._challenge:
            return
        self._challenge = challenge
        self._break_off()
        if sale is not None and challenge:
            now = self._clock.monotonic_ms()
            self._due_ms = now if sale.sale != self._sale else now + SETTLED_MS
            self._sale = sale.sale
        self._changed.set()

    def hear(self, device: str, sound: Sound) -> None:
        """Be silent while a microphone hears a token."""
        now = self._clock.monotonic_ms()
        if sound is Sound.BEGINS:
            self._hearing_since_ms[device] = now
            self._break_off()
        elif sound is Sound.OVER:
            self._hearing_since_ms.pop(device, None)
            self._due_ms = max(self._due_ms, now + ANSWER_MS)
        self._changed.set()

    async def run(self) -> None:
        """Play whenever it is time."""
        while self._speakers:
            self._changed.clear()
            await self.turn()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._wait_ms() / 1000 if self._challenge else None)

    async def turn(self) -> None:
        """Play if it is time."""
        if self._speakers and self._challenge and self._wait_ms() <= 0:
            await self._speak(self._challenge)

    def _wait_ms(self) -> int:
        now = self._clock.monotonic_ms()
        heard = [since + LONGEST_HEARING_MS for since in self._hearing_since_ms.values()]
        return max([self._due_ms, *heard]) - now

    async def _speak(self, challenge: str) -> None:
        working = [speaker for speaker in self._speakers if speaker.health.state is HealthState.WORKING]
        if not working:
            self._due_ms = self._clock.monotonic_ms() + LOOK_AGAIN_MS
            return
        samples = await self._samples(challenge)
        if samples is None or challenge != self._challenge or self._wait_ms() > 0:
            return
        now = self._clock.monotonic_ms()
        self._due_ms = now + round(1000 * self._settings.every_s)
        self._speaking_until_ms = now + AIR_MS
        self._deafen(self._speaking_until_ms)
        for speaker in working:
            speaker.play(samples, RATE_HZ)

    def _break_off(self) -> None:
        now = self._clock.monotonic_ms()
        if now >= self._speaking_until_ms:
            return
        self._speaking_until_ms = 0
        self._due_ms = now + ANSWER_MS
        for speaker in self._speakers:
            speaker.hush()

    async def _samples(self, challenge: str) -> np.ndarray | None:
        """Make the sound in a thread, once for all times that it is played."""
        if self._made is not None and self._made[0] == challenge:
            return self._made[1]
        try:
            payload = emv_qr.read_challenge_code(challenge).challenge.to_sound()
        except EmvQrProblem as error:
            log.error("the challenge cannot be played: %s", error)  # noqa: TRY400 - the sentence says it
            self._challenge = ""
            return None
        made = await asyncio.to_thread(self._modulated, payload)
        self._made = (challenge, made)
        return made

    def _modulated(self, payload: bytes) -> np.ndarray:
        modulate = modulate_challenge_high if self._settings.band == "high" else modulate_challenge
        scaled: np.ndarray = modulate(payload, RATE_HZ) * self._settings.volume
        return scaled
