"""An authority made by hand so that certificates may be as wrong as a test needs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keys.requests import make_subject

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


class Issuer:
    """Signs anything."""

    def __init__(self, name: str = "A mall", *, ca: bool = True) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = make_subject(name, "authority")
        self.certificate = self.issue(
            self.subject, self.key.public_key(), ca=ca, days=3650, begins=NOON - timedelta(days=30)
        )

    def issue(self, subject, public_key, *, ca=False, days=10, begins=NOON - timedelta(days=1)):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
