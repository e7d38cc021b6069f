"""The real microphone and loudspeaker drivers over a PulseAudio server without hardware."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from driver_stand import wait_until

PLUGINS = list(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so"))
NEEDED = shutil.which("pulseaudio") and shutil.which("pactl") and PLUGINS
pytestmark = pytest.mark.skipif(not NEEDED, reason="needs pulseaudio, pulseaudio-utils and libasound2-plugins")


class SoundServer:
    """A private PulseAudio whose microphone hears its loudspeaker."""

    def __init__(self, folder: Path) -> None:
        (folder / "run").mkdir(mode=0o700)
        (folder / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
        self.socket = folder / "run" / "native"
        self.environment = os.environ | {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "PULSE_RUNTIME_PATH": str(folder / "run"),
            "PULSE_SERVER": f"unix:{self.socket}",
        }
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        flags = (
            "-n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --disable-shm=yes --realtime=no --high-priority=no"
        )
        modules = [
            f"module-native-protocol-unix socket={self.socket}",
            "module-null-sink sink_name=term rate=48000 channels=1",
        ]
        command = ["pulseaudio", *flags.split(), *(part for module in modules for part in ("-L", module))]
        self.process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert wait_until(lambda: self.tell("info") == 0, 10.0)
        assert self.tell("set-default-sink", "term") == 0
        assert self.tell("set-default-source", "term.monitor") == 0

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.socket.unlink(missing_ok=True)

    def tell(self, *words: str) -> int:
        return subprocess.run(["pactl", *words], env=self.environment, capture_output=True, check=False).returncode


class Loop:
    """The process in which the drivers live."""

    def __init__(self, server: SoundServer) -> None:
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("sound_loop.py")],
            env=server.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, line: str):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def is_in(self, *states: str) -> bool:
        return wait_until(lambda: self.ask("health") == list(states) or time.sleep(0.1), 20.0)

    def close(self) -> list[str]:
        last, _ = self.process.communicate(timeout=20)
        return json.loads(last)


@pytest.fixture
def server(tmp_path):
    server = SoundServer(tmp_path)
    server.start()
    yield server
    server.stop()


def test_microphone_hears_the_loudspeaker(server):
    loop = Loop(server)
    assert loop.is_in("working", "working")
    for hertz, rate_hz in ((1875, 48_000), (3000, 44_100)):
        heard = loop.ask(f"tone {hertz} {rate_hz}")
        assert abs(heard["hertz"] - hertz) < 5
        assert abs(heard["loudest"] - 0.5) < 0.05
        assert abs(heard["loud_seconds"] - 0.5) < 0.015  # nothing is cut off at either end
        assert heard["seconds"] > 1.0
    assert loop.close() == ["stopped", "stopped"]


def test_sound_that_went_away_is_missing_and_works_when_it_is_back(server):
    loop = Loop(server)
    assert loop.is_in("working", "working")
    server.stop()
    assert wait_until(lambda: loop.ask("health")[0] != "working" or time.sleep(0.1), 20.0)
    server.start()
    assert loop.is_in("working", "working")
    assert abs(loop.ask("tone 1875 48000")["hertz"] - 1875) < 5
    assert loop.close() == ["stopped", "stopped"]
