"""Profiles of scanners: the shipped ones are whole, a mall's own come first, wrong ones say what is wrong."""

from __future__ import annotations

import pytest

from device.decode.articles import NAMES
from device.decode.symbologies import SYMBOLOGIES, UNKNOWN, symbology_of_aim
from device.drivers.registry import make_driver
from device.drivers.scanners.dialogues import command_of, make_dialogue
from device.drivers.scanners.profile import SHIPPED, BadProfile, UnknownProfile, find_profile, profile_names
from device.drivers.scanners.ssi_packets import read_packet
from device.drivers.serial_scanner import SerialOptions, profile_of, serial_scanner
from device.ports import HealthState

WHOLE = 'title = "T"\nprotocol = "plain"\n'


@pytest.mark.parametrize("name", profile_names())
def test_shipped_profile_is_whole(name: str):
    profile = find_profile(name)
    assert profile.title
    assert profile.devices
    assert profile.setup
    assert profile.proven
    if profile.protocol != "hid-pos":
        make_dialogue(profile)
    for step in profile.start:
        command = command_of(profile, step)
        assert command.accepted
        if profile.protocol == "ssi":
            assert read_packet(command.sent).data == read_packet(command.again).data


@pytest.mark.parametrize("name", profile_names())
def test_shipped_profile_names_only_kinds_of_codes_that_there_are(name: str):
    for meaning in find_profile(name).identifiers.table.values():
        known = symbology_of_aim(meaning) != UNKNOWN if meaning.startswith("]") else meaning in {*SYMBOLOGIES, *NAMES}
        assert known, meaning


def test_makes_of_scanners_are_shipped():
    wanted = {
        "generic-ascii",
        "zebra-ssi",
        "zebra-ascii",
        "gm65",
        "gm861",
        "newland",
        "honeywell",
        "datalogic",
        "hid-pos",
    }
    assert wanted <= set(profile_names())
    assert {path.stem for path in SHIPPED.glob("*.toml")} == set(profile_names())


def test_own_folder_comes_first(tmp_path):
    (tmp_path / "gm65.toml").write_text('title = "Ours"\nprotocol = "plain"\n[line]\nbaud = 115200\n')
    (tmp_path / "till.toml").write_text(WHOLE)
    assert find_profile("gm65", str(tmp_path)).line.baud == 115_200
    assert find_profile("gm861", str(tmp_path)).protocol == "grow"
    assert {"till", "gm65", "gm861"} <= set(profile_names(str(tmp_path)))


def test_settings_of_the_device_win_over_the_profile():
    options = SerialOptions(path="/dev/null", profile="honeywell", baud=9600, suffix="none", prefix="\x02")
    profile = profile_of("hand", options)
    assert (profile.line.baud, profile.framing.suffix, profile.framing.prefix) == (9600, "none", "\x02")
    assert profile.framing.patience_ms == find_profile("honeywell").framing.patience_ms


@pytest.mark.parametrize("name", ["", "../gm65", "GM65", "gm65.toml", "a" * 41, "gm 65", "/etc/passwd"])
def test_name_of_a_profile_is_no_path(name: str):
    with pytest.raises(UnknownProfile, match="is not a name"):
        find_profile(name)


def test_unknown_profile_names_those_that_there_are():
    with pytest.raises(UnknownProfile, match=r'no scanner profile "gm66"; known are: .*gm65, gm861') as caught:
        find_profile("gm66", device="hand")
    assert caught.value.device == "hand"


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(BadProfile, match="there is no folder"):
        find_profile("gm65", str(tmp_path / "away"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing required field"),
        ("title = 1\n", "Expected `str`"),
        (WHOLE + "bauds = 9600\n", "unknown field `bauds`"),
        ("title = [", "Invalid"),
        (WHOLE.replace("plain", "morse"), "Invalid enum value 'morse'"),
        (WHOLE + "[line]\nbaud = 9\n", "Expected `int` >= 300"),
        (WHOLE + '[framing]\nsuffix = "x"\n', "Invalid enum value 'x'"),
        (WHOLE + "[framing]\nwrapped = true\n", 'belong to protocol "grow"'),
        (WHOLE + "[heartbeat]\n", 'belong to protocol "grow"'),
        (WHOLE + "[hid_pos]\n", 'belongs to protocol "hid-pos"'),
        (WHOLE + '[identifiers]\nkind = "table"\n', "belong together"),
        (WHOLE + '[identifiers]\n[identifiers.table]\nd = "EAN13"\n', "belong together"),
        (WHOLE + '[identifiers]\nkind = "table"\n[identifiers.table]\nd = "ean"\n', '"ean" is neither'),
        (
            WHOLE.replace("plain", "ssi") + '[identifiers]\nkind = "table"\n[identifiers.table]\nd = "QR"\n',
            "no identifier",
        ),
        (WHOLE + '[[start]]\nabout = "x"\nsend = "7"\n', "pairs of hex digits"),
        (WHOLE + '[[start]]\nabout = "x"\nsend = "07"\nexpect = "zz"\n', "pairs of hex digits"),
        (WHOLE.replace("plain", "grow") + '[[start]]\nabout = "x"\nsend = "0000"\n', "too short"),
        (WHOLE.replace("plain", "ssi") + '[[start]]\nabout = "x"\nsend = "E9"\nexpect = "D0"\n', "knows its answers"),
        (WHOLE.replace("plain", "ssi") + '[[start]]\nabout = "x"\nsend = "01"\n', "no opcode"),
        (WHOLE.replace("plain", "newland") + '[[start]]\nabout = "x"\nsend = "7E 01"\n', "is no command"),
        (WHOLE.replace("plain", "newland") + '[[start]]\nabout = "x"\nsend = "@QRCENA1;"\n', "is no command"),
        (
            WHOLE.replace("plain", "honeywell") + '[[start]]\nabout = "x"\nsend = "SUFBK2990D"\n',
            "is no command",
        ),
        (WHOLE.replace("plain", "hid-pos") + '[[start]]\nabout = "x"\nsend = "01"\n', "knows no start commands"),
        (WHOLE.replace("plain", "hid-pos") + '[hid_pos]\nfeatures = ["F"]\n', "pairs of hex digits"),
    ],
)
def test_wrong_profile_says_file_and_fault(tmp_path, text: str, said: str):
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(BadProfile) as caught:
        find_profile("own", str(tmp_path))
    assert str(tmp_path / "own.toml") in str(caught.value)
    assert said in str(caught.value)


def test_profile_that_is_no_text(tmp_path):
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadProfile, match=r"own\.toml"):
        find_profile("own", str(tmp_path))


@pytest.mark.parametrize(("profile", "said"), [("hid-pos", "not for a serial line"), ("gm66", "no scanner profile")])
def test_scanner_with_a_wrong_profile_fails_when_it_is_started(profile: str, said: str):
    scanner = make_driver("scanner", "serial", "hand", {"path": "/dev/null", "profile": profile})
    with pytest.raises((BadProfile, UnknownProfile), match=said):
        scanner.start()
    assert scanner.health.state is HealthState.FAILED
    assert said in scanner.health.detail


def test_scanner_is_made_by_its_profile():
    scanner = serial_scanner("/dev/ttyACM0", print, profile="zebra-ssi")
    assert scanner.health.state is HealthState.STOPPED
