"""The way to settlement over a real mosquitto with TLS; the other end is a small settlement with real keys."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from device.payment.journal import Journal
from device.ports import SystemClock, SystemRandomness, WallTime
from device.uplink.link import LinkSettings
from device.uplink.uplink import Identity, Uplink
from keys.certificates import load_certificate, public_key_of
from keys.file import FileKey
from protocol import answers, questions, transport
from protocol.answers import Beat, Decision, Receipt
from protocol.chain import BEGINNING, Head
from protocol.money import Money
from protocol.questions import Answer, MemberAnswer, MemberQuestion
from protocol.records import Action, Record, Started, Verdict, open_record
from protocol.topics import TerminalTopics, beat_topic
from provisioning.authority import Authority
from provisioning.broker import provision_broker
from provisioning.mall import BrokerAddress, Mall, Merchant
from provisioning.settlement import provision_settlement
from provisioning.terminal import provision_terminal
from tillwave.testing.processes import Program, accepts, free_port

pytestmark = pytest.mark.broker

TOPICS = TerminalTopics("demo", "t1")


class MovableClock:
    """The machine's clock, which can be pushed forward."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self.ahead_ms = 0

    def wall(self) -> WallTime:
        return self._clock.wall()

    def monotonic_ms(self) -> int:
        return self._clock.monotonic_ms() + self.ahead_ms

    def boot_id(self) -> bytes:
        return self._clock.boot_id()


@dataclass
class Place:
    """A provisioned mall with its broker."""

    folder: Path
    port: int
    broker: Program

    @property
    def device(self) -> Path:
        return self.folder / "t1"

    @property
    def settlement(self) -> Path:
        return self.folder / "settlement"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, port, now = tmp_path_factory.mktemp("mall"), free_port(), datetime.now(UTC)
    mall = Mall(name="demo", currency="CNY", merchant=Merchant(name="Tea", city="Hangzhou", country="CN"))
    authority = Authority.create(folder / "authority", mall, at=now)
    configuration = provision_broker(folder / "broker", authority, BrokerAddress("localhost", port), at=now)
    provision_settlement(folder / "settlement", authority, at=now)
    provision_terminal(folder / "t1", "t1", authority, at=now)
    broker = Program("broker", ("mosquitto", "-c", str(configuration)), folder / "broker.log")
    broker.start(lambda: accepts(port))
    yield Place(folder, port, broker)
    broker.stop()


