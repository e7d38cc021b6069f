"""Nexo at this terminal: its certificate, passphrases, log and listener, started and stopped together."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from pathlib import Path

from device.payment.views import Desk
from device.ports import Clock, Randomness
from device.server.nexo.certificate import make_certificate, name_for
from device.server.nexo.log import MessageLog
from device.server.nexo.passphrases import Passphrases
from device.server.nexo.service import NexoService
from device.server.nexo.side import make_nexo_app
from device.server.serve import serve
from device.server.shown import Json

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NexoPlace:
    """Where nexo is spoken."""

    terminal: str
    state: Path
    host: str
    port: int
    certificate_name: str = ""


class NexoListener:
    """Speaks nexo until it is cancelled."""

    def __init__(self, desk: Desk, place: NexoPlace, *, clock: Clock, randomness: Randomness) -> None:
        self._desk = desk
        self._place = place
        self._clock = clock
        self._randomness = randomness
        self._passphrases = Passphrases(place.state / "nexo.json", place.terminal, clock, randomness)
        self._port = 0

    @property
    def port(self) -> int:
        """Where it listens; 0 before it does."""
        return self._port

    def start(self) -> None:
        """Read who has paired, and make a certificate if there is none; KeyringDamaged or CannotListen otherwise."""
        self._passphrases.start()
        self._files()

    def introduce(self, register: str) -> Json:
        """Give a register what it needs, with a new version of its passphrase."""
        issued = self._passphrases.issue(register)
        certificate, _ = self._files()
        return {
            "poi_id": self._place.terminal,
            "sale_id": register,
            "key_identifier": issued.identifier,
            "key_version": issued.version,
            "passphrase": issued.text,
            "certificate": certificate.read_text("ascii"),
            "port": self._port or self._place.port,
        }

    async def run(self) -> None:
        """Listen until cancelled."""
        place = self._place
        message_log = MessageLog(place.state / "nexo.db", self._clock)
        message_log.start()
        try:
            service = NexoService(
                self._desk,
                self._passphrases,
                message_log,
                terminal=place.terminal,
                clock=self._clock,
                randomness=self._randomness,
            )
            certificate, key = self._files()
            await serve(
                make_nexo_app(service), place.host, place.port, certificate=certificate, key=key, ready=self._ready
            )
        finally:
            message_log.stop()

    def _ready(self, port: int) -> None:
        self._port = port
        log.info("nexo at %s:%d", self._place.host, port)

    def _files(self) -> tuple[Path, Path]:
        place = self._place
        name = place.certificate_name or name_for(place.terminal)
        now = dt.datetime.fromtimestamp(self._clock.wall().ms / 1000, dt.UTC)
        return make_certificate(place.state, name, (place.host,), now)
