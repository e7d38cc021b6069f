"""Keys in files."""

import pytest

from keys.file import FileKey
from keys.port import KeyExists, KeyMissing, KeyUnusable, is_signed_by


def test_a_new_key_is_readable_by_its_owner_alone(tmp_path):
    FileKey.create(tmp_path / "record.key")
    assert (tmp_path / "record.key").stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_overwritten(tmp_path):
    FileKey.create(tmp_path / "record.key")
    before = (tmp_path / "record.key").read_bytes()
    with pytest.raises(KeyExists):
        FileKey.create(tmp_path / "record.key")
    assert (tmp_path / "record.key").read_bytes() == before


def test_a_key_that_others_may_read_is_refused(tmp_path):
    FileKey.create(tmp_path / "record.key")
    (tmp_path / "record.key").chmod(0o640)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        FileKey.load(tmp_path / "record.key")


def test_a_missing_key_is_said_to_be_missing(tmp_path):
    with pytest.raises(KeyMissing, match="provision"):
        FileKey.load(tmp_path / "record.key")


def test_a_loaded_key_signs_like_the_one_that_was_made(tmp_path):
    made = FileKey.create(tmp_path / "record.key")
    loaded = FileKey.load(tmp_path / "record.key")
    assert loaded.key_id == made.key_id
    signature = loaded.sign(b"a record")
    assert is_signed_by(made.public_key, signature, b"a record")
    assert not is_signed_by(made.public_key, signature, b"another record")


def test_a_key_shows_only_its_name(tmp_path):
    key = FileKey.create(tmp_path / "record.key")
    assert repr(key) == f"<FileKey {key.key_id.hex()}>"
