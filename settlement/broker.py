"""The line to the broker: MQTT 5 over TLS with settlement's certificate.

Messages are served one after the other, in the order in which the broker gave them, so those of one terminal too, and
are acknowledged after they were served. What cannot be believed is refused with a line in the log and changes nothing.
The line comes back by itself, after pauses with full jitter.
"""

from __future__ import annotations

import logging
import queue
import random
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from keys.tls import client_context
from protocol import ids
from protocol.cbor import LARGEST_MESSAGE
from protocol.errors import ProtocolProblem
from protocol.topics import SETTLEMENT_USER, TerminalTopics, terminal_of
from settlement.config import Settings
from settlement.errors import Refused
from settlement.office import Outgoing

log = logging.getLogger(__name__)

Served = Callable[[str, bytes], list[Outgoing]]
"""Takes terminal and message, gives what goes down."""

_SESSION_S = 86_400
_IN_FLIGHT = 64
_KEEPALIVE_S = 20
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 15.0
_HEADROOM = 4096
"""Bytes of a packet around its message."""


class Broker:
    """Hears terminals and speaks to them. `start` and `stop` act."""

    def __init__(self, settings: Settings, desks: Mapping[str, Served]) -> None:
        """Take who serves which leaf of `.../up/`: "birth", "records", "questions"."""
        self._settings = settings
        self._desks = desks
        self._client: Client | None = None
        self._inbox: queue.SimpleQueue[tuple[int, MQTTMessage] | None] = queue.SimpleQueue()
        self._line = 0
        self._up = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def is_up(self) -> bool:
        """Tell whether the broker hears us."""
        return self._up.is_set()

    @property
    def line(self) -> int:
        """How often the broker has been reached; what terminals said between two lines may be lost."""
        return self._line

    def wait_up(self, timeout_s: float) -> bool:
        """Wait for the line; False when it does not come."""
        return self._up.wait(timeout_s)

    def start(self) -> None:
        """Begin to connect, in the background."""
        if self._threads:
            return
        self._stopping.clear()
        self._client = self._make_client()
        for work, name in ((self._keep_line, "broker-line"), (self._serve, "broker-desk")):
            thread = threading.Thread(target=work, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Serve what is being served, and hang up."""
        self._stopping.set()
        self._inbox.put(None)
        if self._client is not None:
            self._client.disconnect()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._client = None

    def send(self, messages: Sequence[Outgoing], *, qos: int = 1) -> None:
        """Publish; without a line the messages are dropped, because terminals ask again."""
        client = self._client
        if client is None or not self.is_up:
            return
        for message in messages:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = message.expires_s
            client.publish(message.topic, message.payload, qos=qos, properties=properties)

    def _make_client(self) -> Client:
        broker = self._settings.broker
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{SETTLEMENT_USER}-{self._settings.mall}",
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.tls_set_context(client_context(self._settings.authority, broker.certificate, broker.key))
        client.on_socket_open = _send_at_once
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._take
        return client

    def _keep_line(self) -> None:
        pause_s, was_said = _FIRST_PAUSE_S, False
        assert self._client is not None, "start makes the client"
        while not self._stopping.is_set():
            try:
                self._connect(self._client)
                self._client.loop_forever()
            except (OSError, ValueError) as error:
                level = logging.DEBUG if was_said else logging.WARNING
                log.log(level, "the broker cannot be reached: %s; trying on", error)
                was_said = True
            if self._up.is_set():
                pause_s, was_said = _FIRST_PAUSE_S, False
            self._up.clear()
            self._stopping.wait(random.uniform(0, pause_s))  # noqa: S311  # jitter is no secret
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _connect(self, client: Client) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _SESSION_S
        properties.ReceiveMaximum = _IN_FLIGHT
        properties.MaximumPacketSize = LARGEST_MESSAGE + _HEADROOM
        broker = self._settings.broker
        client.connect(broker.host, broker.port, keepalive=_KEEPALIVE_S, clean_start=False, properties=properties)

    def _connected(self, client: Client, _user: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            log.error("the broker refuses settlement: %s", reason)
            return
        if self._stopping.is_set():
            client.disconnect()
            return
        self._line += 1
        every = TerminalTopics(self._settings.mall, "+")
        leaves = ((every.birth, 1), (every.records, 1), (every.questions, 1), (every.presence, 0))
        client.subscribe([(topic, SubscribeOptions(qos=qos)) for topic, qos in leaves])
        self._up.set()
        log.info("connected to the broker at %s:%d", self._settings.broker.host, self._settings.broker.port)

    def _disconnected(self, _client: Client, _user: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if self._up.is_set() and not self._stopping.is_set():
            log.warning("the line to the broker is lost: %s", reason)
        self._line += 1

    def _take(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        self._inbox.put((self._line, message))

    def _serve(self) -> None:
        while (item := self._inbox.get()) is not None:
            line, message = item
            if line != self._line:
                continue
            self._serve_one(message.topic, bytes(message.payload))
            if message.qos and line == self._line and self._client is not None:
                self._client.ack(message.mid, message.qos)

    def _serve_one(self, topic: str, payload: bytes) -> None:
        terminal, leaf = terminal_of(topic), topic.rpartition("/")[2]
        if leaf == "presence":
            log.debug("presence of %s: %d bytes", terminal, len(payload))
            return
        if not ids.is_name(terminal) or leaf not in self._desks:
            log.warning("refused %d bytes on a topic that nobody serves", len(payload))
            return
        try:
            self.send(self._desks[leaf](terminal, payload))
        except (ProtocolProblem, Refused) as refused:
            log.warning("refused %d bytes of %s on %s: %s", len(payload), terminal, leaf, refused)
        except Exception:
            # The terminal keeps what has no receipt and sends it again; the desk must go on for the others.
            log.exception("a message of %s on %s could not be served", terminal, leaf)


def _send_at_once(_client: Client, _user: Any, connection: Any) -> None:
    """Switch Nagle's waiting off, which paho leaves on."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
