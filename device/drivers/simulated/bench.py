"""The bench: works the simulated devices of a running terminal from outside, in Python."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from device.drivers.base import Chime, Lamp, Light
from device.drivers.simulated import control
from device.drivers.simulated.control import Answer, NoSuchDevice, Request, Standing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LOOK_AGAIN_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class SeenDevice:
    """One simulated device and how it stands."""

    kind: str
    name: str
    plugged: bool
    fault: str
    faults: dict[str, str]
    """How it can be broken, with a sentence each."""
    health: str
    detail: str


@dataclass(frozen=True, slots=True)
class PrintedSlip:
    """One slip: the bytes that the printer got, and what they say."""

    data: bytes
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class HeardSound:
    """One sound of the loudspeaker: 16-bit samples."""

    samples: NDArray[np.int16]
    rate_hz: int
    at_ms: int


class Bench:
    """All simulated devices of one terminal; `folder` is the `bench` of their settings.

    Every call waits up to `patience_s` for its device to listen, so that a terminal may still be starting. Times are
    CLOCK_MONOTONIC in milliseconds. Raises SimulationError: NoSuchDevice, or Refused with the reason.
    """

    def __init__(self, folder: str | Path, patience_s: float = 5.0) -> None:
        self.folder = Path(folder)
        self._patience_s = patience_s

    def devices(self) -> list[SeenDevice]:
        """List the devices that listen now."""
        found = []
        for kind, name in control.listening(self.folder):
            try:
                answer = control.ask(self.folder, kind, name, control.Describe())
            except NoSuchDevice:
                continue  # a socket that a killed terminal left behind
            found.append(msgspec.convert(answer, type=SeenDevice))
        return found

    def wait_for(self, kind: str, name: str, health: str = "working", seconds: float = 10.0) -> SeenDevice:
        """Wait until a device listens and is in that health; raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                seen = msgspec.convert(control.ask(self.folder, kind, name, control.Describe()), type=SeenDevice)
                if seen.health == health:
                    return seen
            except NoSuchDevice:
                seen = None
            if time.monotonic() > deadline:
                state = "not there" if seen is None else seen.health
                raise TimeoutError(f'{kind} "{name}" is {state}, not {health}, after {seconds} seconds')
            time.sleep(_LOOK_AGAIN_S)

    def show_qr(self, content: str | bytes, *, camera: str = "front", **how: Any) -> int:
        """Hold a QR code before a camera, and give the time at which it was there.

        `how`: tilt_degrees, nod_degrees, turn_degrees, size (share of the picture's height), blur (radius in pixels),
        noise (standard deviation in steps of gray), seconds or frames (how long; without either, until something else).
        """
        key = "text" if isinstance(content, str) else "data"
        return self._show(camera, **{key: content}, **how)

    def show_picture(self, picture: str | Path | NDArray[np.uint8], *, camera: str = "front", **how: Any) -> int:
        """Hold an image file, or an array of gray or RGB, before a camera; `how` as in `show_qr`, but size 1."""
        return self._show(camera, picture=_image_file(picture), **({"size": 1.0} | how))

    def clear_view(self, *, camera: str = "front") -> None:
        """Take away what is before the camera."""
        from device.drivers.simulated.camera import ClearView  # noqa: PLC0415  numpy

        self._ask("camera", camera, ClearView())

    def play_wav(self, path: str | Path, *, microphone: str = "mic", volume: float = 1.0) -> int:
        """Play a WAV file into a microphone; gives the time of its last sample."""
        from device.drivers.pcm import read_wav  # noqa: PLC0415  numpy

        samples, rate_hz = read_wav(Path(path))
        return self.play_samples(samples, rate_hz, microphone=microphone, volume=volume)

    def play_samples(self, samples: NDArray[Any], rate_hz: int, *, microphone: str = "mic", volume: float = 1.0) -> int:
        """Play 16-bit samples, or float ones in [-1, 1], into a microphone; gives the time of the last sample."""
        from device.drivers.pcm import to_int16  # noqa: PLC0415  numpy
        from device.drivers.simulated.sound import Play  # noqa: PLC0415

        pcm = to_int16(samples).astype("<i2").tobytes()
        answer = self._ask("microphone", microphone, Play(pcm=pcm, rate_hz=rate_hz, volume=volume))
        return int(answer["ends_at_ms"])

    def shop_noise(self, level: float, *, microphone: str = "mic") -> None:
        """Set the noise of the shop: root mean square, 1 is full scale."""
        from device.drivers.simulated.sound import ShopNoise  # noqa: PLC0415  numpy

        self._ask("microphone", microphone, ShopNoise(level=level))

    def type_barcode(
        self,
        text: str | bytes,
        aim: str = "",
        pieces: Sequence[int] = (),
        *,
        pause_ms: int = 5,
        suffix: bytes | None = None,
        scanner: str = "hand",
    ) -> int:
        """Let a scanner send a code, torn after so many bytes each; gives the time at which it began."""
        from device.drivers.simulated.scanner import Type  # noqa: PLC0415

        data = text.encode() if isinstance(text, str) else text
        request = Type(data=data, aim=aim, pieces=tuple(pieces), pause_ms=pause_ms, suffix=suffix)
        return int(self._ask("scanner", scanner, request)["at_ms"])

    def press_button(self, *, button: str = "button") -> bool:
        """Press the button; False if it did not feel it."""
        from device.drivers.simulated.gpio import Press  # noqa: PLC0415

        return bool(self._ask("button", button, Press())["felt"])

    def open_case(self, *, tamper: str = "tamper") -> None:
        """Open the case."""
        self._move_case(tamper, is_open=True)

    def close_case(self, *, tamper: str = "tamper") -> None:
        """Close the case."""
        self._move_case(tamper, is_open=False)

    def unplug(self, kind: str, name: str) -> None:
        """Pull a device out; holds also for a terminal that is started later."""
        self._stand(kind, name, control.Unplug(), lambda was: Standing(plugged=False, fault=was.fault))

    def plug(self, kind: str, name: str) -> None:
        """Put a device in again."""
        self._stand(kind, name, control.Plug(), lambda was: Standing(plugged=True, fault=was.fault))

    def break_device(self, kind: str, name: str, how: str) -> None:
        """Break a device in a way that it knows (see `devices`); holds also for a terminal that is started later."""
        self._stand(kind, name, control.Break(how=how), lambda was: Standing(plugged=was.plugged, fault=how))

    def mend_device(self, kind: str, name: str) -> None:
        """Repair a device."""
        self._stand(kind, name, control.Mend(), lambda was: Standing(plugged=was.plugged))

    def lamps(self, *, lamps: str = "lamps") -> dict[Lamp, Light]:
        """Tell how the lamps are now."""
        now = self._history("lamps", lamps, forget=False)["now"]
        return {Lamp(lamp): Light(light) for lamp, light in now.items()}

    def lamp_history(self, *, lamps: str = "lamps", forget: bool = False) -> list[tuple[int, Lamp, Light]]:
        """Tell every change of the lamps, with its time."""
        history = self._history("lamps", lamps, forget=forget)["history"]
        return [(event["at_ms"], Lamp(event["lamp"]), Light(event["light"])) for event in history]

    def illumination(self, *, illumination: str = "illumination") -> float:
        """Tell how brightly the lamp shines now, 0 to 1."""
        return float(self._history("illumination", illumination, forget=False)["now"]["level"])

    def illumination_history(self, *, illumination: str = "illumination", forget: bool = False) -> list[float]:
        """Tell every level that the lamp was set to, oldest first."""
        history = self._history("illumination", illumination, forget=forget)["history"]
        return [float(event["level"]) for event in history]

    def aim(self, *, aim: str = "aim") -> Light:
        """Tell what the light beside the camera does now."""
        return Light(self._history("aim", aim, forget=False)["now"]["light"])

    def aim_history(self, *, aim: str = "aim", forget: bool = False) -> list[Light]:
        """Tell every change of the light beside the camera, oldest first."""
        return [Light(event["light"]) for event in self._history("aim", aim, forget=forget)["history"]]

    def chimes(self, *, buzzer: str = "buzzer", forget: bool = False) -> list[Chime]:
        """Tell what the buzzer sounded, oldest first."""
        return [Chime(event["chime"]) for event in self._history("buzzer", buzzer, forget=forget)["history"]]

    def slips(self, *, printer: str = "printer", forget: bool = False) -> list[PrintedSlip]:
        """Tell what was printed, oldest first."""
        from device.drivers.simulated.printer import Slips  # noqa: PLC0415

        answer = self._ask("printer", printer, Slips(forget=forget))
        return msgspec.convert(answer["slips"], type=list[PrintedSlip])

    def heard(self, *, speaker: str = "speaker", forget: bool = False) -> list[HeardSound]:
        """Tell what the loudspeaker played in the last half minute, oldest first."""
        import numpy  # noqa: ICN001, PLC0415  heavy, and needed only here

        from device.drivers.simulated.sound import Heard  # noqa: PLC0415

        played = self._ask("speaker", speaker, Heard(forget=forget))["played"]
        return [
            HeardSound(numpy.frombuffer(base64.b64decode(one["pcm"]), "<i2"), one["rate_hz"], one["at_ms"])
            for one in played
        ]

    def _ask(self, kind: str, name: str, request: Request) -> Answer:
        return control.ask(self.folder, kind, name, request, self._patience_s)

    def _show(self, camera: str, **what: Any) -> int:
        from device.drivers.simulated.camera import Show  # noqa: PLC0415  numpy

        return int(self._ask("camera", camera, Show(**what))["at_ms"])

    def _move_case(self, tamper: str, *, is_open: bool) -> None:
        from device.drivers.simulated.gpio import Case  # noqa: PLC0415

        self._ask("tamper", tamper, Case(open=is_open))

    def _history(self, kind: str, name: str, *, forget: bool) -> Answer:
        from device.drivers.simulated.gpio import History  # noqa: PLC0415

        return self._ask(kind, name, History(forget=forget))

    def _stand(self, kind: str, name: str, request: Request, change: Callable[[Standing], Standing]) -> None:
        """Ask a device that listens; leave the state for one that does not."""
        try:
            control.ask(self.folder, kind, name, request)
        except NoSuchDevice:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            was = control.read_standing(self.folder, kind, name)
            control.write_standing(self.folder, kind, name, change(was))


def _image_file(picture: str | Path | NDArray[np.uint8]) -> bytes:
    if isinstance(picture, str | Path):
        return Path(picture).read_bytes()
    from PIL import Image  # noqa: PLC0415

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()
