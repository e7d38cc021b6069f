"""A connection to the broker that comes back by itself: MQTT 5 over TLS with a client certificate.

paho-mqtt's network thread lives as long as one connection; everything it brings is handed to the event loop. Nothing is
queued here: what the broker has not acknowledged is still in the journal.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from keys.tls import client_context
from protocol import cbor

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
_CONNECT_TIMEOUT_S = 5.0
_KEEP_ALIVE_S = 15
_SESSION_EXPIRY_S = 7 * 24 * 3600
"""So long the broker keeps decisions for a terminal that is away."""
_PATIENT = 10
"""Failures that a refusal counts as, which trying again soon cannot change."""
_FINAL_REFUSALS = frozenset({"Not authorized", "Bad user name or password", "Banned", "Client identifier not valid"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """Where the broker is and who we are to it."""

    host: str
    port: int
    client_id: str
    authority: Path
    certificate: Path
    key: Path
    filters: tuple[str, ...]
    """Topics to hear."""
    will_topic: str
    will: bytes


class LinkUser(Protocol):
    """Who lives on a link; called on the event loop."""

    def link_up(self) -> None:
        """The link is connected and subscribed."""

    def link_down(self) -> None:
        """The link is gone; it is being made anew."""

    def link_message(self, topic: str, payload: bytes) -> None:
        """A message came."""


class LinkRefused(Exception):
    """The broker does not want us; `patient` tells that trying again soon is no use."""

    def __init__(self, text: str, *, patient: bool = False) -> None:
        self.patient = patient
        super().__init__(text)


class Link:
    """Keeps one connection to the broker for as long as `run` runs."""

    def __init__(self, settings: LinkSettings, user: LinkUser) -> None:
        self._settings = settings
        self._user = user
        self._client: mqtt.Client | None = None
        self._up = False

    @property
    def up(self) -> bool:
        """Connected and subscribed."""
        return self._up

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message to the connection with QoS 1; False if there is none."""
        if self._client is None or not self._up:
            return False
        return self._client.publish(topic, payload, qos=1, retain=retain).rc == mqtt.MQTT_ERR_SUCCESS

    async def run(self, last_word: Callable[[], tuple[str, bytes]]) -> None:
        """Connect again and again until cancelled; then say `last_word()` (retained) and disconnect."""
        failures = 0
        try:
            while True:
                reason, failures = await self._try_once(failures)
                await self._drop()
                delay = jittered_delay_s(failures)
                level = logging.WARNING if failures <= 1 else logging.DEBUG
                log.log(level, "broker %s:%d: %s; again in %.1f s", *self._address, reason, delay)
                await asyncio.sleep(delay)
        finally:
            await self._say(last_word)
            await self._drop()

    @property
    def _address(self) -> tuple[str, int]:
        return self._settings.host, self._settings.port

    async def _try_once(self, failures: int) -> tuple[str, int]:
        try:
            await self._live()
        except LinkRefused as error:
            return str(error), _PATIENT if error.patient else failures + 1
        except OSError as error:
            return str(error) or type(error).__name__, failures + 1
        return "the connection was lost", 0

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        greeted: asyncio.Future[None] = loop.create_future()
        self._client = client = self._make_client(loop, greeted, ended)
        await asyncio.to_thread(self._connect, client)
        client.loop_start()
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await greeted
        except TimeoutError as error:
            raise LinkRefused("the broker does not answer") from error
        log.info("connected to the broker %s:%d", *self._address)
        self._up = True
        self._user.link_up()
        await ended.wait()

    async def _drop(self) -> None:
        client, self._client = self._client, None
        was_up, self._up = self._up, False
        if client is not None:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)
        if was_up:
            self._user.link_down()

    async def _say(self, last_word: Callable[[], tuple[str, bytes]]) -> None:
        if self._client is None or not self._up:
            return
        topic, payload = last_word()
        info = self._client.publish(topic, payload, qos=1, retain=True)
        await asyncio.to_thread(_wait_briefly, info)

    def _make_client(
        self, loop: asyncio.AbstractEventLoop, greeted: asyncio.Future[None], ended: asyncio.Event
    ) -> mqtt.Client:
        settings = self._settings
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        client.tls_set_context(client_context(settings.authority, settings.certificate, settings.key))
        client.connect_timeout = _CONNECT_TIMEOUT_S
        client.will_set(settings.will_topic, settings.will, qos=1, retain=True)

        def on_connect(client: mqtt.Client, _user: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
            if reason.is_failure:
                refusal = LinkRefused(f"the broker refuses: {reason}", patient=str(reason) in _FINAL_REFUSALS)
                loop.call_soon_threadsafe(_fail, greeted, refusal)
                return
            options = SubscribeOptions(qos=1)
            client.subscribe([(topic, options) for topic in settings.filters])

        def on_subscribe(*_: Any) -> None:
            loop.call_soon_threadsafe(_succeed, greeted)

        def on_message(_client: mqtt.Client, _user: Any, message: mqtt.MQTTMessage) -> None:
            loop.call_soon_threadsafe(self._hear, client, message.topic, bytes(message.payload))

        def on_disconnect(*_: Any) -> None:
            loop.call_soon_threadsafe(ended.set)
            loop.call_soon_threadsafe(_fail, greeted, LinkRefused("the broker closed the connection"))

        client.on_socket_open = _send_at_once
        client.on_connect = on_connect
        client.on_subscribe = on_subscribe
        client.on_message = on_message
        client.on_disconnect = on_disconnect
        return client

    def _connect(self, client: mqtt.Client) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _SESSION_EXPIRY_S
        properties.MaximumPacketSize = cbor.LARGEST_MESSAGE
        client.connect(
            self._settings.host, self._settings.port, _KEEP_ALIVE_S, clean_start=False, properties=properties
        )

    def _hear(self, client: mqtt.Client, topic: str, payload: bytes) -> None:
        if client is self._client:
            self._user.link_message(topic, payload)


def jittered_delay_s(failures: int) -> float:
    """Draw a waiting time between zero and a bound that doubles with every failure (full jitter)."""
    bound = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** min(failures, 10))
    return random.uniform(0, bound)  # noqa: S311 - spreads load, guards nothing


def _send_at_once(_client: mqtt.Client, _user: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _succeed(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _fail(future: asyncio.Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()


def _wait_briefly(info: mqtt.MQTTMessageInfo) -> None:
    try:
        info.wait_for_publish(1.0)
    except (RuntimeError, ValueError) as error:
        log.debug("the last word did not reach the broker: %s", error)
