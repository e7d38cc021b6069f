"""Scripts for a bench: one command a line, words separated as in a shell, `key=value` for the rest, `#` for comments.

    wait-for camera front            # until the device works; wait-for scanner hand missing
    wait 1.5                         # seconds
    show-qr TW1:ABCDEF tilt=25 noise=8 seconds=3
    show-picture shelf.png camera=front
    clear-view
    type 6901234567892 aim=]E0 pieces=3,4 pause=20
    play token.wav volume=0.5
    shop-noise 0.05
    press
    open-case
    close-case
    unplug scanner hand
    plug scanner hand
    break camera front freeze
    mend camera front

Further keys: camera, microphone, scanner, button, tamper (names of devices); turn, nod, size, blur, frames. Paths are
relative to the script. A device that is not named has its usual name: front, mic, hand, button, tamper.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from device.drivers.simulated.bench import Bench
from device.drivers.simulated.control import SimulationError

_LONGEST_WAIT_S: Final = 3600.0


class BadScript(SimulationError, ValueError):
    """A line of a script that cannot be understood, or that a device refused."""

    def __init__(self, path: Path, line: int, detail: str) -> None:
        self.path = path
        self.line = line
        super().__init__(f"{path}, line {line}: {detail}")


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a script."""

    line: int
    name: str
    words: tuple[str, ...]
    named: dict[str, Any]


def read_script(path: str | Path) -> list[Command]:
    """Read and check a script; raises BadScript."""
    path = Path(path)
    return _read_lines(path.read_text(encoding="utf-8"), path)


def run_script(bench: Bench, path: str | Path, say: Callable[[str], None] | None = None) -> None:
    """Run a script to its end; `say` hears each line before it is done. Raises BadScript."""
    path = Path(path)
    _run(bench, read_script(path), path, say)


def run_line(bench: Bench, line: str) -> None:
    """Run one command; paths are relative to the present folder. Raises BadScript."""
    here = Path("command")
    _run(bench, _read_lines(line, here), here, None)


def _read_lines(text: str, path: Path) -> list[Command]:
    commands = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
            if words:
                commands.append(_parse(number, words))
        except ValueError as error:
            raise BadScript(path, number, str(error)) from error
    return commands


def _run(bench: Bench, commands: list[Command], path: Path, say: Callable[[str], None] | None) -> None:
    for command in commands:
        if say is not None:
            say(" ".join((command.name, *command.words, *(f"{key}={value}" for key, value in command.named.items()))))
        try:
            _COMMANDS[command.name].run(bench, command, path.parent)
        except (SimulationError, OSError, ValueError) as error:
            raise BadScript(path, command.line, str(error)) from error


@dataclass(frozen=True, slots=True)
class _Kind:
    """What one command takes, and what it does."""

    words: tuple[int, int]
    keys: dict[str, tuple[str, Callable[[str], Any]]]
    run: Callable[[Bench, Command, Path], object]


def _parse(number: int, words: list[str]) -> Command:
    name, *rest = words
    kind = _COMMANDS.get(name)
    if kind is None:
        raise ValueError(f'there is no command "{name}"; known are {", ".join(_COMMANDS)}')
    named = {}
    while rest and (pair := _named(kind, rest[-1])):
        named[pair[0]] = pair[1]
        rest.pop()
    least, most = kind.words
    if not least <= len(rest) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ValueError(f'"{name}" takes {wanted} words and the keys {", ".join(kind.keys) or "none"}')
    return Command(number, name, tuple(rest), named)


def _named(kind: _Kind, word: str) -> tuple[str, Any] | None:
    key, equals, value = word.partition("=")
    if not equals or key not in kind.keys:
        return None
    name, convert = kind.keys[key]
    try:
        return name, convert(value)
    except ValueError as error:
        raise ValueError(f'"{value}" is no value for "{key}"') from error


def _lengths(value: str) -> tuple[int, ...]:
    return tuple(int(length) for length in value.split(","))


def _wait(_: Bench, command: Command, __: Path) -> None:
    seconds = float(command.words[0])
    if not 0 <= seconds <= _LONGEST_WAIT_S:
        raise ValueError(f"wait between 0 and {_LONGEST_WAIT_S:.0f} seconds")
    time.sleep(seconds)


def _wait_for(bench: Bench, command: Command, _: Path) -> None:
    kind, name = command.words[:2]
    health = command.words[2] if len(command.words) > 2 else "working"  # noqa: PLR2004
    bench.wait_for(kind, name, health, **command.named)


_VIEW: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "camera": ("camera", str),
    "tilt": ("tilt_degrees", float),
    "nod": ("nod_degrees", float),
    "turn": ("turn_degrees", float),
    "size": ("size", float),
    "blur": ("blur", float),
    "noise": ("noise", float),
    "seconds": ("seconds", float),
    "frames": ("frames", int),
}
_TYPING: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "scanner": ("scanner", str),
    "aim": ("aim", str),
    "pieces": ("pieces", _lengths),
    "pause": ("pause_ms", int),
}
_COMMANDS: Final[dict[str, _Kind]] = {
    "wait": _Kind((1, 1), {}, _wait),
    "wait-for": _Kind((2, 3), {"seconds": ("seconds", float)}, _wait_for),
    "show-qr": _Kind((1, 1), _VIEW, lambda bench, one, _: bench.show_qr(one.words[0], **one.named)),
    "show-picture": _Kind((1, 1), _VIEW, lambda bench, one, at: bench.show_picture(at / one.words[0], **one.named)),
    "clear-view": _Kind((0, 0), {"camera": ("camera", str)}, lambda bench, one, _: bench.clear_view(**one.named)),
    "type": _Kind((1, 1), _TYPING, lambda bench, one, _: bench.type_barcode(one.words[0], **one.named)),
    "play": _Kind(
        (1, 1),
        {"microphone": ("microphone", str), "volume": ("volume", float)},
        lambda bench, one, at: bench.play_wav(at / one.words[0], **one.named),
    ),
    "shop-noise": _Kind(
        (1, 1),
        {"microphone": ("microphone", str)},
        lambda bench, one, _: bench.shop_noise(float(one.words[0]), **one.named),
    ),
    "press": _Kind((0, 0), {"button": ("button", str)}, lambda bench, one, _: bench.press_button(**one.named)),
    "open-case": _Kind((0, 0), {"tamper": ("tamper", str)}, lambda bench, one, _: bench.open_case(**one.named)),
    "close-case": _Kind((0, 0), {"tamper": ("tamper", str)}, lambda bench, one, _: bench.close_case(**one.named)),
    "unplug": _Kind((2, 2), {}, lambda bench, one, _: bench.unplug(*one.words)),
    "plug": _Kind((2, 2), {}, lambda bench, one, _: bench.plug(*one.words)),
    "break": _Kind((3, 3), {}, lambda bench, one, _: bench.break_device(*one.words)),
    "mend": _Kind((2, 2), {}, lambda bench, one, _: bench.mend_device(*one.words)),
}
