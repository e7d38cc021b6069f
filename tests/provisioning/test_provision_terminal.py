"""A terminal gets its certificates without giving its keys away."""

import tomllib
from datetime import timedelta

import msgspec
import pytest
from provisioned_mall import MALL, NOW

from device.config import load_settings
from keys.badges import hash_badge
from keys.certificates import ForeignCertificate, OutOfDate
from keys.file import FileKey
from keys.port import KeyMissing, key_id_of
from keys.requests import make_request
from provisioning.authority import Authority
from provisioning.broker import provision_broker
from provisioning.bundles import read_answer, read_request_bundle, write_bundle
from provisioning.errors import AlreadyThere, BadBundle, BadName, NameTaken, NotThere
from provisioning.layout import Device, Offline, Supervisor, TerminalChoices
from provisioning.mall import BrokerAddress, Merchant
from provisioning.settlement import provision_settlement
from provisioning.terminal import Existing, install_answer, request_certificates, sign_request


@pytest.fixture
def authority(tmp_path):
    made = Authority.create(tmp_path / "authority", MALL, at=NOW)
    provision_broker(tmp_path / "broker", made, BrokerAddress("mqtt.demo.example", 8883), at=NOW)
    provision_settlement(tmp_path / "settlement", made, at=NOW)
    return made


@pytest.fixture
def device(tmp_path):
    return tmp_path / "device"


def test_three_steps_make_a_terminal(authority, device):
    request = read_request_bundle(write_bundle(request_certificates(device, "t1", "demo")).encode())
    answer = read_answer(write_bundle(sign_request(authority, request, at=NOW)).encode())
    done = install_answer(device, answer, at=NOW)
    settings = load_settings(done.settings)
    assert (settings.terminal.name, settings.terminal.mall, settings.terminal.currency) == ("t1", "demo", "CNY")
    assert settings.merchant.category_code == "5814"
    assert (settings.broker.host, settings.broker.port) == ("mqtt.demo.example", 8883)
    for path in msgspec.structs.astuple(settings.keys):
        assert path.exists()


def test_keys_stay_on_the_device(authority, device, tmp_path):
    request = request_certificates(device, "t1", "demo")
    answer = sign_request(authority, request, at=NOW)
    install_answer(device, answer, at=NOW)
    secrets = {device / "record.key", device / "tls.key", tmp_path / "authority" / "ca.key"}
    secrets |= {tmp_path / "broker" / "broker.key"}
    secrets |= {tmp_path / "settlement" / "settlement.key", tmp_path / "settlement" / "tls.key"}
    canaries = [line for path in secrets for line in path.read_text().splitlines() if not line.startswith("--")]
    for path in tmp_path.rglob("*"):
        if path.is_file() and path not in secrets:
            assert not any(canary in path.read_text() for canary in canaries), path
            assert "PRIVATE" not in path.read_text(), path
    for path in secrets:
        assert path.stat().st_mode & 0o777 == 0o600


def test_two_terminals_have_four_different_keys(authority, device, tmp_path):
    request_certificates(device, "t1", "demo")
    request_certificates(tmp_path / "other", "t2", "demo")
    folders = (device, tmp_path / "other")
    assert len({FileKey.load(folder / name).key_id for folder in folders for name in ("record.key", "tls.key")}) == 4


def test_a_second_request_does_not_overwrite_keys(device):
    request_certificates(device, "t1", "demo")
    before = (device / "record.key").read_bytes()
    with pytest.raises(AlreadyThere):
        request_certificates(device, "t1", "demo")
    assert (device / "record.key").read_bytes() == before


@pytest.mark.parametrize(("name", "mall"), [("settlement", "demo"), ("T1", "demo"), ("t1", "De mo"), ("t1", "")])
def test_names_are_checked_before_keys_are_made(device, name, mall):
    with pytest.raises(BadName):
        request_certificates(device, name, mall)
    assert not device.exists()


def test_a_request_of_another_mall_is_refused(authority, device):
    with pytest.raises(BadBundle, match="mall"):
        sign_request(authority, request_certificates(device, "t1", "other"), at=NOW)


