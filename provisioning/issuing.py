"""Certificates as bytes: reading requests, and signing what is granted on them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from keys.port import Signer
from keys.requests import PortKey, make_subject
from provisioning.errors import BadBundle
from provisioning.mall import check_host, is_address
from provisioning.roles import Role, authority_key_usage

_BACKDATED = timedelta(minutes=5)
"""So that a clock a little behind the authority's does not refuse what is fresh."""


@dataclass(frozen=True, slots=True)
class Holder:
    """To whom a certificate is granted."""

    public_key: ec.EllipticCurvePublicKey
    role: Role
    common_name: str
    hosts: tuple[str, ...] = ()
    """Host names and IP addresses under which it is called."""


def read_request(request: str, common_name: str, unit: str) -> ec.EllipticCurvePublicKey:
    """Give the key of a certificate request in PEM; BadBundle unless it is sound and for this name and unit."""
    try:
        parsed = x509.load_pem_x509_csr(request.encode())
        signed, public_key, subject = parsed.is_signature_valid, parsed.public_key(), parsed.subject
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadBundle("the certificate request cannot be read") from error
    if not signed:
        raise BadBundle("the certificate request is not signed by the key that it brings")
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or public_key.curve.name != "secp256r1":
        raise BadBundle("the certificate request is not for a P-256 key")
    if subject != make_subject(common_name, unit):
        raise BadBundle(f"the certificate request is not for {common_name} and the purpose {unit!r}")
    return public_key


def sign_holder(
    key: Signer, authority: x509.Certificate, holder: Holder, *, begins: datetime, ends: datetime
) -> x509.Certificate:
    """Issue a certificate, within the validity of the authority; BadName for a host that is none."""
    role, public_key = holder.role, holder.public_key
    builder = (
        _builder(make_subject(holder.common_name, role.unit), public_key, key)
        .issuer_name(authority.subject)
        .not_valid_before(max(begins - _BACKDATED, authority.not_valid_before_utc))
        .not_valid_after(min(ends, authority.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(role.key_usage(), critical=True)
    )
    if role.usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(role.usages), critical=False)
    if holder.hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(_names(holder.hosts)), critical=False)
    return builder.sign(PortKey(key), hashes.SHA256())


def sign_authority(key: Signer, common_name: str, *, begins: datetime, ends: datetime) -> x509.Certificate:
    """Issue an authority's certificate for itself."""
    subject = make_subject(common_name, "authority")
    return (
        _builder(subject, key.public_key, key)
        .issuer_name(subject)
        .not_valid_before(begins - _BACKDATED)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(authority_key_usage(), critical=True)
        .sign(PortKey(key), hashes.SHA256())
    )


def to_pem(certificate: x509.Certificate) -> str:
    """Write a certificate as text."""
    return certificate.public_bytes(Encoding.PEM).decode()


def _builder(subject: x509.Name, public_key: ec.EllipticCurvePublicKey, issuer: Signer) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key), critical=False)
    )


def _names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in hosts:
        check_host(host)
        names.append(x509.IPAddress(ipaddress.ip_address(host)) if is_address(host) else x509.DNSName(host))
    return names
