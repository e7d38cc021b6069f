"""A key in a file: made on the device, readable by its owner alone, never overwritten."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from keys.port import KeyExists, KeyMissing, KeyUnusable, key_id_of
from keys.private_file import create_private

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class FileKey:
    """A `Signer` whose private half lies in a PKCS#8 PEM file of mode 0600."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        self._key_id = key_id_of(private_key.public_key())

    @classmethod
    def create(cls, path: Path) -> FileKey:
        """Make a new P-256 key in `path`; KeyExists if the file is there."""
        private_key = ec.generate_private_key(ec.SECP256R1())
        pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            create_private(path, pem)
        except FileExistsError as error:
            raise KeyExists(f"{path} exists and is never overwritten; move it away to make a new key") from error
        return cls(private_key)

    @classmethod
    def load(cls, path: Path) -> FileKey:
        """Read the key in `path`; KeyMissing, or KeyUnusable when it is not P-256 or others may read it."""
        try:
            mode = path.stat().st_mode
            pem = path.read_bytes()
        except FileNotFoundError as error:
            raise KeyMissing(f"there is no key {path}; provision this machine first") from error
        if mode & _OTHERS:
            raise KeyUnusable(f"{path} can be read by others; run: chmod 600 {path}")
        try:
            private_key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise KeyUnusable(f"{path} is not a private key in PEM form") from error
        if not isinstance(private_key, ec.EllipticCurvePrivateKey) or private_key.curve.name != "secp256r1":
            raise KeyUnusable(f"{path} is not a P-256 key")
        return cls(private_key)

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""
        return self._private_key.public_key()

    @property
    def key_id(self) -> bytes:
        """The name of the key."""
        return self._key_id

    def sign(self, data: bytes) -> bytes:
        """Sign with ES256: 64 bytes, r then s."""
        r, s = decode_dss_signature(self._private_key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    def __repr__(self) -> str:
        """Show the name of the key only."""
        return f"<FileKey {self._key_id.hex()}>"
