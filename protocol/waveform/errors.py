"""What can go wrong with a token of sound.

WaveformError
+-- WaveformUnavailable   the library of a waveform is not installed (also an ImportError)
+-- PayloadLength         a payload is too short or too long for one token (also a ValueError)
+-- SampleRate            a rate that cannot carry the tones, or that nobody uses (also a ValueError)
+-- UnknownWaveform       no waveform has this name (also a ValueError)
+-- TooManyReceivers      the library allows no further receiver in this process (also a RuntimeError)
"""

from __future__ import annotations


class WaveformError(Exception):
    """Something is wrong with sending or hearing a token."""


class WaveformUnavailable(WaveformError, ImportError):
    """The library of a waveform is missing."""

    def __init__(self, waveform: str, package: str) -> None:
        self.waveform = waveform
        self.package = package
        super().__init__(
            f'the waveform {waveform} needs the package "{package}": install it with pip install "tillwave[sound]" '
            "(there is no ready-made build of it: a C++ compiler and the headers of Python must be installed)"
        )


class PayloadLength(WaveformError, ValueError):
    """A payload does not fit into one token."""

    def __init__(self, length: int, shortest: int, longest: int) -> None:
        self.length = length
        super().__init__(f"a token of sound carries {shortest} to {longest} bytes, not {length}")


class SampleRate(WaveformError, ValueError):
    """A sample rate that is not supported."""

    def __init__(self, rate_hz: int, lowest_hz: int, highest_hz: int) -> None:
        self.rate_hz = rate_hz
        super().__init__(f"a token of sound needs {lowest_hz} to {highest_hz} samples a second, not {rate_hz}")


class UnknownWaveform(WaveformError, ValueError):
    """A name that no waveform has."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        super().__init__(f'there is no waveform "{name}": choose one of {", ".join(known)}')


class TooManyReceivers(WaveformError, RuntimeError):
    """The library has no room for a further sender or receiver."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the sound library allows {limit} open instances in a process: close a receiver first")
