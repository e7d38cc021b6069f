"""`tillwave sound`: which sound devices there are, what a microphone hears, and recordings for whoever asks for one."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillwave.exits import Exit, exit_on, leave

if TYPE_CHECKING:
    from device.drivers.base import Microphone
    from tillwave.sound_view import Sounding

app = typer.Typer(help="Sound devices, levels and recordings, by the drivers of the terminal.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Device = Annotated[
    str, typer.Option(help="Part of the sound device's name; with --config the name of a microphone in there.")
]
HostApi = Annotated[str, typer.Option(help="Part of the name of PortAudio's way to the device, such as ALSA.")]
Config = Annotated[Path | None, typer.Option(help="Take the microphone of these settings of a terminal.")]
_LONGEST_S = 600


@app.command()
def devices(*, json: Json = False) -> None:
    """List the sound devices by the names that the drivers look for."""
    from device.drivers import portaudio

    with _refusals():
        sound = portaudio.load("sound")
        with portaudio.stream(sound, "sound"):
            found = portaudio.list_devices(sound, "sound")
    if not found:
        raise leave(Exit.SOMETHING_MISSING, "there is no sound device; is one plugged in, and may this user use it?")
    for one in found:
        row = {"name": one.name, "host_api": one.host_api, "inputs": one.inputs, "outputs": one.outputs}
        if json:
            typer.echo(json_text.dumps({**row, "rate_hz": one.rate_hz}, ensure_ascii=False))
        else:
            ways = ", ".join(f"{count} {way}" for way, count in (("in", one.inputs), ("out", one.outputs)) if count)
            typer.echo(f"{one.name}  ({one.host_api}; {ways}; {one.rate_hz} Hz)")


@app.command()
def meter(
    recording: Annotated[Path | None, typer.Argument(help="A WAV file instead of a microphone.")] = None,
    *,
    config: Config = None,
    device: Device = "",
    host_api: HostApi = "",
    seconds: Annotated[float, typer.Option(min=0, help="End after so long; 0 goes on until Ctrl-C.")] = 0.0,
    ggwave: Annotated[bool, typer.Option("--ggwave", help="Listen for ggwave tokens as well.")] = False,
    json: Json = False,
) -> None:
    """Show level, spectrum, clipping and how well tokens are heard; never what a token says. Keeps nothing."""
    from protocol.waveform import GGWAVE, TILLWAVE
    from tillwave.sound_source import Choice, make_microphone
    from tillwave.sound_view import Sounding

    sounding = Sounding((TILLWAVE, GGWAVE) if ggwave else (TILLWAVE,))
    with _refusals(), suppress(KeyboardInterrupt):
        try:
            if recording is not None:
                _measure_file(recording, sounding, json=json)
            else:
                _measure(make_microphone(Choice(config, device, host_api)), sounding, seconds, json=json)
        finally:
            sounding.close()


@app.command()
def record(
    output: Annotated[Path, typer.Argument(help="The WAV file to write.")],
    *,
    seconds: Annotated[float, typer.Option(min=0.1, max=_LONGEST_S, help="How long.")] = 10.0,
    config: Config = None,
    device: Device = "",
    host_api: HostApi = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if there is one.")] = False,
) -> None:
    """Keep what a microphone hears in a WAV file that only its owner may read.

    A terminal never keeps sound by itself. A recording holds what people said near the counter, and payment tokens.
    """
    from tillwave.sound_source import Choice, make_microphone

    if output.exists() and not overwrite:
        raise leave(Exit.FAILED, f"{output} is there already; name another file, or say --overwrite")
    with _refusals():
        microphone = make_microphone(Choice(config, device, host_api))
        typer.echo(f"recording {seconds:g} s into {output}: voices and payment tokens near the counter are kept in it")
        kept_s = _record(microphone, output, seconds, overwrite=overwrite)
    typer.echo(f"kept {kept_s:.1f} s in {output}, for its owner alone; remove it when it has served its purpose")


def _measure(microphone: Microphone, sounding: Sounding, seconds: float, *, json: bool) -> None:
    """Show a microphone until the time is over."""
    from rich.live import Live

    from tillwave.sound_source import PIECE_S, listening
    from tillwave.sound_view import picture

    shown_s = 0.0
    with nullcontext() if json else Live(auto_refresh=False) as live, listening(microphone) as pieces:
        for piece in pieces:
            sounding.take(piece.pcm, piece.rate_hz)
            if sounding.heard_s < shown_s + PIECE_S:
                continue
            shown_s, seen = sounding.heard_s, sounding.look()
            if live is None:
                typer.echo(json_text.dumps({**seen, "overruns": microphone.overruns}))
            else:
                live.update(picture(seen, microphone.health.detail, microphone.overruns), refresh=True)
            if seconds and shown_s >= seconds:
                return


def _measure_file(path: Path, sounding: Sounding, *, json: bool) -> None:
    """Show a recording: a line for each piece as JSON, otherwise its loudest moment."""
    from rich.console import Console

    from device.decode.files import recorded_pieces
    from tillwave.sound_source import PIECE_S
    from tillwave.sound_view import picture

    due_s, loudest = PIECE_S, sounding.look()
    for piece, rate_hz in recorded_pieces(path, 4096):
        sounding.take(piece.astype("<i2").tobytes(), rate_hz)
        if sounding.heard_s >= due_s:
            due_s += PIECE_S
            before_dbfs, seen = loudest["loudest_dbfs"], sounding.look()
            loudest = seen if seen["loudest_dbfs"] > before_dbfs else loudest
            if json:
                typer.echo(json_text.dumps(seen))
    sounding.end()
    if json:
        typer.echo(json_text.dumps(sounding.look()))
    else:
        Console().print(picture({**sounding.look(), "levels": loudest["levels"]}, f"loudest moment of {path}"))


def _record(microphone: Microphone, output: Path, seconds: float, *, overwrite: bool) -> float:
    """Write until the time is over or somebody stops it; give the seconds that were kept."""
    from tillwave.sound_source import listening, new_wav

    kept = 0
    with listening(microphone) as pieces:
        first = next(pieces)
        wanted = round(seconds * first.rate_hz)
        with new_wav(output, first.rate_hz, overwrite=overwrite) as file, suppress(KeyboardInterrupt):
            piece = first
            while kept < wanted and piece.rate_hz == first.rate_hz:
                frames = min(len(piece.pcm) // 2, wanted - kept)
                file.writeframes(piece.pcm[: 2 * frames])
                kept += frames
                piece = next(pieces) if kept < wanted else piece
    return kept / first.rate_hz


@contextmanager
def _refusals() -> Iterator[None]:
    from device.config import SettingsMissing, SettingsProblem
    from device.decode.files import FileRefused
    from device.drivers.errors import DeviceMissing, DriverError, DriverUnsupported
    from protocol.waveform.errors import WaveformError, WaveformUnavailable

    with exit_on(
        {
            DeviceMissing: Exit.SOMETHING_MISSING,
            DriverUnsupported: Exit.SOMETHING_MISSING,
            DriverError: Exit.FAILED,
            SettingsMissing: Exit.SOMETHING_MISSING,
            SettingsProblem: Exit.SETTINGS_WRONG,
            WaveformUnavailable: Exit.SOMETHING_MISSING,
            WaveformError: Exit.FAILED,
            FileRefused: Exit.FAILED,
            OSError: Exit.FAILED,
        }
    ):
        yield
