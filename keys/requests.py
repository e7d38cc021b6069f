"""Certificate requests (PKCS #10) and signatures on certificates, made through the key port.

The key stays behind its port: what `cryptography` is given can sign and tell its public half, and nothing else.
"""

from __future__ import annotations

from typing import Any, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keys.port import KeyUnusable, Signer

_HALF = 32


def make_subject(common_name: str, unit: str) -> x509.Name:
    """Write the subject that certificates of a mall have: CN and OU, nothing else."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        ]
    )


def make_request(signer: Signer, *, common_name: str, unit: str) -> str:
    """Ask for a certificate over a signer's key, in PEM; the signature proves that the asker has the key."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(make_subject(common_name, unit))
    return builder.sign(PortKey(signer), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


class PortKey(ec.EllipticCurvePrivateKey):
    """Any `Signer` in the form that the builders of `cryptography.x509` sign with."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """Sign with ES256 and write it as X.509 wants it, DER; KeyUnusable for any other hash."""
        if not isinstance(signature_algorithm.algorithm, hashes.SHA256):
            raise KeyUnusable("keys of a mall sign with SHA-256 only")
        signature = self._signer.sign(bytes(data))
        return utils.encode_dss_signature(int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:]))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Give the public half."""
        return self._signer.public_key

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256."""
        return ec.SECP256R1()

    @property
    def key_size(self) -> int:
        """256 bits."""
        return self.curve.key_size

    def exchange(self, *_: Any) -> NoReturn:
        """Refuse: the port only signs."""
        raise KeyUnusable("this key only signs")

    def private_numbers(self) -> NoReturn:
        """Refuse: the private half is never shown."""
        raise KeyUnusable("the private half of a key never leaves its port")

    def private_bytes(self, *_: Any) -> NoReturn:
        """Refuse: the private half is never shown."""
        raise KeyUnusable("the private half of a key never leaves its port")

    def __copy__(self) -> PortKey:
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> PortKey:
        return self
