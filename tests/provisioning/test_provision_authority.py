"""The authority issues what it should, and nothing else."""

import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from provisioned_mall import MALL, NOW

from keys.certificates import OutOfDate
from keys.file import FileKey
from keys.requests import make_request, make_subject
from provisioning.authority import Authority
from provisioning.errors import AlreadyThere, BadBundle, BadName, BadSettings, NameTaken, NotThere
from provisioning.mall import BrokerAddress, Mall, Merchant
from provisioning.roles import Role


@pytest.fixture
def authority(tmp_path):
    return Authority.create(tmp_path / "authority", MALL, at=NOW)


def request_of(folder, name="t1", unit="record", file="some.key"):
    return make_request(FileKey.create(folder / file), common_name=name, unit=unit)


def raw_request(subject, key):
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    request = builder.sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def test_its_key_is_readable_by_its_owner_alone(authority):
    assert (authority.folder / "ca.key").stat().st_mode & 0o777 == 0o600
    assert authority.folder.stat().st_mode & 0o777 == 0o700


def test_a_second_authority_does_not_overwrite_the_first(authority):
    with pytest.raises(AlreadyThere):
        Authority.create(authority.folder, MALL, at=NOW)


def test_it_is_found_again(authority):
    authority.remember_broker(BrokerAddress("mqtt.example", 8883))
    again = Authority.load(authority.folder)
    assert again.certificate == authority.certificate
    assert again.mall == authority.mall
    assert again.broker == BrokerAddress("mqtt.example", 8883)


def test_without_authority_the_first_step_is_named(tmp_path):
    with pytest.raises(NotThere, match="tillwave provision authority"):
        Authority.load(tmp_path)


