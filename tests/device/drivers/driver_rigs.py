"""One rig a driver: the real ones here, with the best stand-in for their hardware, and the simulated ones."""

from __future__ import annotations

import os
import socket
import threading
import tty
from abc import abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from driver_stand import SLIP, CameraRig, MicrophoneRig, Rig, ScannerRig, SpeakerRig, wait_until
from gpiozero.pins.mock import MockFactory
from PIL import Image
from simulated_rigs import (
    SimulatedAimRig,
    SimulatedButtonRig,
    SimulatedBuzzerRig,
    SimulatedCameraRig,
    SimulatedIlluminationRig,
    SimulatedLampsRig,
    SimulatedMicrophoneRig,
    SimulatedPrinterRig,
    SimulatedScannerRig,
    SimulatedSpeakerRig,
    SimulatedTamperRig,
)
from sound_server import MICROPHONE, SINK, SPEAKER, plug, unplug

from device.drivers.base import Chime, Lamp, Light
from device.drivers.gpio import pin_factory
from device.drivers.scanners.hid_pos import make_reports
from device.drivers.scanners.profile import find_profile
from device.drivers.simulated.pty_scanner import PtyScanner
from device.drivers.simulated.voices import make_voice
from device.ports import HealthState


class FilesRig(CameraRig):
    driver = "files"

    def options(self) -> dict[str, Any]:
        self.plug()
        return {"folder": str(self.folder / "pictures"), "frames_per_second": 100.0}

    def unplug(self) -> None:
        (self.folder / "pictures").rename(self.folder / "away")

    def plug(self) -> None:
        if (self.folder / "away").exists():
            (self.folder / "away").rename(self.folder / "pictures")
            return
        (self.folder / "pictures").mkdir()
        for number in range(3):
            Image.new("RGB", (64, 48), (number, 0, 0)).save(self.folder / "pictures" / f"{number}.png")


class WebcamRig(CameraRig):
    driver = "webcam"
    can_be_unplugged = False

    def options(self) -> dict[str, Any]:
        path = os.environ.get("TILLWAVE_TEST_WEBCAM", "/dev/video0")
        if not Path(path).exists():
            pytest.skip(f"there is no webcam at {path}; TILLWAVE_TEST_WEBCAM names another")
        return {"path": path}


class SerialRig(ScannerRig):
    driver = "serial"

    def options(self) -> dict[str, Any]:
        self.master = -1
        self.plug()
        return {"path": str(self.folder / "scanner")}

    def type(self, text: str) -> None:
        self.send(text.encode() + b"\r")

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    def plug(self) -> None:
        self.master, slave = os.openpty()
        (self.folder / "scanner").symlink_to(os.ttyname(slave))
        os.close(slave)

    def unplug(self) -> None:
        (self.folder / "scanner").unlink()
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        super().close()
        if self.master >= 0:
            os.close(self.master)


class SpeakingRig(ScannerRig):
    """The serial driver with a scanner that speaks a protocol."""

    driver = "serial"
    profile: ClassVar[str]

    def options(self) -> dict[str, Any]:
        self.scanner = PtyScanner(make_voice(find_profile(self.profile)), self.folder / "scanner")
        self.plug()
        return {"path": str(self.folder / "scanner"), "profile": self.profile}

    def type(self, text: str) -> None:
        self.scanner.scan(text.encode())

    def plug(self) -> None:
        self.scanner.voice = make_voice(find_profile(self.profile))
        self.scanner.plug()

    def unplug(self) -> None:
        self.scanner.unplug()

    def close(self) -> None:
        super().close()
        self.scanner.unplug()


class GrowRig(SpeakingRig):
    profile = "gm65"


class SsiRig(SpeakingRig):
    profile = "zebra-ssi"


