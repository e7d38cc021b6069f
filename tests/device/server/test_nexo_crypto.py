"""Protected messages against published ones, and against a second implementation of the scheme."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.server.nexo.crypto import Protected, derive_keys, protect, unprotect
from device.server.nexo.problems import NotGenuine

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "nexo.json"
KEYS = derive_keys("p@ssw0rd123456")


def test_keys_of_a_published_passphrase() -> None:
    assert KEYS.mac.hex() == "733636253b5b98f9a483b1a678d73a58dab2accafbc029ecbe12d60eaa909e32"
    assert KEYS.cipher.hex() == "cf2c822761b9f5305bf69970bfa7b659a6724a119db21f8b0e949779f2ea022c"
    assert KEYS.vector.hex() == "bb9ba8092e6027c735398dc65977c051"


@given(st.binary(max_size=200), st.binary(min_size=16, max_size=16))
def test_what_is_protected_comes_back(plaintext: bytes, nonce: bytes) -> None:
    assert unprotect(protect(plaintext, KEYS, nonce), KEYS) == plaintext


@settings(max_examples=200)
@given(st.data(), st.binary(min_size=1, max_size=60))
def test_any_changed_byte_is_noticed(data: st.DataObject, plaintext: bytes) -> None:
    whole = protect(plaintext, KEYS, bytes(16))
    part = data.draw(st.sampled_from(["blob", "nonce", "mac"]))
    content = bytearray(base64.b64decode(getattr(whole, part)))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    parts = {"blob": whole.blob, "nonce": whole.nonce, "mac": whole.mac, part: base64.b64encode(content).decode()}
    with pytest.raises(NotGenuine):
        unprotect(Protected(**parts), KEYS)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_noise_is_not_genuine(blob: str, nonce: str, mac: str) -> None:
    with pytest.raises(NotGenuine):
        unprotect(Protected(blob, nonce, mac), KEYS)


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors of the house are not here")
def test_published_messages_are_opened() -> None:
    vectors = json.loads(VECTORS.read_text())["vectors"]
    assert len(vectors) == 5
    for vector in vectors:
        _check(vector["input"], vector["expected"], vector["name"])


def _check(given_: dict[str, Any], expected: dict[str, Any], name: str) -> None:
    keys = derive_keys(given_["passphrase"])
    if "hmac_key" in expected:
        shown = {"hmac_key": keys.mac.hex(), "cipher_key": keys.cipher.hex(), "iv": keys.vector.hex()}
        assert shown == expected, name
    elif "plaintext" in given_:
        made = protect(given_["plaintext"].encode(), keys, bytes.fromhex(given_["nonce_hex"]))
        told = expected["SaleToPOIRequest"]
        trailer = told["SecurityTrailer"]
        assert (made.blob, made.nonce, made.mac) == (told["NexoBlob"], trailer["Nonce"], trailer["Hmac"]), name
    else:
        trailer = given_["SecurityTrailer"]
        opened = unprotect(Protected(given_["NexoBlob"], trailer["Nonce"], trailer["Hmac"]), keys)
        assert hashlib.sha256(opened).hexdigest() in json.dumps(expected), name
