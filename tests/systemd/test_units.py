"""The units, accounts, folders and device rules of a terminal and a settlement, judged by systemd's own tools."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
UNITS = sorted(SYSTEMD.glob("*.service"))
WORST_EXPOSURE = 1.6
LONGEST_SALE_S = 45
SETTINGS_CANNOT_HEAL = {"2", "3", "4"}

needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
needs_sysusers = pytest.mark.skipif(
    shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to other accounts")
every_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def settings_of(unit: Path) -> configparser.SectionProxy:
    """Give the last word of each key of [Service]; enough for keys that stand once."""
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(unit)
    return parser["Service"]


@pytest.fixture
def unit_here(unit: Path, tmp_path: Path) -> Path:
    """Copy the unit with a program that this machine has: /opt/tillwave is only on a terminal."""
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE))
    return copy


def test_both_services_have_a_unit():
    assert [unit.name for unit in UNITS] == ["tillwave-settlement.service", "tillwave-terminal.service"]


@needs_analyze
@every_unit
def test_systemd_accepts_the_unit_without_a_word(unit_here: Path):
    verdict = run("systemd-analyze", "verify", unit_here)
    about_us = [line for line in verdict.stderr.splitlines() if "tillwave" in line]
    assert (verdict.returncode, about_us) == (0, [])


@needs_analyze
@every_unit
def test_an_unknown_setting_would_be_told(unit_here: Path):
    unit_here.write_text(unit_here.read_text().replace("NoNewPrivileges=", "NoNewPrivilege="))
    assert "NoNewPrivilege" in run("systemd-analyze", "verify", unit_here).stderr


@needs_analyze
@every_unit
def test_the_service_is_exposed_as_little_as_its_work_allows(unit_here: Path):
    verdict = run("systemd-analyze", "security", "--offline=yes", "--no-pager", unit_here)
    found = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", verdict.stdout)
    assert found is not None, verdict.stderr
    assert float(found[1]) <= WORST_EXPOSURE, verdict.stdout


@every_unit
def test_the_service_says_when_it_is_ready_and_alive(unit: Path):
    settings = settings_of(unit)
    assert settings["Type"] == "notify"
    assert settings["NotifyAccess"] == "main"
    assert int(settings["WatchdogSec"]) > 0


@every_unit
def test_what_a_new_start_cannot_mend_is_not_started_again(unit: Path):
    assert set(settings_of(unit)["RestartPreventExitStatus"].split()) == SETTINGS_CANNOT_HEAL


@every_unit
def test_the_command_line_has_the_command_that_the_unit_starts(unit: Path):
    program, command, option, _ = settings_of(unit)["ExecStart"].split()
    assert Path(program).name == "tillwave"
    told = run("env", "NO_COLOR=1", "TERM=dumb", sys.executable, "-m", "tillwave", command, "--help")
    assert told.returncode == 0, told.stderr
    assert option in told.stdout


def test_a_stop_waits_for_a_shopper_who_types_a_password():
    settings = settings_of(SYSTEMD / "tillwave-terminal.service")
    assert int(settings["TimeoutStopSec"]) > LONGEST_SALE_S
    assert settings["KillMode"] == "mixed", "the camera process ends with its terminal, not before it"


@needs_sysusers
@needs_root
def test_accounts_and_folders_are_made_as_the_units_need_them(tmp_path: Path):
    (tmp_path / "etc").mkdir()
    made = run("systemd-sysusers", f"--root={tmp_path}", SYSTEMD / "tillwave.sysusers")
    assert made.returncode == 0, made.stderr
    users = {line.split(":")[0]: line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    groups = {
        line.split(":")[0]: line.split(":")[3].split(",") for line in (tmp_path / "etc/group").read_text().splitlines()
    }
    for unit in UNITS:
        settings = settings_of(unit)
        assert users[settings["User"]][6] == "/usr/sbin/nologin"
        assert settings["Group"] in groups
        for group in settings.get("SupplementaryGroups", "").split():
            assert settings["User"] in groups[group], "a technician's command as this user sees the same devices"

    folders = run("systemd-tmpfiles", "--create", f"--root={tmp_path}", SYSTEMD / "tillwave.tmpfiles")
    assert folders.returncode == 0, folders.stderr
    for unit in UNITS:
        settings = settings_of(unit)
        config = Path(settings["ExecStart"].split("--config ")[1])
        state = Path("/var/lib") / settings["StateDirectory"]
        for folder in (config.parent, state):
            status = (tmp_path / folder.relative_to("/")).stat()
            assert (status.st_mode & 0o777, status.st_uid) == (0o700, int(users[settings["User"]][2]))
        assert (tmp_path / config.relative_to("/")).with_name("state").readlink() == state


def test_every_rule_for_devices_is_a_rule():
    version = run("udevadm", "--version").stdout.strip() if shutil.which("udevadm") else "0"
    if int(version.split()[0]) < 254:
        pytest.skip(f"`udevadm verify` came with systemd 254; here is {version}")
    verdict = run("udevadm", "verify", "--resolve-names=never", SYSTEMD / "60-tillwave.rules")
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_rules_give_devices_to_groups_that_the_terminal_is_in():
    groups = set(re.findall(r'GROUP="(\w+)"', (SYSTEMD / "60-tillwave.rules").read_text()))
    settings = settings_of(SYSTEMD / "tillwave-terminal.service")
    assert groups <= {settings["Group"], *settings["SupplementaryGroups"].split()}
