"""From a profile to the dialogue with its scanner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from device.drivers.framing import Cutter, Framer
from device.drivers.scanners import grow, honeywell, newland, ssi
from device.drivers.scanners.commands import Command
from device.drivers.scanners.dialogue import Dialogue, TextDialogue
from device.drivers.scanners.identifiers import Identifier
from device.drivers.scanners.profile import Framing, Profile, Step, from_hex
from device.drivers.scanners.pulse import Pulse

_ZONE_BYTES: Final = 2
_HEARTBEAT_PATIENCE_MS: Final = 2000


def make_dialogue(profile: Profile) -> Dialogue:
    """Make the dialogue of a scanner on a serial line; a profile of protocol "hid-pos" has none (ValueError)."""
    commands = [command_of(profile, step) for step in profile.start]
    identifier = Identifier(profile.identifiers)
    match profile.protocol:
        case "ssi":
            return ssi.SsiDialogue(identifier, commands, profile.framing.longest)
        case "hid-pos":
            raise ValueError("a HID POS scanner is not on a serial line")
        case _:
            return TextDialogue(_cutter(profile), identifier, commands, _pulse(profile, commands))


def command_of(profile: Profile, step: Step) -> Command:
    """Give the bytes and answers of one step of a profile."""
    about = step.about
    match profile.protocol:
        case "ssi":
            return ssi.command(
                about, from_hex(step.send), within_ms=step.within_ms, tries=step.tries, needed=step.needed
            )
        case "grow":
            raw = from_hex(step.send)
            sent = grow.write_zone(int.from_bytes(raw[:_ZONE_BYTES], "big"), raw[_ZONE_BYTES:]).encode()
            accepted: tuple[bytes, ...] = (grow.ACKNOWLEDGED,)
            refused: tuple[bytes, ...] = ()
        case "newland":
            sent, accepted = newland.command(step.send), (newland.accepted(step.send),)
            refused = newland.refused(step.send)
        case "honeywell":
            sent, accepted = honeywell.menu_command(step.send), (honeywell.menu_done(step.send),)
            refused = honeywell.menu_refused(step.send)
        case _:
            sent = from_hex(step.send)
            accepted = (from_hex(step.expect),) if step.expect else ()
            refused = (from_hex(step.refuse),) if step.refuse else ()
    return Command(about, sent, accepted, refused, b"", step.within_ms, step.tries, step.needed)


def _pulse(profile: Profile, commands: Sequence[Command]) -> Pulse | None:
    heartbeat = profile.heartbeat
    if heartbeat is None:
        return None
    command = Command(
        "give a sign of life",
        grow.HEARTBEAT.encode(),
        (grow.ALIVE,),
        within_ms=_HEARTBEAT_PATIENCE_MS,
        tries=heartbeat.misses,
    )
    return Pulse(command, heartbeat.every_s * 1000, commands[0] if commands else None)


def _cutter(profile: Profile) -> Cutter:
    framing = profile.framing
    if profile.protocol == "msgget":
        return honeywell.MessageFramer(patience_ms=framing.patience_ms, longest=framing.longest)
    if framing.wrapped:
        return grow.WrappedFramer(patience_ms=framing.patience_ms, longest=framing.longest)
    return _text_framer(framing)


def _text_framer(framing: Framing) -> Framer:
    return Framer(
        framing.suffix,
        prefix=framing.prefix.encode(),
        silence_ms=framing.silence_ms,
        patience_ms=framing.patience_ms,
        longest=framing.longest,
    )
