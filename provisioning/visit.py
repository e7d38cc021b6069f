"""One visit of a terminal at the broker, to see whether it is let in, may speak and is heard by settlement.

The broker keeps a session for a terminal that is away. A visit leaves it as it was: it resumes the session, takes
nothing out of it, and ends one that it has begun.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from provisioning.mall import BrokerAddress

SESSION_S = 7 * 24 * 3600
_PATIENCE_S = 5.0
_KEEP_ALIVE_S = 15
_CLOSED = "the connection was closed"


class VisitFailed(Exception):
    """The broker said no, or nothing."""


@dataclass(slots=True)
class _Waiting:
    """One answer that is waited for."""

    event: threading.Event
    answer: str | None = None

    def give(self, answer: str) -> None:
        if not self.event.is_set():
            self.answer = answer
            self.event.set()


class Visit:
    """A connection that asks one thing at a time; `with` it."""

    def __init__(self, address: BrokerAddress, name: str, context: ssl.SSLContext) -> None:
        self._address = address
        self._waiting = _Waiting(threading.Event())
        self._session_was_there = False
        self._on_message: Callable[[mqtt.MQTTMessage], None] = lambda _: None
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._client.tls_set_context(context)
        self._client.connect_timeout = _PATIENCE_S
        self._client.on_connect = self._connect_answered
        self._client.on_disconnect = self._disconnected
        self._client.on_subscribe = self._subscribe_answered
        self._client.on_publish = self._publish_answered
        self._client.on_message = self._message

    def __enter__(self) -> Self:
        """Connect; VisitFailed if the broker refuses, OSError if it cannot be reached."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_S
        self._client.connect(
            self._address.host, self._address.port, _KEEP_ALIVE_S, clean_start=False, properties=properties
        )
        self._client.loop_start()
        try:
            self._expect(_PATIENCE_S)
        except VisitFailed:
            self._client.loop_stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Disconnect, and end the session unless it was there before."""
        properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_S if self._session_was_there else 0
        self._client.disconnect(properties=properties)
        self._client.loop_stop()

    def publish(self, topic: str) -> None:
        """Publish an empty message with QoS 1; VisitFailed unless the broker takes it."""
        self._ask(lambda: self._client.publish(topic, b"", qos=1))

    def hear(self, topic: str, accept: Callable[[bytes], bool], patience_s: float) -> None:
        """Subscribe with QoS 0 and wait for a message that `accept` takes; VisitFailed if none comes in time."""
        heard = _Waiting(threading.Event())

        def listen(message: mqtt.MQTTMessage) -> None:
            if message.topic == topic and accept(bytes(message.payload)):
                heard.give("")

        self._on_message = listen
        self._ask(lambda: self._client.subscribe(topic, qos=0))
        self._waiting = heard
        self._expect(patience_s)

    def _ask(self, question: Callable[[], Any]) -> None:
        self._waiting = _Waiting(threading.Event())
        question()
        self._expect(_PATIENCE_S)

    def _expect(self, patience_s: float) -> None:
        waiting = self._waiting
        if not waiting.event.wait(patience_s):
            raise VisitFailed(f"nothing came within {patience_s:g} s")
        if waiting.answer:
            raise VisitFailed(waiting.answer)

    def _connect_answered(self, _client: Any, _user: Any, flags: Any, reason: Any, _properties: Any) -> None:
        self._session_was_there = bool(flags.session_present)
        self._answer(reason)

    def _subscribe_answered(self, _client: Any, _user: Any, _number: Any, reasons: Any, _properties: Any) -> None:
        self._answer(reasons[0])

    def _publish_answered(self, _client: Any, _user: Any, _number: Any, reason: Any, _properties: Any) -> None:
        self._answer(reason)

    def _answer(self, reason: Any) -> None:
        self._waiting.give(str(reason) if reason.is_failure else "")

    def _disconnected(self, _client: Any, _user: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._waiting.give(f"{_CLOSED} ({reason})")

    def _message(self, _client: Any, _user: Any, message: mqtt.MQTTMessage) -> None:
        self._on_message(message)
