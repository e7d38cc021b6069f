"""The port to a signing key: a file, a PKCS#11 token or a TPM sign alike.

KeyProblem
+-- KeyMissing     no key where one was expected (also a FileNotFoundError)
+-- KeyExists      a key would be overwritten (also a FileExistsError)
+-- KeyUnusable    not a P-256 key, or readable by others
"""

from __future__ import annotations

import hashlib
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNATURE_BYTES = 64
_HALF = SIGNATURE_BYTES // 2


class KeyProblem(Exception):
    """A key cannot be used; the text tells what to do."""


class KeyMissing(KeyProblem, FileNotFoundError):
    """There is no key."""


class KeyExists(KeyProblem, FileExistsError):
    """A key is there already and is never overwritten."""


class KeyUnusable(KeyProblem):
    """What is there cannot sign for Tillwave."""


class Signer(Protocol):
    """A private P-256 key that signs and is never shown."""

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""

    @property
    def key_id(self) -> bytes:
        """`key_id_of` the public half."""

    def sign(self, data: bytes) -> bytes:
        """Sign with ES256 (RFC 7518 section 3.4): 64 bytes, r then s."""


def key_id_of(public_key: ec.EllipticCurvePublicKey) -> bytes:
    """Name a key: the first 16 bytes of SHA-256 over its DER SubjectPublicKeyInfo."""
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).digest()[:16]


def is_signed_by(public_key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> bool:
    """Tell whether `signature` (64 bytes, r then s) is `public_key`'s ES256 signature over `data`."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    r, s = int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:])
    try:
        public_key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
