"""What a mall in a box starts does not outlive it."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioning.authority import Authority
from provisioning.broker import provision_broker
from provisioning.mall import BrokerAddress, Mall
from provisioning.settlement import provision_settlement
from tillwave.testing.mall import TEA_HOUSE, TILLWAVE
from tillwave.testing.processes import Program, ProgramFailed

_STARTS_ONE = """
import sys, time
from pathlib import Path
from tillwave.testing.processes import Program
program = Program("sleeper", ("sleep", "60"), Path(sys.argv[1]))
program.start(lambda: Path(f"/proc/{program.pid}/comm").read_text() == "sleep\\n")
print(program.pid, flush=True)
time.sleep(60)
"""


def test_a_program_ends_when_who_started_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _STARTS_ONE, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        sleeper = int(starter.stdout.readline())
        assert runs(sleeper)
        starter.kill()
        starter.wait()
        deadline = time.monotonic() + 20
        while runs(sleeper) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not runs(sleeper)


def runs(pid: int) -> bool:
    """Tell whether a process runs; one that has ended but was not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_program_that_ends_by_itself_is_said_with_its_last_words(tmp_path: Path) -> None:
    program = Program("grumbler", ("sh", "-c", "echo no paper; exit 3"), tmp_path / "log")
    with pytest.raises(ProgramFailed, match="no paper"):
        program.start(lambda: False)


def test_settlement_with_expired_certificates_does_not_start(tmp_path: Path) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=3 * 365)
    mall = Mall(name="old", currency="CNY", merchant=TEA_HOUSE)
    authority = Authority.create(tmp_path / "authority", mall, at=long_ago)
    provision_broker(tmp_path / "broker", authority, BrokerAddress("localhost", 18_883), at=long_ago)
    settings = provision_settlement(tmp_path / "settlement", authority, at=long_ago)
    command = [*TILLWAVE, "settle", "--config", str(settings)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 4
    assert "settlement.crt: the certificate is good from" in done.stderr
    assert "Traceback" not in done.stderr
