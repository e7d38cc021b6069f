"""The broker's folder: key, certificate, access list and configuration of a mosquitto that knows its clients.

mosquitto -c FOLDER/mosquitto.conf
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from keys.file import FileKey
from keys.requests import make_request
from protocol import topics
from provisioning.authority import Authority
from provisioning.errors import BadName
from provisioning.files import given_to, make_folder, refuse_existing, write_new
from provisioning.issuing import to_pem
from provisioning.mall import BROKER_NAME, LOOPBACK, BrokerAddress, is_address
from provisioning.roles import Role

_KEY, _CERTIFICATE, _AUTHORITY, _ACCESS, _CONFIGURATION = (
    "broker.key",
    "broker.crt",
    "ca.crt",
    "access.acl",
    "mosquitto.conf",
)

_TEMPLATE = """\
# The broker of mall {mall}. Start it with: mosquitto -c {folder}/{configuration}
# It keeps nothing: journals are the queues, and only settlement's signed receipts empty them.

listener {port} {listen}
cafile {folder}/{authority}
certfile {folder}/{certificate}
keyfile {folder}/{key}
tls_version tlsv1.2
ciphers ECDHE+AESGCM:ECDHE+CHACHA20

# Clients are known by the common name of their certificate, which the access list goes by.
require_certificate true
use_identity_as_username true
allow_anonymous false

# One session for each certificate: nobody can take over another's session by calling himself like him.
use_username_as_clientid true
acl_file {folder}/{access}

# Read after privileges are dropped to this user, who owns the key.
user {user}

persistence false
set_tcp_nodelay true
max_packet_size 1048576
max_inflight_messages 100
max_queued_messages 1000
max_queued_bytes 16777216
memory_limit 268435456
max_keepalive 120
persistent_client_expiration 7d

log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
log_timestamp_format %Y-%m-%dT%H:%M:%S
connection_messages true
"""


def provision_broker(
    folder: Path,
    authority: Authority,
    address: BrokerAddress,
    *,
    at: datetime,
    listen: str = "127.0.0.1",
    names: Sequence[str] = (),
    user: str | None = None,
) -> Path:
    """Make the broker's folder and give its mosquitto.conf; from then on the authority hands out `address`.

    `address` is what clients call, `names` are further names of the certificate, `listen` is the IP address it binds.
    mosquitto started as root drops to `user`, to whom the folder is given; without one it is whoever calls this.
    """
    _check(listen, user)
    folder = make_folder(folder)
    if "\n" in str(folder):
        raise BadName("mosquitto cannot read from a folder whose name has line breaks")
    refuse_existing(folder, (_KEY, _CERTIFICATE, _AUTHORITY, _ACCESS, _CONFIGURATION))
    with given_to(user, folder):
        key = FileKey.create(folder / _KEY)
        certificate = authority.issue(
            make_request(key, common_name=BROKER_NAME, unit=Role.BROKER.unit),
            Role.BROKER,
            BROKER_NAME,
            hosts=all_names(address.host, names),
            at=at,
            replace_holder=True,
        )
        write_new(folder / _CERTIFICATE, to_pem(certificate))
        write_new(folder / _AUTHORITY, to_pem(authority.certificate))
        write_new(folder / _ACCESS, topics.access_list(authority.mall.name), mode=0o600)
        write_new(folder / _CONFIGURATION, _configuration(folder, authority.mall.name, address, listen, user))
    authority.remember_broker(address)
    return folder / _CONFIGURATION


def all_names(host: str, names: Sequence[str]) -> tuple[str, ...]:
    """Give every name of a server once; one on loopback may be called by each name of loopback."""
    extra = LOOPBACK if host in LOOPBACK else ()
    return tuple(dict.fromkeys((host, *extra, *names)))


def _check(listen: str, user: str | None) -> None:
    if not is_address(listen):
        raise BadName("a broker listens on an IP address of this machine, for example 127.0.0.1 or 0.0.0.0")
    if user is not None:
        try:
            pwd.getpwnam(user)
        except KeyError as error:
            raise BadName(f"this machine has no user {user!r}; install mosquitto first, or name another") from error


def _configuration(folder: Path, mall: str, address: BrokerAddress, listen: str, user: str | None) -> str:
    return _TEMPLATE.format(
        mall=mall,
        folder=folder,
        port=address.port,
        listen=listen,
        configuration=_CONFIGURATION,
        authority=_AUTHORITY,
        certificate=_CERTIFICATE,
        key=_KEY,
        access=_ACCESS,
        user=user or pwd.getpwuid(os.getuid()).pw_name,
    )
