"""A certificate is believed only after every check."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from keys_issuer import NOON, Issuer

from keys.certificates import (
    CertificateMissing,
    CertificateProblem,
    CertificateUnusable,
    ForeignCertificate,
    OutOfDate,
    WrongHolder,
    check_certificate,
    load_certificate,
    parse_certificate,
    write_fingerprint,
)
from keys.requests import make_subject

KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
SUBJECT = make_subject("t1", "record")


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


def check(certificate, authority, *, name="t1", unit="record", at=NOON):
    return check_certificate(certificate, authority, common_name=name, unit=unit, at=at)


def test_a_good_certificate_gives_its_key(issuer):
    assert check(issuer.issue(SUBJECT, KEY), issuer.certificate) == KEY


def test_another_authority_with_the_same_name_is_foreign(issuer):
    with pytest.raises(ForeignCertificate):
        check(Issuer().issue(SUBJECT, KEY), issuer.certificate)


def test_an_issuer_that_is_no_authority_is_not_believed():
    impostor = Issuer(ca=False)
    with pytest.raises(ForeignCertificate):
        check(impostor.issue(SUBJECT, KEY), impostor.certificate)


def test_a_flipped_bit_is_foreign_or_unreadable(issuer):
    der = bytearray(issuer.issue(SUBJECT, KEY).public_bytes(Encoding.DER))
    for place in range(0, len(der), 7):
        damaged = der.copy()
        damaged[place] ^= 1
        with pytest.raises(CertificateProblem):
            check(parse_certificate(bytes(damaged)), issuer.certificate)


@pytest.mark.parametrize("late", [timedelta(days=9, minutes=6), -timedelta(days=1, minutes=6)])
def test_out_of_its_days_it_is_refused(issuer, late):
    certificate = issuer.issue(SUBJECT, KEY)
    with pytest.raises(OutOfDate, match="set the clock") as caught:
        check(certificate, issuer.certificate, at=NOON + late)
    assert caught.value.ends == certificate.not_valid_after_utc


@pytest.mark.parametrize("late", [timedelta(days=9, minutes=4), -timedelta(days=1, minutes=4)])
def test_clocks_may_differ_by_minutes(issuer, late):
    assert check(issuer.issue(SUBJECT, KEY), issuer.certificate, at=NOON + late)


def test_an_authority_that_has_expired_vouches_for_nobody():
    issuer = Issuer()
    certificate = issuer.issue(SUBJECT, KEY, days=5000)
    with pytest.raises(OutOfDate):
        check(certificate, issuer.certificate, at=NOON + timedelta(days=4000))


@pytest.mark.parametrize(("name", "unit"), [("t2", "record"), ("t1", "tls"), ("t1", "")])
def test_another_name_or_purpose_is_the_wrong_holder(issuer, name, unit):
    with pytest.raises(WrongHolder):
        check(issuer.issue(SUBJECT, KEY), issuer.certificate, name=name, unit=unit)


def test_a_second_name_is_the_wrong_holder(issuer):
    both = x509.Name([*SUBJECT, x509.NameAttribute(NameOID.COMMON_NAME, "t2")])
    with pytest.raises(WrongHolder):
        check(issuer.issue(both, KEY), issuer.certificate)


def test_an_authority_is_no_holder(issuer):
    with pytest.raises(WrongHolder):
        check(issuer.issue(SUBJECT, KEY, ca=True), issuer.certificate)


@pytest.mark.parametrize(
    "public_key",
    [ed25519.Ed25519PrivateKey.generate().public_key(), ec.generate_private_key(ec.SECP384R1()).public_key()],
)
def test_other_kinds_of_keys_are_unusable(issuer, public_key):
    with pytest.raises(CertificateUnusable):
        check(issuer.issue(SUBJECT, public_key), issuer.certificate)


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_file_is_read_in_either_form(issuer, tmp_path, encoding):
    (tmp_path / "ca.crt").write_bytes(issuer.certificate.public_bytes(encoding))
    assert load_certificate(tmp_path / "ca.crt") == issuer.certificate


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(CertificateMissing, match="provision"):
        load_certificate(tmp_path / "ca.crt")


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda data: b"-----BEGIN CERTIFICATE-----" + data))
def test_no_bytes_break_the_reader(data):
    with pytest.raises(CertificateUnusable):
        parse_certificate(data)


def test_a_certificate_of_no_known_version_is_unusable(issuer):
    data = issuer.certificate.public_bytes(Encoding.DER)
    assert data.count(b"\xa0\x03\x02\x01\x02") == 1
    with pytest.raises(CertificateUnusable):
        parse_certificate(data.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x33"))


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_certificate_without_a_positive_serial_number_is_unusable(issuer):
    data = issuer.certificate.public_bytes(Encoding.DER)
    number = data.index(b"\xa0\x03\x02\x01\x02\x02") + 7  # its first byte, behind version, kind and length
    with pytest.raises(CertificateUnusable, match="serial"):
        parse_certificate(data[:number] + b"\x80" + data[number + 1 :])


def test_a_fingerprint_can_be_read_aloud(issuer):
    groups = write_fingerprint(issuer.certificate).split()
    assert len(groups) == 16
    assert "".join(groups) == issuer.certificate.fingerprint(issuer.certificate.signature_hash_algorithm).hex()
