"""Bundles, settings and files, as somebody else may have written them."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provisioned_mall import MALL, NOW

from provisioning.authority import Authority
from provisioning.bundles import read_answer, read_request_bundle
from provisioning.errors import AlreadyThere, BadBundle, BadName, NameTaken, NotThere
from provisioning.files import read_bundle, replace, write_new
from provisioning.mall import BrokerAddress
from provisioning.settlement import Owner, PhoneAddress, SettlementChoices, Shares, provision_settlement
from provisioning.toml import write_toml
from settlement.config import load_settings

SCALARS = (
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
VALUES = SCALARS | st.floats(allow_nan=False, allow_infinity=False) | st.lists(SCALARS, max_size=3)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


@given(st.dictionaries(KEYS, VALUES | TABLES | st.lists(TABLES, min_size=1, max_size=2), max_size=5))
def test_what_is_written_is_read_again(document):
    assert tomllib.loads(write_toml(document)) == document


def test_comments_stand_beside_their_keys():
    text = write_toml({"broker": {"port": 8883}}, {"broker.port": "of the mall"})
    assert text.splitlines()[1].endswith("# of the mall")
    assert tomllib.loads(text) == {"broker": {"port": 8883}}


@pytest.mark.parametrize("read", [read_answer, read_request_bundle])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff\xfe",
        b'{"kind": "tillwave terminal request", "version": 2}',
        b'{"kind": "tillwave terminal request", "mall": "demo", "terminal": 1, "record": "", "tls": ""}',
        b'{"kind": "tillwave terminal request", "mall": "d", "terminal": "t", "record": "", "tls": "", "more": 1}',
        b"[" * 60000,
    ],
)
def test_what_is_no_bundle_is_refused(read, data):
    with pytest.raises(BadBundle):
        read(data)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_readers(data):
    with pytest.raises(BadBundle):
        read_request_bundle(data)


def test_a_huge_bundle_is_not_read(tmp_path):
    (tmp_path / "request.json").write_bytes(b" " * 70000)
    with pytest.raises(BadBundle, match="larger"):
        read_bundle(tmp_path / "request.json", "")


def test_a_missing_bundle_is_said_to_be_missing(tmp_path):
    with pytest.raises(NotThere, match="bring it"):
        read_bundle(tmp_path / "request.json", "bring it")


def test_new_files_are_new(tmp_path):
    write_new(tmp_path / "a", "1")
    with pytest.raises(AlreadyThere):
        write_new(tmp_path / "a", "2")
    replace(tmp_path / "a", "3", mode=0o600)
    assert (tmp_path / "a").read_text() == "3"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.fixture
def authority(tmp_path):
    made = Authority.create(tmp_path / "authority", MALL, at=NOW)
    made.remember_broker(BrokerAddress("mqtt.example", 18883))
    return made


def test_settlement_reads_its_settings(authority, tmp_path):
    choices = SettlementChoices(
        shares=Shares(version="2026-1", merchant=9000, platform=500, mall=300, third=200, third_party="Charity"),
        phones=PhoneAddress(listen="0.0.0.0", port=9443, host="pay.example"),
        owners={"t1": Owner(merchant="Corner Books", store="Ground floor"), "t2": Owner(store="First floor")},
        beat_s=1.0,
    )
    settings = load_settings(provision_settlement(tmp_path / "settlement", authority, choices=choices, at=NOW))
    assert (settings.mall, settings.currency, settings.merchant) == ("demo", "CNY", "Jade Tea")
    assert (settings.broker.host, settings.broker.port, settings.http.port) == ("mqtt.example", 18883, 9443)
    assert (settings.splits.platform, settings.splits.third_party) == (500, "Charity")
    assert (settings.merchant_of("t1"), settings.merchant_of("t2")) == ("Corner Books", "Jade Tea")
    assert settings.store_of("t2") == "First floor"
    assert settings.certificate.exists()


def test_settlement_cannot_be_made_before_the_broker(tmp_path):
    authority = Authority.create(tmp_path / "authority", MALL, at=NOW)
    with pytest.raises(NotThere, match="broker first"):
        provision_settlement(tmp_path / "settlement", authority, at=NOW)
    assert not (tmp_path / "settlement").exists()


def test_a_second_settlement_is_refused_unless_it_is_meant(authority, tmp_path):
    provision_settlement(tmp_path / "settlement", authority, at=NOW)
    first = authority.settlement_certificate
    with pytest.raises(AlreadyThere):
        provision_settlement(tmp_path / "settlement", authority, at=NOW)
    with pytest.raises(NameTaken):
        provision_settlement(tmp_path / "second", authority, at=NOW)
    assert authority.settlement_certificate == first
    provision_settlement(tmp_path / "third", authority, replace=True, at=NOW)
    assert authority.settlement_certificate != first


@pytest.mark.parametrize(
    "make",
    [
        lambda: Shares(merchant=9999),
        lambda: Shares(merchant=10100, platform=-100),
        lambda: PhoneAddress(port=0),
        lambda: PhoneAddress(listen="localhost"),
        lambda: BrokerAddress("mqtt example", 8883),
        lambda: BrokerAddress("mqtt.example", 70000),
    ],
)
def test_choices_that_cannot_be_meant_are_refused(make):
    with pytest.raises(BadName):
        make()
