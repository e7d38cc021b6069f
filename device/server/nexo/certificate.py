"""The certificate of the nexo listener: self-signed, made on the device, given to each register at pairing.

Published clients check its common name against a pattern of their vendor; `name_for` gives one that fits.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from device.server.nexo.problems import CannotListen
from keys.private_file import write_private

_LIFE = dt.timedelta(days=3650)
_CLIENT_DOMAIN = "test.terminal.adyen.com"


def name_for(terminal: str) -> str:
    """Give the common name that published clients accept: `maker-serial` below their vendor's domain."""
    return f"Tillwave-{terminal.replace('-', '')}.{_CLIENT_DOMAIN}"


def make_certificate(folder: Path, name: str, addresses: tuple[str, ...], now: dt.datetime) -> tuple[Path, Path]:
    """Give the files of certificate and key, making them if there are none; CannotListen if that is impossible."""
    certificate, key = folder / "nexo.crt", folder / "nexo.key"
    if certificate.exists() and key.exists():
        return certificate, key
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), *map(_named, addresses)]), critical=False)
        .sign(private, hashes.SHA256())
    )
    try:
        write_private(key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        write_private(certificate, built.public_bytes(Encoding.PEM))
    except OSError as error:
        raise CannotListen(f"{os.fspath(folder)}: {error.strerror}") from error
    return certificate, key


def _named(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)
