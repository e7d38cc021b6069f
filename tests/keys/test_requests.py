"""Certificate requests through the key port."""

import copy

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keys.file import FileKey
from keys.port import KeyUnusable
from keys.requests import PortKey, make_request, make_subject


def test_a_request_is_signed_by_its_own_key(tmp_path):
    key = FileKey.create(tmp_path / "record.key")
    request = x509.load_pem_x509_csr(make_request(key, common_name="t1", unit="record").encode())
    assert request.is_signature_valid
    assert request.public_key() == key.public_key
    assert request.subject == make_subject("t1", "record")


@pytest.mark.parametrize("take", [PortKey.private_numbers, PortKey.private_bytes, PortKey.exchange])
def test_the_private_half_is_never_given(tmp_path, take):
    with pytest.raises(KeyUnusable):
        take(PortKey(FileKey.create(tmp_path / "record.key")))


def test_other_hashes_are_not_signed(tmp_path):
    with pytest.raises(KeyUnusable):
        PortKey(FileKey.create(tmp_path / "record.key")).sign(b"", ec.ECDSA(hashes.SHA384()))


def test_a_copy_is_the_key_itself(tmp_path):
    key = PortKey(FileKey.create(tmp_path / "record.key"))
    assert copy.copy(key) is key
    assert copy.deepcopy(key) is key
    assert key.key_size == 256