@dataclass
class SmallSettlement:
    """Keeps the chain of one terminal and says what it is told to say."""

    place: Place
    signer: FileKey
    head: Head = field(default_factory=Head)
    births: int = 0
    records: list[Record] = field(default_factory=list)
    presence: list[bytes] = field(default_factory=list)
    silent: bool = False
    session: bytes = b"session1"
    _beats: int = 0

    def __post_init__(self) -> None:
        self._terminal_key = public_key_of(load_certificate(self.place.device / "record.crt"))
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="settlement", protocol=mqtt.MQTTv5)
        context = ssl.create_default_context(cafile=str(self.place.settlement / "ca.crt"))
        context.load_cert_chain(self.place.settlement / "tls.crt", self.place.settlement / "tls.key")
        self._client.tls_set_context(context)
        self._client.on_connect = lambda *_: self._client.subscribe("tillwave/1/demo/+/up/#", 1)
        self._client.on_message = self._on_message

    def start(self) -> None:
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("localhost", self.place.port)
        self._client.loop_start()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def beat(self) -> None:
        self._beats += 1
        now = int(time.time() * 1000) + self._beats
        self.say(beat_topic("demo"), Beat(mall="demo", session=self.session, number=self._beats, at_ms=now))

    def say(self, topic: str, value: Any, signer: FileKey | None = None) -> None:
        self._client.publish(topic, answers.seal_answer(value, signer or self.signer), qos=1)

    def receipt(self) -> Receipt:
        return Receipt(terminal="t1", number=self.head.number, hash=self.head.hash, at_ms=int(time.time() * 1000))

    def _on_message(self, _client: Any, _user: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic == TOPICS.birth:
            _birth, envelope = transport.read_birth(message.payload)
            transport.verify_birth(envelope, self._terminal_key)
            self.births += 1
        elif message.topic == TOPICS.presence:
            self.presence.append(message.payload)
        elif message.topic == TOPICS.questions:
            self._answer(message.payload)
        elif message.topic == TOPICS.records:
            self._keep(message.payload)

    def _answer(self, payload: bytes) -> None:
        question = questions.open_question(payload, self._terminal_key)
        body = MemberAnswer(member="m1", name="Li", discount_basis_points=500, reason="")
        answer = Answer(terminal="t1", question=question.question, at_ms=1, body=body)
        self._client.publish(TOPICS.answers, questions.seal_answer(answer, self.signer), qos=1)

    def _keep(self, payload: bytes) -> None:
        for sealed in transport.unpack_run(payload):
            record = open_record(sealed, self._terminal_key)
            if record.number == self.head.number + 1:
                self.head = self.head.follow(record, sealed)
                self.records.append(record)
        if not self.silent:
            self.say(TOPICS.receipts, self.receipt())


class Listener:
    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.forks = 0

    def chain_forked(self) -> None:
        self.forks += 1

    def decided(self, decision: Decision) -> None:
        self.decisions.append(decision)

    def line_changed(self) -> None:
        pass


@dataclass
class Bench:
    uplink: Uplink
    journal: Journal
    settlement: SmallSettlement
    clock: MovableClock
    listener: Listener
    place: Place

    def write(self, count: int = 1) -> None:
        for _ in range(count):
            self.journal.commit((Started(software="test", settings=b"x"),))
        self.uplink.flush()

    async def until(self, condition: Callable[[], bool], patience_s: float = 10.0) -> None:
        async with asyncio.timeout(patience_s):
            while not condition():
                self.settlement.beat()
                await asyncio.sleep(0.05)


def run_story(place: Place, tmp_path: Path, story: Callable[[Bench], Any]) -> None:
    asyncio.run(_run_story(place, tmp_path, story))


async def _run_story(place: Place, tmp_path: Path, story: Callable[[Bench], Any]) -> None:
    clock, listener = MovableClock(), Listener()
    signer = FileKey.load(place.device / "record.key")
    certificate = load_certificate(place.device / "record.crt")
    journal = Journal(tmp_path / "journal.db", "t1", signer, clock)
    settlement = SmallSettlement(place, FileKey.load(place.settlement / "settlement.key"))
    identity = Identity(
        mall="demo",
        terminal="t1",
        software="test",
        signer=signer,
        certificate=certificate.public_bytes(Encoding.DER),
        settlement_key=settlement.signer.public_key,
    )
    link = LinkSettings(
        host="localhost",
        port=place.port,
        client_id="t1",
        authority=place.device / "ca.crt",
        certificate=place.device / "tls.crt",
        key=place.device / "tls.key",
        filters=(TOPICS.all_down, beat_topic("demo")),
        will_topic=TOPICS.presence,
        will=b"lost",
    )
    journal.start()
    uplink = Uplink(identity, link, journal=journal, clock=clock, randomness=SystemRandomness())
    uplink.attach(listener)
    settlement.start()
    task = asyncio.create_task(uplink.run())
    try:
        await story(Bench(uplink, journal, settlement, clock, listener, place))
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        settlement.stop()
        journal.stop()


def test_records_go_up_in_order_and_the_receipt_empties_the_queue(place: Place, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.write(150)
        assert bench.journal.queue == 150
        await bench.until(lambda: bench.journal.queue == 0 and bench.uplink.online)
        assert [record.number for record in bench.settlement.records] == list(range(1, 151))

    run_story(place, tmp_path, story)


def test_without_a_receipt_everything_is_sent_again(place: Place, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.settlement.silent = True
        bench.write(3)
        await bench.until(lambda: len(bench.settlement.records) == 3)
        assert bench.journal.queue == 3
        bench.settlement.silent = False
        bench.clock.ahead_ms += 6_000
        await bench.until(lambda: bench.journal.queue == 0)

    run_story(place, tmp_path, story)


def test_a_forged_receipt_and_a_forged_decision_change_nothing(place: Place, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.settlement.silent = True
        bench.write(1)
        await bench.until(lambda: len(bench.settlement.records) == 1)
        stranger = FileKey.create(tmp_path / "stranger.key")
        bench.settlement.say(TOPICS.receipts, bench.settlement.receipt(), stranger)
        bench.settlement.say(TOPICS.decisions, decision("t1"), stranger)
        bench.settlement.say(TOPICS.decisions, decision("t2"))
        bench.settlement.say(TOPICS.decisions, decision("t1"))
        await bench.until(lambda: bool(bench.listener.decisions))
        assert bench.listener.decisions == [decision("t1")]
        assert bench.journal.queue == 1

    run_story(place, tmp_path, story)


def test_a_receipt_for_another_chain_is_not_believed(place: Place, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.settlement.silent = True
        bench.write(1)
        await bench.until(lambda: len(bench.settlement.records) == 1)
        foreign = Receipt(terminal="t1", number=1, hash=b"?" * 32, at_ms=int(time.time() * 1000))
        bench.settlement.say(TOPICS.receipts, foreign)
        bench.settlement.say(TOPICS.decisions, decision("t1"))
        await bench.until(lambda: bool(bench.listener.decisions))
        assert bench.journal.queue == 1
        assert bench.listener.forks == 1, "the counter is told"

    run_story(place, tmp_path, story)


def test_settlement_that_lost_everything_gets_everything_again(place: Place, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.write(5)
        await bench.until(lambda: bench.journal.queue == 0)
        bench.settlement.head, bench.settlement.records = Head(0, BEGINNING), []
        bench.settlement.session = b"session2"
        await bench.until(lambda: bench.settlement.births >= 2)
        bench.settlement.say(TOPICS.receipts, bench.settlement.receipt())
        await bench.until(lambda: len(bench.settlement.records) == 5)

    run_story(place, tmp_path, story)


def test_a_broker_killed_and_started_again_loses_nothing(place: Place, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.write(1)
        await bench.until(lambda: bench.journal.queue == 0)
        shown = len(bench.settlement.presence)
        bench.place.broker.kill()
        bench.write(2)
        async with asyncio.timeout(10):
            while bench.uplink.online:
                await asyncio.sleep(0.05)
        assert bench.journal.queue == 2
        bench.place.broker.start(lambda: accepts(bench.place.port))
        await bench.until(lambda: bench.journal.queue == 0, 20)
        assert b"online" in bench.settlement.presence[shown:][-1], "presence is said again"

    run_story(place, tmp_path, story)


def test_a_silent_settlement_is_offline_though_the_broker_is_there(place: Place, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.write(1)
        await bench.until(lambda: bench.journal.queue == 0 and bench.uplink.online)
        bench.clock.ahead_ms += 10_001
        assert not bench.uplink.online
        assert await bench.uplink.ask(MemberQuestion(sale="s", code="TWM:X"), 1.0) is None

    run_story(place, tmp_path, story)


def test_an_old_beat_played_again_does_not_bring_us_online(place: Place, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        old = Beat(mall="demo", session=b"session1", number=1, at_ms=int(time.time() * 1000))
        await bench.until(lambda: bench.uplink.online)
        bench.clock.ahead_ms += 20_000
        bench.settlement.say(beat_topic("demo"), old)
        bench.settlement.say(TOPICS.decisions, decision("t1"))
        async with asyncio.timeout(5):
            while not bench.listener.decisions:
                await asyncio.sleep(0.02)
        assert not bench.uplink.online

    run_story(place, tmp_path, story)


def test_a_question_is_answered(place: Place, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        await bench.until(lambda: bench.uplink.online)
        answer = await bench.uplink.ask(MemberQuestion(sale="s", code="TWM:X"), 5.0)
        assert answer == MemberAnswer(member="m1", name="Li", discount_basis_points=500, reason="")

    run_story(place, tmp_path, story)


def decision(terminal: str) -> Decision:
    return Decision(
        terminal=terminal,
        sale="a" * 16,
        subject="b" * 16,
        action=Action.PAY,
        verdict=Verdict.APPROVED,
        amount=Money(100, "CNY"),
        reason="",
        payer="",
        at_ms=1,
    )
