"""Plays through the real loudspeaker driver and listens with the real microphone driver; run by test_driver_sound_loop.

Reads commands from its standard input, a line each, and answers each with a line of JSON.
"""

import json
import sys
import time

import numpy as np
from driver_stand import wait_until

from device.drivers.registry import make_driver

WARMED_UP = 60


def main() -> None:
    pieces = []
    microphone = make_driver("microphone", "sounddevice", "mic", {})
    speaker = make_driver("speaker", "sounddevice", "speaker", {"volume": 0.5})
    microphone.listen(pieces.append)
    microphone.start()
    speaker.start()
    for line in sys.stdin:
        match line.split():
            case ["health"]:
                answer = [microphone.health.state.value, speaker.health.state.value]
            case ["tone", hertz, rate_hz]:
                answer = hear_tone(speaker, pieces, float(hertz), int(rate_hz))
        say(answer)
    microphone.stop()
    speaker.stop()
    say([microphone.health.state.value, speaker.health.state.value])


def say(answer) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def hear_tone(speaker, pieces, hertz, rate_hz) -> dict:
    del pieces[:]
    wait_until(lambda: len(pieces) > WARMED_UP, 10.0)  # a sound server begins late and in bursts
    del pieces[:]
    speaker.play(np.sin(2 * np.pi * hertz * np.arange(rate_hz // 2) / rate_hz).astype(np.float32), rate_hz)
    time.sleep(1.5)
    heard = np.frombuffer(b"".join(piece.pcm for piece in pieces), "<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(heard))
    return {
        "hertz": float(np.argmax(spectrum) * pieces[0].rate_hz / len(heard)),
        "loudest": float(np.abs(heard).max() / 32767),
        "seconds": len(heard) / pieces[0].rate_hz,
        "loud_seconds": float((np.abs(heard[: len(heard) // 96 * 96]).reshape(-1, 96).max(1) > 1000).sum() * 0.002),
    }


main()
