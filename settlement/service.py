"""The one place that puts settlement together and starts it."""

from __future__ import annotations

import logging
import secrets
import signal
import threading
from datetime import datetime
from types import FrameType

from keys.certificates import CertificateUnusable, OutOfDate, check_dates, load_certificate
from keys.file import FileKey
from protocol import service_manager, topics
from protocol.answers import Beat, seal_answer
from settlement.acquirers.house_wallet import SCHEME, HouseWallet
from settlement.broker import Broker
from settlement.config import Settings
from settlement.intake import Intake
from settlement.office import Office, Outgoing
from settlement.phones import PhoneDesk
from settlement.questions import InformationDesk
from settlement.server.app import PhoneServer
from settlement.server.listener import Listener
from settlement.store import Store
from settlement.terminals import Terminals

log = logging.getLogger(__name__)

_SESSION_BYTES = 16
_BEAT_EXPIRES_S = 5


class Service:
    """Settlement as it runs: database, desks, broker, phones, heartbeat."""

    def __init__(self, office: Office) -> None:
        settings = office.settings
        self._office = office
        self.store = Store(settings.database_url)
        known = Terminals(load_certificate(settings.authority), settings.revoked, office.clock)
        self.intake = Intake(office, self.store, known)
        self.desk = InformationDesk(office, self.store, known)
        desks = {
            "birth": self.intake.take_birth,
            "records": self.intake.take_run,
            "questions": self.desk.take_question,
        }
        self.broker = Broker(settings, desks)
        house = office.acquirers[SCHEME]
        assert isinstance(house, HouseWallet), "the house wallet serves its own scheme"
        self.phones = PhoneDesk(office, self.store, house)
        server = PhoneServer(office, self.store, self.phones, self._announce)
        self.listener = Listener(settings.http, server.app())
        self._heart = Heart(office, self.broker)

    def start(self) -> None:
        """Open the database, listen, connect, beat. What cannot be reached yet is tried again."""
        try:
            self.store.start()
            self.listener.start()
            self.broker.start()
            self._heart.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop in an order that loses nothing; twice is harmless."""
        self._heart.stop()
        self.broker.stop()
        self.listener.stop()
        self.store.stop()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; tells systemd how it goes."""
        over = threading.Event()

        def end(_number: int, _frame: FrameType | None) -> None:
            over.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        self.start()
        try:
            service_manager.notify("READY=1")
            log.info("settlement of mall %s is at work", self._office.settings.mall)
            while not over.wait(service_manager.watchdog_interval_s()):
                service_manager.notify("WATCHDOG=1")
        finally:
            service_manager.notify("STOPPING=1")
            self.stop()
        log.info("settlement has stopped")

    def _announce(self, terminal: str, decision: bytes) -> None:
        self.broker.send(self.intake.decided(terminal, [decision]))


class Heart:
    """Says in signed words that settlement is alive, every few seconds.

    A session lasts as long as one line to the broker. A new one makes terminals introduce themselves again, because a
    broker that died has forgotten what they said before settlement was back.
    """

    def __init__(self, office: Office, broker: Broker) -> None:
        self._office = office
        self._broker = broker
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to beat."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Fall silent."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._thread = None

    def _beat(self) -> None:
        settings = self._office.settings
        line, session, number = 0, secrets.token_bytes(_SESSION_BYTES), 0
        self._broker.wait_up(settings.beat_s)
        while not self._stopping.is_set():
            if line != self._broker.line:
                line, session, number = self._broker.line, secrets.token_bytes(_SESSION_BYTES), 0
            number += 1
            beat = Beat(mall=settings.mall, session=session, number=number, at_ms=self._office.clock.now_ms())
            message = seal_answer(beat, self._office.signer)
            self._broker.send([Outgoing(topics.beat_topic(settings.mall), message, _BEAT_EXPIRES_S)], qos=0)
            self._stopping.wait(settings.beat_s)


def check_files(settings: Settings, at: datetime) -> None:
    """Refuse to start without the files that the settings name, or with certificates that are not good now.

    CertificateMissing, CertificateUnusable, OutOfDate, or another KeyProblem.
    """
    for path in (settings.authority, settings.certificate, settings.broker.certificate):
        try:
            check_dates(load_certificate(path), at)
        except OutOfDate as error:
            raise CertificateUnusable(f"{path}: {error}") from error
    FileKey.load(settings.broker.key)
