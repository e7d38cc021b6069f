"""Protected messages: keys from a passphrase, AES-256-CBC, HMAC-SHA256 over the plaintext.

The scheme is the one of the Terminal API's local integration: PBKDF2-HMAC-SHA1 with salt "AdyenNexoV1Salt" and 4000
rounds gives 80 bytes: 32 for the MAC, 32 for the cipher, 16 for the initial vector, which is combined with the nonce of
each message by exclusive or. A wrong padding and a wrong MAC are the same error, after the same work.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from device.server.nexo.problems import NotGenuine

NONCE_BYTES = 16
_SALT, _ROUNDS, _DERIVED_BYTES = b"AdyenNexoV1Salt", 4000, 80
_MAC_BYTES, _CIPHER_END, _BLOCK = 32, 64, 16


@dataclass(frozen=True, slots=True)
class MessageKeys:
    """What a passphrase gives."""

    mac: bytes = field(repr=False)
    cipher: bytes = field(repr=False)
    vector: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Protected:
    """A message as it travels, without its clear header and the name of its key."""

    blob: str
    nonce: str
    mac: str


def derive_keys(passphrase: str) -> MessageKeys:
    """Give the keys of a passphrase, taken byte by byte as Latin-1; ValueError for other characters."""
    derived = hashlib.pbkdf2_hmac("sha1", passphrase.encode("latin-1"), _SALT, _ROUNDS, _DERIVED_BYTES)
    return MessageKeys(derived[:_MAC_BYTES], derived[_MAC_BYTES:_CIPHER_END], derived[_CIPHER_END:])


def protect(plaintext: bytes, keys: MessageKeys, nonce: bytes) -> Protected:
    """Encrypt a message; `nonce` is 16 bytes that were never used with these keys."""
    padding = _BLOCK - len(plaintext) % _BLOCK
    encryptor = _cipher(keys, nonce).encryptor()
    blob = encryptor.update(plaintext + bytes([padding]) * padding) + encryptor.finalize()
    return Protected(_text(blob), _text(nonce), _text(_mac(keys, plaintext)))


def unprotect(message: Protected, keys: MessageKeys) -> bytes:
    """Give the plaintext; NotGenuine for anything that these keys have not made."""
    blob, nonce, mac = (_bytes(text) for text in (message.blob, message.nonce, message.mac))
    if not blob or len(blob) % _BLOCK or len(nonce) != NONCE_BYTES:
        raise NotGenuine
    decryptor = _cipher(keys, nonce).decryptor()
    padded = decryptor.update(blob) + decryptor.finalize()
    padding = padded[-1] if 1 <= padded[-1] <= _BLOCK else 1
    is_padded = padded.endswith(bytes([padding]) * padding)
    plaintext = padded[:-padding]
    is_genuine = hmac.compare_digest(_mac(keys, plaintext), mac)
    if not (is_padded and is_genuine):
        raise NotGenuine
    return plaintext


def _cipher(keys: MessageKeys, nonce: bytes) -> Cipher[modes.CBC]:
    vector = bytes(one ^ other for one, other in zip(keys.vector, nonce, strict=True))
    return Cipher(algorithms.AES256(keys.cipher), modes.CBC(vector))


def _mac(keys: MessageKeys, plaintext: bytes) -> bytes:
    return hmac.digest(keys.mac, plaintext, "sha256")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise NotGenuine from None
