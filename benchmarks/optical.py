"""How well codes are read, and at what price.

    python -m benchmarks.optical                     simulated screens, moving hands, empty scenes
    python -m benchmarks.optical --folder PICTURES   pictures with truth beside them

The truth of `a.png` is the file `a.txt`, holding exactly the payload; an empty file says that there is no code. Times
are processor times of this thread. zxing-cpp, all symbologies in one look, runs on the same pictures for comparison.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import screens
from device.decode.optical import OpticalDecoder, read_still
from device.decode.symbologies import LINEAR, MATRIX
from device.decode.zxing import zxing_look

Reader = Callable[[np.ndarray], list[bytes]]


@dataclass(slots=True)
class Tally:
    """What one reader made of some pictures."""

    pictures: int = 0
    codes: int = 0
    read: int = 0
    wrong: int = 0
    times_ms: list[float] = field(default_factory=list)

    def add(self, reader: Reader, picture: np.ndarray, truth: bytes) -> bool:
        """Show one picture, whose truth is empty if it holds no code; tell whether it was read."""
        began = time.thread_time()
        found = reader(picture)
        self.times_ms.append((time.thread_time() - began) * 1000)
        self.pictures += 1
        self.codes += bool(truth)
        self.read += truth in found
        self.wrong += sum(payload != truth for payload in found)
        return truth in found

    def __str__(self) -> str:
        """Give one line of numbers."""
        median, most = statistics.median(self.times_ms), max(self.times_ms)
        read = f"{self.read:4d} of {self.codes} read" if self.codes else f"{self.pictures} pictures without a code"
        return f"{read}, {self.wrong} wrong, {median:.2f} ms median, {most:.1f} ms at most"


def main() -> int:
    """Print the figures; the exit code is 1 if anything was read wrong."""
    options = _options()
    wrong = _folder(options.folder) if options.folder else _simulated(options.seed, options.frames)
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="read these pictures instead of simulated ones")
    parser.add_argument("--seed", type=int, default=1, help="of the simulated pictures (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=48, help="simulated pictures of a kind (default: %(default)s)")
    return parser.parse_args()


def _still(picture: np.ndarray) -> list[bytes]:
    return [reading.raw for reading in read_still(picture)]


def _zxing(picture: np.ndarray) -> list[bytes]:
    return [code.raw for code in zxing_look(picture, LINEAR | MATRIX)]


def _fed(decoder: OpticalDecoder) -> Reader:
    return lambda picture: [reading.raw for reading in decoder.feed(picture)]


def _simulated(seed: int, frames: int) -> int:
    wrong = 0
    for hardness in (0.7, 1.0):
        drawn = [
            (screens.picture(number, screens.everyday(number, hardness)), screens.payload(number))
            for number in range(seed, seed + frames)
        ]
        wrong += _compare(f"screens, hardness {hardness}", drawn)
    seeds = range(seed, seed + max(1, frames // 5))
    wrong += _sequences("moving hands", [(each, screens.moving_hand(each)) for each in seeds])
    noisy = screens.Conditions(module=4.0, defocus=2.0, noise=30.0)
    wrong += _sequences("still hands, blur and noise", [(each, screens.held_still(each, noisy)) for each in seeds])
    return wrong + _empty(seed, frames)


def _compare(title: str, drawn: Iterable[tuple[np.ndarray, bytes]]) -> int:
    ours, peer = Tally(), Tally()
    for picture, truth in drawn:
        ours.add(_still, picture, truth)
        peer.add(_zxing, picture, truth)
    print(f"{title}\n  read_still  {ours}\n  zxing-cpp   {peer}", flush=True)
    return ours.wrong


def _sequences(title: str, sequences: Iterable[tuple[int, Iterable[np.ndarray]]]) -> int:
    """Count the hands that are read within 12 pictures."""
    tally, first = Tally(), []
    for seed, pictures in sequences:
        reader = _fed(OpticalDecoder())
        reads = [tally.add(reader, picture, screens.payload(seed)) for picture in pictures]
        first.append(reads.index(True) + 1 if any(reads) else 0)
    shown = " ".join(str(number) if number else "-" for number in first)
    missed = first.count(0)
    print(f"{title}: {len(first) - missed} of {len(first)} read, at picture {shown}\n  feed  {tally}", flush=True)
    return tally.wrong


def _empty(seed: int, frames: int) -> int:
    """Feed scenes without a code: another one each time, then one with fresh noise."""
    lots = np.random.default_rng([seed, 9])
    scenes = [np.asarray(screens.clutter(lots)) for _ in range(frames)]
    changed, static = Tally(), Tally()
    reader = _fed(OpticalDecoder())
    for scene in scenes:
        changed.add(reader, scene, b"")
    reader = _fed(OpticalDecoder())
    for _ in range(max(30, frames)):
        noisy = scenes[-1] + lots.normal(0, 2, scenes[-1].shape)
        static.add(reader, np.clip(noisy, 0, 255).astype(np.uint8), b"")
    print(f"empty scenes\n  changed  {changed}\n  static   {static}", flush=True)
    return changed.wrong + static.wrong


def _folder(folder: Path) -> int:
    drawn = list(_pictures(folder))
    if not drawn:
        raise SystemExit(f"{folder}: no picture has its truth in a .txt file beside it")
    return _compare(str(folder), drawn)


def _pictures(folder: Path) -> Iterator[tuple[np.ndarray, bytes]]:
    for path in sorted(folder.rglob("*")):
        truth = path.with_suffix(".txt")
        if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp"} and truth.exists():
            yield np.asarray(Image.open(path).convert("L")), truth.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