class HidPosRig(ScannerRig):
    """The HID POS driver with a pseudo-terminal that gives the reports of a hidraw device."""

    driver = "hid-pos"

    def options(self) -> dict[str, Any]:
        self.master = -1
        self.plug()
        return {"path": str(self.folder / "hidraw*")}

    def type(self, text: str) -> None:
        for report in make_reports(text.encode(), "]E0"):
            os.write(self.master, report)

    def plug(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        (self.folder / "hidraw0").symlink_to(os.ttyname(slave))
        os.close(slave)

    def unplug(self) -> None:
        (self.folder / "hidraw0").unlink()
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        super().close()
        if self.master >= 0:
            os.close(self.master)


class HidRig(ScannerRig):
    driver = "hid"

    def options(self) -> dict[str, Any]:
        evdev = pytest.importorskip("evdev", reason="evdev is not installed")
        if not os.access("/dev/uinput", os.W_OK):
            pytest.skip("there is no /dev/uinput to make a keyboard of")
        self.evdev = evdev
        self.plug()
        return {"path": self.keyboard.device.path}

    def plug(self) -> None:
        self.keyboard = self.evdev.UInput(name="scanner of a test")

    def unplug(self) -> None:
        self.keyboard.close()

    def type(self, text: str) -> None:
        codes = self.evdev.ecodes
        for key in [*(f"KEY_{letter}" for letter in text), "KEY_ENTER"]:
            for value in (1, 0):
                self.keyboard.write(codes.EV_KEY, codes.ecodes[key], value)
                self.keyboard.syn()

    def close(self) -> None:
        super().close()
        self.keyboard.close()


class OnSoundCard:
    """What the rigs of sound share; a sound server of test_driver_sound_loop can be unplugged, a real card cannot."""

    driver = "sounddevice"
    can_be_unplugged = SINK in os.environ
    sound_device: ClassVar[str]
    direction: ClassVar[str]

    def options(self) -> dict[str, Any]:
        if not self.can_be_unplugged:
            _need_sound(self.direction)
            return {}
        self.is_plugged = True
        return {"device": self.sound_device}

    def is_in(self, state: HealthState, seconds: float = 30.0) -> bool:
        return wait_until(lambda: self.subject.health.state is state, seconds)

    def unplug(self) -> None:
        unplug()
        self.is_plugged = False

    def plug(self) -> None:
        plug()
        self.is_plugged = True

    def close(self) -> None:
        self.subject.stop()
        if self.can_be_unplugged and not self.is_plugged:
            self.plug()


class SoundMicrophoneRig(OnSoundCard, MicrophoneRig):
    sound_device, direction = MICROPHONE, "input"

    def deliver(self) -> bool:
        before = len(self.delivered)
        return wait_until(lambda: len(self.delivered) > before + 2, 30.0) and self.delivered[-1].rate_hz >= 16_000


class SoundSpeakerRig(OnSoundCard, SpeakerRig):
    sound_device, direction = SPEAKER, "output"

    def deliver(self) -> bool:
        self.play()
        return wait_until(self.is_playing) and wait_until(lambda: not self.is_playing(), 30.0) and self.is_working()

    def is_playing(self) -> bool:
        return bool(self.subject._at_the_device.locked())

    def is_working(self) -> bool:
        return self.subject.health.state is HealthState.WORKING


class PinRig(Rig):
    """A driver on gpiozero's own mock pins."""

    driver = "gpiozero"
    can_be_unplugged = False

    def options(self) -> dict[str, Any]:
        return {"factory": "mock"}

    @property
    def pins(self) -> MockFactory:
        return pin_factory("mock")

    def close(self) -> None:
        super().close()
        self.pins.reset()


class GpioLampsRig(PinRig):
    kind = "lamps"

    def deliver(self) -> bool:
        self.subject.show(Lamp.READY, Light.ON)
        return bool(self.pins.pin(17).state)


class GpioIlluminationRig(PinRig):
    kind = "illumination"

    def options(self) -> dict[str, Any]:
        return super().options() | {"pwm": True}

    def deliver(self) -> bool:
        self.subject.shine(0.25)
        return bool(self.pins.pin(12).state == 0.25)


class GpioAimRig(PinRig):
    kind = "aim"

    def deliver(self) -> bool:
        self.subject.show(Light.ON)
        return bool(self.pins.pin(25).state)


class GpioBuzzerRig(PinRig):
    kind = "buzzer"

    def deliver(self) -> bool:
        self.pins.pin(13).clear_states()
        self.subject.sound(Chime.SEEN)
        return wait_until(lambda: [bool(state.state) for state in self.pins.pin(13).states] == [False, True, False])


class GpioButtonRig(PinRig):
    kind = "button"

    def deliver(self) -> bool:
        before = len(self.delivered)
        self.pins.pin(23).drive_low()
        self.pins.pin(23).drive_high()
        return wait_until(lambda: len(self.delivered) == before + 1)


class GpioTamperRig(PinRig):
    kind = "tamper"

    def deliver(self) -> bool:
        self.pins.pin(24).drive_low()
        closed = wait_until(lambda: self.delivered[-1:] == [False])
        self.pins.pin(24).drive_high()
        return closed and wait_until(lambda: self.delivered[-1:] == [True])


class EscposRig(Rig):
    """A real printer driver, with something that takes its bytes."""

    kind = "printer"
    driver = "escpos"

    @abstractmethod
    def taken(self) -> bytes: ...

    def deliver(self) -> bool:
        self.subject.print(SLIP)
        return wait_until(lambda: "合计 Total".encode("gb18030") in self.taken(), 10.0)


class FilePrinterRig(EscposRig):
    def options(self) -> dict[str, Any]:
        self.plug()
        return {"connection": "file", "path": str(self.folder / "lp0")}

    def taken(self) -> bytes:
        return (self.folder / "lp0").read_bytes()

    def plug(self) -> None:
        (self.folder / "lp0").touch()

    def unplug(self) -> None:
        (self.folder / "lp0").unlink()


class SerialPrinterRig(EscposRig):
    def options(self) -> dict[str, Any]:
        self.output = bytearray()
        self.plug()
        return {"connection": "serial", "path": str(self.folder / "printer")}

    def plug(self) -> None:
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        (self.folder / "printer").symlink_to(os.ttyname(self.slave))

    def unplug(self) -> None:
        (self.folder / "printer").unlink()
        os.close(self.master)
        os.close(self.slave)

    def taken(self) -> bytes:
        with suppress(BlockingIOError):
            self.output += os.read(self.master, 65_536)
        return bytes(self.output)

    def close(self) -> None:
        super().close()
        if (self.folder / "printer").exists():
            self.unplug()


class NetworkPrinterRig(EscposRig):
    can_be_unplugged = False

    def options(self) -> dict[str, Any]:
        self.output = bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return {"connection": "network", "host": "127.0.0.1", "port": self.listener.getsockname()[1]}

    def serve(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                while piece := peer.recv(4096):
                    self.output += piece

    def taken(self) -> bytes:
        return bytes(self.output)

    def close(self) -> None:
        super().close()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def _need_sound(direction: str) -> None:
    import sounddevice  # noqa: PLC0415  may be missing

    if not any(device[f"max_{direction}_channels"] for device in sounddevice.query_devices()):
        pytest.skip(f"this machine has no sound {direction}")


RIGS: list[type[Rig]] = [
    SimulatedCameraRig,
    FilesRig,
    WebcamRig,
    SimulatedScannerRig,
    SerialRig,
    GrowRig,
    SsiRig,
    HidPosRig,
    HidRig,
    SimulatedMicrophoneRig,
    SoundMicrophoneRig,
    SimulatedSpeakerRig,
    SoundSpeakerRig,
    SimulatedLampsRig,
    GpioLampsRig,
    SimulatedIlluminationRig,
    GpioIlluminationRig,
    SimulatedAimRig,
    GpioAimRig,
    SimulatedBuzzerRig,
    GpioBuzzerRig,
    SimulatedButtonRig,
    GpioButtonRig,
    SimulatedTamperRig,
    GpioTamperRig,
    SimulatedPrinterRig,
    FilePrinterRig,
    SerialPrinterRig,
    NetworkPrinterRig,
]
