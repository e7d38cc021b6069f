"""A mall provisioned the way a technician does it, and a broker that runs on what was written."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from paho.mqtt import client as mqtt

from provisioning.authority import Authority
from provisioning.broker import provision_broker
from provisioning.mall import BrokerAddress, Mall, Merchant
from provisioning.settlement import provision_settlement
from provisioning.terminal import provision_terminal
from tillwave.testing.processes import Program, accepts, find_program, free_port

NOW = datetime.now(UTC)
MALL = Mall(
    name="demo", currency="CNY", merchant=Merchant(name="Jade Tea", city="Hangzhou", country="CN", category_code="5814")
)


@dataclass(frozen=True)
class ProvisionedMall:
    folder: Path
    authority: Authority
    address: BrokerAddress
    terminals: tuple[str, ...] = field(default=("t1", "t2"))

    @property
    def broker_configuration(self) -> Path:
        return self.folder / "broker" / "mosquitto.conf"


def provision(folder: Path) -> ProvisionedMall:
    authority = Authority.create(folder / "authority", MALL, at=NOW)
    address = BrokerAddress("localhost", free_port())
    provision_broker(folder / "broker", authority, address, at=NOW)
    provision_settlement(folder / "settlement", authority, at=NOW)
    mall = ProvisionedMall(folder, authority, address)
    for name in mall.terminals:
        provision_terminal(folder / name, name, authority, at=NOW)
    return mall


@contextlib.contextmanager
def running_broker(configuration: Path, port: int):
    """Start mosquitto, wait until it listens, give the file of its log."""
    command = (find_program("mosquitto") or "mosquitto", "-c", str(configuration))
    program = Program("mosquitto", command, configuration.with_suffix(".log"))
    try:
        program.start(lambda: accepts(port))
        yield program.log
    finally:
        program.stop()


class Peer:
    """An MQTT client with any certificate, that remembers what it was told."""

    def __init__(self, address: BrokerAddress, folder: Path | None, *, client_id: str = "", host: str = "") -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.refusal = ""
        self._answered = threading.Event()
        self._reason = ""
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        self._client.on_connect = lambda _c, _u, _f, reason, _p: self._answer(reason)
        self._client.on_disconnect = lambda _c, _u, _f, reason, _p: self._answer(reason, gone=True)
        self._client.on_publish = lambda _c, _u, _n, reason, _p: self._answer(reason)
        self._client.on_subscribe = lambda _c, _u, _n, reasons, _p: self._answer(reasons[0])
        self._client.on_message = lambda _c, _u, message: self.heard.append((message.topic, message.payload))
        self._address, self._folder, self._host = address, folder, host or address.host

    def context(self, *, authority: str = "ca.crt", certificate: str = "tls.crt", key: str = "tls.key"):
        context = ssl.create_default_context(cafile=str(self._folder / authority))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        context.load_cert_chain(self._folder / certificate, self._folder / key)
        return context

    def connect(self, context: ssl.SSLContext | None = None, **session) -> str:
        """Connect and give the broker's word; OSError if TLS fails."""
        self._client.tls_set_context(context or self.context())
        self._client.connect(self._host, self._address.port, 10, **session)
        self._client.loop_start()
        return self._wait()

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> str:
        self._answered.clear()
        self._client.publish(topic, payload, 1, retain=retain)
        return self._wait()

    def subscribe(self, topic: str) -> str:
        self._answered.clear()
        self._client.subscribe(topic, 1)
        return self._wait()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait_until_heard(self, count: int) -> list[tuple[str, bytes]]:
        return self.wait_until(lambda heard: len(heard) >= count)

    def wait_until(self, enough) -> list[tuple[str, bytes]]:
        for _ in range(100):
            if enough(self.heard):
                break
            time.sleep(0.02)
        return self.heard

    def _wait(self) -> str:
        assert self._answered.wait(5), "the broker says nothing"
        return self._reason

    def _answer(self, reason, *, gone: bool = False) -> None:
        self._reason = f"gone: {reason}" if gone else str(reason)
        self._answered.set()