def test_a_request_that_was_renamed_on_its_way_is_refused(authority, device):
    request = msgspec.structs.replace(request_certificates(device, "t1", "demo"), terminal="t2")
    with pytest.raises(BadBundle):
        sign_request(authority, request, at=NOW)


def test_a_request_that_was_exchanged_is_known_by_its_fingerprint(authority, device, tmp_path):
    genuine = request_certificates(device, "t1", "demo")
    exchanged = request_certificates(tmp_path / "thief", "t1", "demo")
    with pytest.raises(BadBundle, match="fingerprint"):
        sign_request(authority, exchanged, fingerprint=genuine.fingerprint, at=NOW)
    assert sign_request(authority, genuine, fingerprint=genuine.fingerprint.upper(), at=NOW)


def test_one_key_for_both_purposes_is_refused(authority, device):
    request = request_certificates(device, "t1", "demo")
    tls = make_request(FileKey.load(device / "record.key"), common_name="t1", unit="tls")
    with pytest.raises(BadBundle, match="one key"):
        sign_request(authority, msgspec.structs.replace(request, tls=tls), at=NOW)


def test_purposes_cannot_be_swapped(authority, device):
    request = request_certificates(device, "t1", "demo")
    swapped = msgspec.structs.replace(request, record=request.tls, tls=request.record)
    with pytest.raises(BadBundle, match="purpose"):
        sign_request(authority, swapped, at=NOW)


def test_a_second_device_of_the_same_name_is_refused(authority, device, tmp_path):
    sign_request(authority, request_certificates(device, "t1", "demo"), at=NOW)
    second = request_certificates(tmp_path / "second", "t1", "demo")
    with pytest.raises(NameTaken, match="--replace"):
        sign_request(authority, second, at=NOW)
    assert sign_request(authority, second, replace_holder=True, at=NOW)


def test_nothing_is_signed_before_broker_and_settlement_are_there(tmp_path, device):
    authority = Authority.create(tmp_path / "authority", MALL, at=NOW)
    request = request_certificates(device, "t1", "demo")
    with pytest.raises(NotThere, match="broker first"):
        sign_request(authority, request, at=NOW)
    authority.remember_broker(BrokerAddress("localhost", 8883))
    with pytest.raises(NotThere, match="settlement first"):
        sign_request(authority, request, at=NOW)
    assert authority.issued() == []


def test_an_answer_to_another_terminal_is_not_installed(authority, device, tmp_path):
    request_certificates(device, "t1", "demo")
    answer = sign_request(authority, request_certificates(tmp_path / "other", "t2", "demo"), at=NOW)
    with pytest.raises(BadBundle, match="not for"):
        install_answer(device, answer, at=NOW)
    assert not (device / "terminal.toml").exists()


def test_an_answer_before_the_request_is_not_installed(authority, device, tmp_path):
    answer = sign_request(authority, request_certificates(device, "t1", "demo"), at=NOW)
    with pytest.raises(KeyMissing):
        install_answer(tmp_path / "elsewhere", answer, at=NOW)


def test_an_answer_with_a_foreign_settlement_is_not_installed(authority, device, tmp_path):
    answer = sign_request(authority, request_certificates(device, "t1", "demo"), at=NOW)
    foreign = Authority.create(tmp_path / "foreign", MALL, at=NOW)
    foreign.remember_broker(BrokerAddress("localhost", 8883))
    provision_settlement(tmp_path / "foreign settlement", foreign, at=NOW)
    settlement = (tmp_path / "foreign settlement" / "settlement.crt").read_text()
    with pytest.raises(ForeignCertificate):
        install_answer(device, msgspec.structs.replace(answer, settlement_certificate=settlement), at=NOW)
    assert not (device / "settlement.crt").exists()


def test_a_device_whose_clock_is_wrong_says_so(authority, device):
    answer = sign_request(authority, request_certificates(device, "t1", "demo"), at=NOW)
    with pytest.raises(OutOfDate, match="set the clock"):
        install_answer(device, answer, at=NOW - timedelta(days=400))


