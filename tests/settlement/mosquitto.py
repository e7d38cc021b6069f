"""A real mosquitto on loopback with TLS and the access list of the mall; and a terminal's client."""

from __future__ import annotations

import queue
import time
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from town import Authority, Town, write_key, write_pem

from protocol.topics import access_list, beat_topic
from tillwave.testing.processes import Program, accepts, find_program, free_port


class Mosquitto:
    """The broker of a town; `start` and `stop` as often as wanted."""

    def __init__(self, town: Town) -> None:
        self.folder = town.folder / "broker"
        self.folder.mkdir()
        self.port = free_port()
        configuration = self.folder / "mosquitto.conf"
        command = (find_program("mosquitto") or "mosquitto", "-c", str(configuration))
        self.program = Program("mosquitto", command, self.folder / "log")
        certify(town.authority, self.folder, "broker", host="localhost")
        (self.folder / "acl").write_text(access_list(town.settings.mall))
        (self.folder / "acl").chmod(0o600)
        configuration.write_text(
            f"user root\nlistener {self.port} 127.0.0.1\ncafile {town.folder}/ca.crt\n"
            f"certfile {self.folder}/broker.crt\nkeyfile {self.folder}/broker.key\n"
            "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\n"
            f"acl_file {self.folder}/acl\nset_tcp_nodelay true\n"
        )
        broker = msgspec.structs.replace(town.settings.broker, host="localhost", port=self.port)
        http = msgspec.structs.replace(town.settings.http, port=free_port())
        town.change(broker=broker, http=http)

    def start(self) -> None:
        self.program.start(lambda: accepts(self.port))

    def stop(self) -> None:
        self.program.kill()


def certify(authority: Authority, folder: Path, name: str, host: str = "") -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    write_key(folder / f"{name}.key", key)
    write_pem(folder / f"{name}.crt", authority.issue(name, "tls", key.public_key(), host=host))


class Wire:
    """A terminal's line to the broker: what it publishes, and all that it hears."""

    def __init__(self, town: Town, name: str, port: int) -> None:
        folder = town.folder / f"wire-{name}"
        folder.mkdir()
        certify(town.authority, folder, name)
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.tls_set(str(town.folder / "ca.crt"), str(folder / f"{name}.crt"), str(folder / f"{name}.key"))
        self.client.on_message = self._hear
        mall = town.settings.mall
        topics = [(f"tillwave/1/{mall}/{name}/down/#", 1), (beat_topic(mall), 0)]
        self.client.on_connect = lambda client, *_: client.subscribe(topics)
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("localhost", port, keepalive=20)
        self.client.loop_start()
        self.up = f"tillwave/1/{mall}/{name}/up"

    def send(self, leaf: str, payload: bytes) -> None:
        self.client.publish(f"{self.up}/{leaf}", payload, qos=1)

    def wait(self, leaf: str, seconds: float = 40) -> bytes:
        """Give the next message whose topic ends so."""
        deadline = time.monotonic() + seconds
        while True:
            topic, payload = self.heard.get(timeout=max(deadline - time.monotonic(), 0.01))
            if topic.endswith(leaf):
                return payload

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _hear(self, _client: Client, _user: object, message: MQTTMessage) -> None:
        self.heard.put((message.topic, bytes(message.payload)))