def test_openssl_accepts_what_it_issues(authority, tmp_path):
    certificate = authority.issue(request_of(tmp_path), Role.TERMINAL_RECORD, "t1", at=NOW)
    (tmp_path / "record.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    command = ["openssl", "verify", "-x509_strict", "-CAfile", authority.folder / "ca.crt", tmp_path / "record.crt"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.endswith("OK\n")


@pytest.mark.parametrize("purpose", ["sslclient", "sslserver"])
def test_a_record_certificate_opens_no_connection(authority, tmp_path, purpose):
    certificate = authority.issue(request_of(tmp_path), Role.TERMINAL_RECORD, "t1", at=NOW)
    (tmp_path / "record.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    command = [
        "openssl",
        "verify",
        "-purpose",
        purpose,
        "-CAfile",
        authority.folder / "ca.crt",
        tmp_path / "record.crt",
    ]
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0


@pytest.mark.parametrize(
    ("role", "name", "usages"),
    [
        (Role.BROKER, "broker", {ExtendedKeyUsageOID.SERVER_AUTH}),
        (Role.SETTLEMENT_TLS, "settlement", {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}),
        (Role.TERMINAL_TLS, "t1", {ExtendedKeyUsageOID.CLIENT_AUTH}),
    ],
)
def test_each_connection_has_its_direction(authority, tmp_path, role, name, usages):
    certificate = authority.issue(request_of(tmp_path, name, role.unit), role, name, at=NOW)
    assert set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == usages


def test_host_names_and_addresses_are_written_as_what_they_are(authority, tmp_path):
    hosts = ("mqtt.example", "10.0.0.7", "::1")
    certificate = authority.issue(request_of(tmp_path, "broker", "tls"), Role.BROKER, "broker", hosts=hosts, at=NOW)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mqtt.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.7", "::1"]


@pytest.mark.parametrize("host", ["", "a b", "x" * 254, "http://x", "-x", "x\n", "*.example"])
def test_a_host_that_is_none_is_refused(authority, tmp_path, host):
    with pytest.raises(BadName):
        authority.issue(request_of(tmp_path, "broker", "tls"), Role.BROKER, "broker", hosts=[host], at=NOW)
    assert authority.issued() == []


class Thief:
    """Shows another's public key and signs with its own."""

    def __init__(self, own, victim):
        self._own = own
        self.public_key = victim.public_key
        self.key_id = victim.key_id

    def sign(self, data):
        return self._own.sign(data)


def test_a_request_signed_by_another_key_is_refused(authority, tmp_path):
    thief = Thief(FileKey.create(tmp_path / "own.key"), FileKey.create(tmp_path / "victim.key"))
    request = make_request(thief, common_name="t1", unit="record")
    with pytest.raises(BadBundle, match="not signed by the key"):
        authority.issue(request, Role.TERMINAL_RECORD, "t1", at=NOW)
    assert authority.issued() == []


@pytest.mark.parametrize(
    "subject",
    [
        make_subject("t2", "record"),
        make_subject("t1", "tls"),
        make_subject("settlement", "settlement"),
        x509.Name([*make_subject("t1", "record"), *make_subject("settlement", "settlement")]),
        x509.Name([]),
    ],
)
def test_a_request_for_something_else_is_refused(authority, subject):
    request = raw_request(subject, ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(BadBundle, match="not for t1"):
        authority.issue(request, Role.TERMINAL_RECORD, "t1", at=NOW)


def test_a_key_of_another_curve_is_refused(authority):
    request = raw_request(make_subject("t1", "record"), ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(BadBundle, match="P-256"):
        authority.issue(request, Role.TERMINAL_RECORD, "t1", at=NOW)


@pytest.mark.parametrize("request_text", ["", "hello", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", "\ud800"])
def test_what_is_no_request_is_refused(authority, request_text):
    with pytest.raises(BadBundle, match="cannot be read"):
        authority.issue(request_text, Role.TERMINAL_RECORD, "t1", at=NOW)


def test_extensions_that_a_request_asks_for_are_ignored(authority):
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(make_subject("t1", "tls"))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    request = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    certificate = authority.issue(request, Role.TERMINAL_TLS, "t1", at=NOW)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


@pytest.mark.parametrize(
    "name", ["settlement", "broker", "all", "", "T1", "t_1", "t/1", "+", "#", "x" * 21, "t1\n", "%u"]
)
def test_a_terminal_cannot_be_called_so(authority, tmp_path, name):
    with pytest.raises(BadName):
        authority.issue("", Role.TERMINAL_TLS, name, at=NOW)


@pytest.mark.parametrize("role", [Role.BROKER, Role.SETTLEMENT_TLS, Role.SETTLEMENT_SIGNING])
def test_the_mall_itself_has_fixed_names(authority, role):
    with pytest.raises(BadName):
        authority.issue("", role, "t1", at=NOW)


def test_another_key_for_a_name_is_refused_unless_it_is_meant(authority, tmp_path):
    authority.issue(request_of(tmp_path), Role.TERMINAL_RECORD, "t1", at=NOW)
    clone = request_of(tmp_path, file="clone.key")
    with pytest.raises(NameTaken):
        authority.issue(clone, Role.TERMINAL_RECORD, "t1", at=NOW)
    assert len(authority.issued()) == 1
    assert authority.issue(clone, Role.TERMINAL_RECORD, "t1", at=NOW, replace_holder=True)


def test_the_same_key_may_be_renewed(authority, tmp_path):
    request = request_of(tmp_path)
    first = authority.issue(request, Role.TERMINAL_RECORD, "t1", at=NOW)
    second = authority.issue(request, Role.TERMINAL_RECORD, "t1", at=NOW + timedelta(days=700))
    assert second.not_valid_after_utc > first.not_valid_after_utc
    assert second.serial_number != first.serial_number


def test_a_name_is_free_again_when_its_certificate_has_expired(authority, tmp_path):
    authority.issue(request_of(tmp_path), Role.TERMINAL_RECORD, "t1", at=NOW, life=timedelta(days=1))
    clone = request_of(tmp_path, file="clone.key")
    assert authority.issue(clone, Role.TERMINAL_RECORD, "t1", at=NOW + timedelta(days=2))


def test_nothing_outlives_the_authority(authority, tmp_path):
    late = NOW + timedelta(days=3600)
    certificate = authority.issue(request_of(tmp_path), Role.TERMINAL_RECORD, "t1", at=late)
    assert certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc
    with pytest.raises(OutOfDate):
        authority.issue(request_of(tmp_path, file="b"), Role.TERMINAL_RECORD, "t1", at=late + timedelta(days=100))


def test_every_certificate_is_in_the_log(authority, tmp_path):
    certificate = authority.issue(request_of(tmp_path), Role.TERMINAL_RECORD, "t1", at=NOW)
    (line,) = authority.issued()
    assert int(line.serial, 16) == certificate.serial_number
    assert (line.role, line.common_name, line.unit) == ("terminal record", "t1", "record")
    assert line.not_after == certificate.not_valid_after_utc


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "T:ea"},
        {"name": "茶"},
        {"country": "China"},
        {"category_code": "1"},
        {"local_city": "杭州"},
    ],
)
def test_a_merchant_that_no_code_can_name_is_refused(change):
    with pytest.raises(BadName):
        Merchant(**{"name": "Tea", "city": "Hangzhou", "country": "CN", **change})


@pytest.mark.parametrize("change", [{"name": "A Mall"}, {"name": ""}, {"currency": "XXX"}, {"currency": "yuan"}])
def test_a_mall_that_no_topic_can_name_is_refused(change):
    with pytest.raises(BadName):
        Mall(**{"name": "demo", "currency": "CNY", "merchant": MALL.merchant, **change})


def test_a_spoiled_mall_file_names_the_key(authority):
    path = authority.folder / "mall.toml"
    path.write_text(path.read_text().replace('currency = "CNY"', "currency = 156"))
    with pytest.raises(BadSettings, match=r"mall\.toml.*currency"):
        Authority.load(authority.folder)