def test_an_answer_that_was_exchanged_is_known_by_its_fingerprint(authority, device):
    answer = sign_request(authority, request_certificates(device, "t1", "demo"), at=NOW)
    with pytest.raises(BadBundle, match="fingerprint"):
        install_answer(device, answer, fingerprint="0000", at=NOW)
    assert install_answer(device, answer, fingerprint=answer.fingerprint, at=NOW)


def test_settings_are_not_overwritten_unless_it_is_meant(authority, device):
    request = request_certificates(device, "t1", "demo")
    answer = sign_request(authority, request, at=NOW)
    settings = install_answer(device, answer, at=NOW).settings
    settings.write_text(settings.read_text() + "# mine\n")
    with pytest.raises(AlreadyThere, match="--keep-settings"):
        install_answer(device, answer, at=NOW)

    renewed = sign_request(authority, request, at=NOW)
    assert install_answer(device, renewed, existing=Existing.KEEP, at=NOW).replaced is None
    assert settings.read_text().endswith("# mine\n")
    assert (device / "record.crt").read_text() == renewed.record_certificate

    replaced = install_answer(device, answer, existing=Existing.REPLACE, at=NOW).replaced
    assert replaced.read_text().endswith("# mine\n")
    assert not settings.read_text().endswith("# mine\n")


def test_a_terminal_may_belong_to_another_merchant(authority, device):
    merchant = Merchant(name="Corner Books", city="Hangzhou", country="CN", local_name="街角书店")
    answer = sign_request(authority, request_certificates(device, "t1", "demo"), merchant=merchant, at=NOW)
    settings = load_settings(install_answer(device, answer, at=NOW).settings)
    assert (settings.merchant.name, settings.merchant.local_name) == ("Corner Books", "街角书店")


def test_choices_reach_the_settings(authority, device):
    badge_hash = hash_badge("TWB:AAAA")
    choices = TerminalChoices(
        language="en",
        server_port=8801,
        catalogue="catalogue.toml",
        offline=Offline(enabled=True, limit_per_sale=3000),
        supervisors=[Supervisor("陈", badge_hash)],
        devices=[Device("scanner", "hand", "serial", {"port": "/dev/ttyACM0", "baud_rate": 9600, "lines": ["a", "b"]})],
    )
    answer = sign_request(authority, request_certificates(device, "t1", "demo"), at=NOW)
    settings = load_settings(install_answer(device, answer, choices=choices, at=NOW).settings)
    assert (settings.terminal.language, settings.server.port) == ("en", 8801)
    assert settings.checkout.catalogue == device / "catalogue.toml"
    assert (settings.offline.enabled, settings.offline.limit_per_sale) == (True, 3000)
    assert (settings.supervisors[0].name, settings.supervisors[0].badge_hash) == ("陈", badge_hash)
    assert settings.devices[0].options == {"port": "/dev/ttyACM0", "baud_rate": 9600, "lines": ["a", "b"]}


def test_a_badge_does_not_enter_the_settings_as_it_is():
    with pytest.raises(BadName, match="hash of the badge"):
        Supervisor("Chen", "TWB:OQ75D6ZSWQOEABWYRTXQZFLBQI")


def test_a_server_on_the_network_needs_more_than_a_choice():
    with pytest.raises(BadName, match="certificate"):
        TerminalChoices(server_host="0.0.0.0")


def test_settings_are_private_and_plain_toml(authority, device):
    answer = sign_request(authority, request_certificates(device, "t1", "demo"), at=NOW)
    settings = install_answer(device, answer, at=NOW).settings
    assert settings.stat().st_mode & 0o777 == 0o600
    assert tomllib.loads(settings.read_text())["offline"]["enabled"] is False


def test_the_record_certificate_is_for_the_record_key(authority, device):
    answer = sign_request(authority, request_certificates(device, "t1", "demo"), at=NOW)
    install_answer(device, answer, at=NOW)
    lines = {line.role: line for line in authority.issued()}
    assert lines["terminal record"].key_id == key_id_of(FileKey.load(device / "record.key").public_key).hex()
    assert lines["terminal tls"].key_id == FileKey.load(device / "tls.key").key_id.hex()
