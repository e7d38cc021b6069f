"""Certificates that vouch for keys: read one, and believe it only after it was checked against the mall's authority.

CertificateProblem (a KeyProblem)
+-- CertificateMissing     no certificate where one was expected (also a FileNotFoundError)
+-- CertificateUnusable    not an X.509 certificate, or not for a P-256 key
+-- ForeignCertificate     not issued by this authority
+-- OutOfDate              not valid at this time
+-- WrongHolder            vouches for another name or another purpose
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keys.port import KeyProblem

if TYPE_CHECKING:
    from cryptography import x509

RECORD_UNIT, TLS_UNIT, SETTLEMENT_UNIT = "record", "tls", "settlement"
"""What a certificate is for, as the OU of its subject says it: signing records, connections, signing decisions."""
TOLERANCE = timedelta(minutes=5)
"""By so much may the clocks of issuer and reader differ."""

_PEM_BEGINS = b"-----BEGIN"


class CertificateProblem(KeyProblem):
    """A certificate is not believed; the text tells why and what to do."""


class CertificateMissing(CertificateProblem, FileNotFoundError):
    """There is no certificate."""


class CertificateUnusable(CertificateProblem, ValueError):
    """The bytes are no certificate for a P-256 key."""


class ForeignCertificate(CertificateProblem):
    """Another authority issued it, or nobody."""


class OutOfDate(CertificateProblem):
    """It is not yet, or no longer, valid; the clock may be wrong too."""

    def __init__(self, certificate: x509.Certificate, at: datetime) -> None:
        self.begins = certificate.not_valid_before_utc
        self.ends = certificate.not_valid_after_utc
        super().__init__(
            f"the certificate is good from {self.begins:%Y-%m-%d %H:%M} to {self.ends:%Y-%m-%d %H:%M} UTC and it is"
            f" {at.astimezone(UTC):%Y-%m-%d %H:%M}; set the clock right or have a new one issued"
        )


class WrongHolder(CertificateProblem):
    """It vouches for another name, another purpose, or an authority."""


def load_certificate(path: Path) -> x509.Certificate:
    """Read a certificate file, PEM or DER, without believing it; CertificateMissing or CertificateUnusable."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise CertificateMissing(f"there is no certificate {path}; provision this machine first") from error
    try:
        return parse_certificate(data)
    except CertificateUnusable as error:
        raise CertificateUnusable(f"{path}: {error}") from error


def parse_certificate(data: bytes) -> x509.Certificate:
    """Read a certificate, PEM or DER, without believing it; CertificateUnusable if it is none."""
    from cryptography import x509  # noqa: PLC0415  # three megabytes that a running terminal does without

    read = x509.load_pem_x509_certificate if data.startswith(_PEM_BEGINS) else x509.load_der_x509_certificate
    try:
        certificate = read(data)
    except (ValueError, x509.InvalidVersion) as error:
        raise CertificateUnusable("this is not an X.509 certificate") from error
    if certificate.serial_number <= 0:
        raise CertificateUnusable("the certificate has no positive serial number (RFC 5280 section 4.1.2.2)")
    return certificate


def check_certificate(
    certificate: x509.Certificate, authority: x509.Certificate, *, common_name: str, unit: str, at: datetime
) -> ec.EllipticCurvePublicKey:
    """Give the key that `authority` vouches for, to belong to `common_name` for `unit`; CertificateProblem otherwise.

    Checked in this order: the signature of the issuer, both validities (within TOLERANCE), that the holder is no
    authority, the subject (exactly one CN, exactly one OU), the kind of key.
    """
    check_issuer(certificate, authority)
    check_dates(authority, at)
    check_dates(certificate, at)
    if _is_authority(certificate):
        raise WrongHolder("the certificate is that of an authority, not of a holder")
    _check_subject(certificate, common_name, unit)
    return public_key_of(certificate)


def check_issuer(certificate: x509.Certificate, authority: x509.Certificate) -> None:
    """Raise ForeignCertificate unless `authority` may issue certificates and issued this one."""
    if not _is_authority(authority):
        raise ForeignCertificate("what should be the authority's certificate may not issue any")
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ForeignCertificate("the certificate was not issued by the authority of this mall") from error


def check_dates(certificate: x509.Certificate, at: datetime) -> None:
    """Raise OutOfDate unless `at` lies in the validity, give or take TOLERANCE."""
    if not certificate.not_valid_before_utc - TOLERANCE <= at <= certificate.not_valid_after_utc + TOLERANCE:
        raise OutOfDate(certificate, at)


def public_key_of(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """Give the P-256 key in a certificate; CertificateUnusable if it has another."""
    try:
        public_key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateUnusable("the certificate has no readable public key") from error
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or public_key.curve.name != "secp256r1":
        raise CertificateUnusable("the certificate is not for a P-256 key")
    return public_key


def write_fingerprint(certificate: x509.Certificate) -> str:
    """Write SHA-256 of the certificate for people to compare: 16 groups of four hexadecimal digits."""
    digits = certificate.fingerprint(hashes.SHA256()).hex()
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _is_authority(certificate: x509.Certificate) -> bool:
    from cryptography import x509  # noqa: PLC0415

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return False


def _check_subject(certificate: x509.Certificate, common_name: str, unit: str) -> None:
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    try:
        names = [attribute.value for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        units = [
            attribute.value
            for attribute in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        ]
    except ValueError as error:
        raise CertificateUnusable("the subject of the certificate cannot be read") from error
    if names != [common_name]:
        raise WrongHolder(f"the certificate is not for {common_name}")
    if units != [unit]:
        raise WrongHolder(f"the certificate of {common_name} is not for the purpose {unit!r}")
