"""A PulseAudio server of a test's own: its microphone hears its loudspeaker, and both can be unplugged."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from driver_stand import wait_until

PLUGINS = list(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so"))
MISSING = [program for program in ("pulseaudio", "pactl") if not shutil.which(program)] + ["libasound2-plugins"] * (
    not PLUGINS
)
MICROPHONE, SPEAKER = "counter_mic", "counter_speaker"
SINK = "TILLWAVE_TEST_SINK"
"""Set where the sound of this process comes from such a server."""

_ALSA = f"""
pcm.!default {{ type pulse }}
ctl.!default {{ type pulse }}
pcm.{MICROPHONE} {{ type pulse device "counter.monitor" }}
pcm.{SPEAKER} {{ type pulse device "counter" }}
"""
_FLAGS = (
    "-n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --disable-shm=yes --realtime=no --high-priority=no"
    " --log-target=stderr"
)
_STARTING_S = 20.0


class SoundServer:
    """Ends with `stop`; knows nothing of a server that the user may have."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tillwave-sound-"))  # a short path: it holds a socket
        (self.folder / "run").mkdir(mode=0o700)
        (self.folder / ".asoundrc").write_text(_ALSA)
        self.socket = self.folder / "run" / "native"
        strangers = ("PULSE_", "ALSA_", "PIPEWIRE_", "DBUS_", "DISPLAY", "WAYLAND_", "PYTEST_", "COV_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(strangers)} | {
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "PULSE_RUNTIME_PATH": str(self.folder / "run"),
            "PULSE_SERVER": f"unix:{self.socket}",
            SINK: "counter",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start with the sound device plugged in; skips the test where PulseAudio refuses to."""
        log = self.folder / "log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                ["pulseaudio", *_FLAGS.split(), "-L", f"module-native-protocol-unix socket={self.socket}"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        answers = wait_until(lambda: self.process.poll() is not None or pactl("info", self.environment), _STARTING_S)
        if not answers or self.process.poll() is not None:
            self.stop()
            said = log.read_text(errors="replace").splitlines()
            pytest.skip(f"pulseaudio does not start here: {said[-1] if said else 'it says nothing'}")
        plug(self.environment)

    def stop(self) -> None:
        """End the server; harmless when it has ended."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.socket.unlink(missing_ok=True)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)


def pactl(command: str, environment: dict[str, str] | None = None) -> bool:
    done = subprocess.run(["pactl", *command.split()], env=environment, capture_output=True, check=False, timeout=20)
    return done.returncode == 0


def plug(environment: dict[str, str] | None = None) -> None:
    """Plug the sound device in: what is played on its loudspeaker is heard by its microphone."""
    assert pactl("load-module module-null-sink sink_name=counter rate=48000 channels=2", environment)


def unplug(environment: dict[str, str] | None = None) -> None:
    assert pactl("unload-module module-null-sink", environment)
