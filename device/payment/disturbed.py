"""Microphones at which no token can be heard now: noted once when it begins and once when it ends."""

from __future__ import annotations

from collections.abc import Mapping

from device.ports import Health, HealthState
from protocol.records import Jammed

_SENTENCES = {
    "noise": "it works, but tokens drown in the sound around it: look for a noisy machine, or for somebody who jams",
    "preambles": "it works, but is flooded with beginnings of tokens: look for somebody who jams",
}


class Disturbed:
    """Remembers how microphones are disturbed."""

    def __init__(self) -> None:
        self._how: dict[str, str] = {}

    @property
    def how(self) -> str:
        """How the microphone is disturbed that was disturbed first; empty if none is."""
        return next(iter(self._how.values()), "")

    def change(self, device: str, how: str) -> Jammed | None:
        """Give the record of a beginning or, with an empty `how`, of an end; None if it is no news. Notes nothing."""
        if bool(how) is (device in self._how):
            return None
        return Jammed(on=int(bool(how)), how=how or self._how[device], device=device)

    def note(self, record: Jammed) -> None:
        """Remember what is written down."""
        if record.on:
            self._how[record.device] = record.how
        else:
            self._how.pop(record.device, None)

    def healths(self, devices: Mapping[str, Health]) -> dict[str, Health]:
        """Give the healths of devices, with what disturbs them."""
        disturbed = {
            device: Health(HealthState.FAILED, _SENTENCES.get(how, how))
            for device, how in self._how.items()
            if devices.get(device, Health(HealthState.WORKING)).state is HealthState.WORKING
        }
        return {**devices, **disturbed}
