"""The simulated devices on their test stands."""

from __future__ import annotations

from typing import Any

from driver_stand import SLIP, CameraRig, MicrophoneRig, Rig, ScannerRig, SpeakerRig, wait_until

from device.drivers.base import Chime, Lamp, Light
from device.drivers.simulated.bench import Bench


class OnBench:
    """What the rigs of the simulated devices share."""

    driver = "simulated"

    @property
    def bench(self) -> Bench:
        return Bench(self.folder / "bench", patience_s=1.0)

    def options(self) -> dict[str, Any]:
        return {"bench": str(self.folder / "bench")}

    def unplug(self) -> None:
        self.bench.unplug(self.kind, "rig")

    def plug(self) -> None:
        self.bench.plug(self.kind, "rig")


class SimulatedCameraRig(OnBench, CameraRig):
    def options(self) -> dict[str, Any]:
        return super().options() | {"width": 320, "height": 240, "frames_per_second": 50.0}


class SimulatedScannerRig(OnBench, ScannerRig):
    def type(self, text: str) -> None:
        self.bench.type_barcode(text, scanner="rig")


class SimulatedMicrophoneRig(OnBench, MicrophoneRig):
    pass


class SimulatedSpeakerRig(OnBench, SpeakerRig):
    def deliver(self) -> bool:
        before = len(self.bench.heard(speaker="rig"))
        self.play()
        heard = self.bench.heard(speaker="rig")
        return len(heard) == before + 1 and len(heard[-1].samples) == 4410 and heard[-1].rate_hz == 44_100


class SimulatedLampsRig(OnBench, Rig):
    kind = "lamps"

    def deliver(self) -> bool:
        self.subject.show(Lamp.READY, Light.ON)
        self.subject.show(Lamp.TROUBLE, Light.BLINK)
        lamps = self.bench.lamps(lamps="rig")
        return lamps == {Lamp.READY: Light.ON, Lamp.WORKING: Light.OFF, Lamp.TROUBLE: Light.BLINK}


class SimulatedIlluminationRig(OnBench, Rig):
    kind = "illumination"

    def deliver(self) -> bool:
        self.subject.shine(0.25)
        return self.bench.illumination(illumination="rig") == 0.25


class SimulatedAimRig(OnBench, Rig):
    kind = "aim"

    def deliver(self) -> bool:
        self.subject.show(Light.BLINK)
        return self.bench.aim(aim="rig") is Light.BLINK


class SimulatedBuzzerRig(OnBench, Rig):
    kind = "buzzer"

    def deliver(self) -> bool:
        self.subject.sound(Chime.PAID)
        return self.bench.chimes(buzzer="rig", forget=True) == [Chime.PAID]


class SimulatedButtonRig(OnBench, Rig):
    kind = "button"

    def deliver(self) -> bool:
        before = len(self.delivered)
        return self.bench.press_button(button="rig") and len(self.delivered) == before + 1


class SimulatedTamperRig(OnBench, Rig):
    kind = "tamper"

    def deliver(self) -> bool:
        self.bench.open_case(tamper="rig")
        self.bench.close_case(tamper="rig")
        return self.delivered[-2:] == [True, False]


class SimulatedPrinterRig(OnBench, Rig):
    kind = "printer"

    def deliver(self) -> bool:
        self.subject.print(SLIP)
        return wait_until(lambda: any("合计 Total" in slip.text for slip in self.bench.slips(printer="rig")), 10.0)
