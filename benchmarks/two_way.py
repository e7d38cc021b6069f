"""How much the terminal's own challenge disturbs its ear: tokens under a challenge, and just after one.

    python -m benchmarks.two_way --tokens 20

The microphone hears a token and, exactly over it, a challenge that is louder by so many dB, both through loudspeakers
and a room of `benchmarks.sound`, with voices 15 dB below the token; another token follows as soon as both have ended.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from benchmarks.noises import NOISES, RATE
from benchmarks.sound import FORMS, Cell, add, through
from protocol.tokens import Challenge
from protocol.waveform import modulate_challenge, open_receiver

LOUDER_DB = (0, 5, 10, 15, 20)
PAYLOAD_BYTES = {"short": 16, "normal": 16, "long": 181}
CHALLENGE = Challenge("till-1", "abcdefghijklmnop", bytes(range(16))).to_sound()


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print a line for each form and level."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=20, help="per cell")
    parser.add_argument("--form", action="append", choices=PAYLOAD_BYTES, help="repeatable; default: all")
    options = parser.parse_args(arguments)
    print(f"{'form':>8} {'louder dB':>9} {'during':>7} {'after':>7} {'wrong':>7} {'of':>5}")
    for form in options.form or PAYLOAD_BYTES:
        for louder_db in LOUDER_DB:
            heard = [_heard(form, louder_db, seed) for seed in range(options.tokens)]
            during, after, wrong = (sum(column) for column in zip(*heard, strict=True))
            print(f"{form:>8} {louder_db:>9} {during:>7} {after:>7} {wrong:>7} {options.tokens:>5}", flush=True)
    return 0


def _heard(form: str, louder_db: float, seed: int) -> tuple[bool, bool, bool]:
    """Tell whether the token during and the one after the challenge were heard, and whether anything else was."""
    rng = np.random.default_rng([7, seed])
    payloads = [rng.bytes(PAYLOAD_BYTES[form]) for _ in range(2)]
    cell = Cell("two ways", form, PAYLOAD_BYTES[form])
    during, after = (_sounding(FORMS[form](payload, RATE), cell, rng) for payload in payloads)
    own = _sounding(modulate_challenge(CHALLENGE, RATE), cell, rng) * 10 ** (louder_db / 20)
    lead = int(0.6 * RATE)
    air = max(len(FORMS[form](payloads[0], RATE)), len(modulate_challenge(CHALLENGE, RATE)))
    mix = np.zeros(lead + 2 * air + RATE)
    add(mix, during, lead)
    add(mix, own, lead)
    add(mix, after, lead + air)
    mix += NOISES["babble"](len(mix), rng) * 10 ** (-15 / 20)
    pcm = np.clip(np.rint(mix * 10 ** (-(20 + louder_db) / 20) * 32768), -32768, 32767).astype(np.int16)
    receiver = open_receiver(RATE)
    got = [payload for start in range(0, len(pcm), 1024) for payload in receiver.feed(pcm[start : start + 1024])]
    receiver.close()
    return payloads[0] in got, payloads[1] in got, any(payload not in payloads for payload in got)


def _sounding(samples: np.ndarray, cell: Cell, rng: np.random.Generator) -> np.ndarray:
    return through(samples.astype(float), cell, rng.uniform(-40, 40), rng)


if __name__ == "__main__":
    sys.exit(main())
