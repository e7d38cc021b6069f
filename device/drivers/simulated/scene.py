"""What a simulated camera sees: a card with a QR code or a picture, held at an angle before a dull background."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from device.drivers.simulated.control import Refused

Gray = NDArray[np.uint8]

_MOST_PIXELS: Final = 24_000_000
_QUIET_ZONE: Final = 4
_FOCAL_LENGTHS: Final = 1.2
_DARK: Final = 20
_LIGHT: Final = 235
_NOISE_FIELDS: Final = 3


@dataclass(frozen=True, slots=True)
class Pose:
    """How a card is held."""

    tilt_degrees: float = 0.0
    """Turned about the vertical axis, away from the camera."""
    nod_degrees: float = 0.0
    """Turned about the horizontal axis."""
    turn_degrees: float = 0.0
    """Turned in the plane of the picture."""
    size: float = 0.6
    """Height of the upright card as a share of the picture's height."""


def qr_card(content: str | bytes, error: Literal["l", "m", "q", "h"] = "m") -> Gray:
    """Draw a QR code with its quiet zone, one pixel a module; raises Refused if it does not fit."""
    import segno  # noqa: PLC0415  the encoder is needed only by who shows codes

    try:
        code = segno.make_qr(content, error=error, boost_error=False)
    except (segno.DataOverflowError, ValueError) as failure:
        raise Refused(f"no QR code holds that: {failure}") from failure
    rows = [[_DARK if dark else _LIGHT for dark in row] for row in code.matrix_iter(border=_QUIET_ZONE)]
    return np.array(rows, dtype=np.uint8)


def picture_card(file: bytes) -> Gray:
    """Decode the bytes of an image file to gray; raises Refused if it is none, or too large."""
    try:
        with Image.open(io.BytesIO(file)) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise Refused(f"the picture has {image.width} x {image.height} pixels: too many")
            return np.asarray(image.convert("L"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as failure:
        raise Refused(f"not a picture: {failure}") from failure


def background(width: int, height: int) -> Gray:
    """Draw what the camera sees when nothing is shown: a counter, darker towards the shopper."""
    down = np.linspace(140, 90, height)[:, np.newaxis]
    across = 12 * np.sin(np.linspace(0, 5, width))[np.newaxis, :]
    drawn: Gray = (down + across).astype(np.uint8)
    return drawn


def compose(card: Gray, scene: Gray, pose: Pose, blur: float = 0.0) -> Gray:
    """Hold a card before a scene."""
    height, width = scene.shape
    large, corners = _enlarge(card, pose.size, width, height)
    coefficients = _perspective(_project(corners, pose, width, height), large.size)
    seen = large.transform((width, height), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    mask = Image.new("L", large.size, 255).transform(
        (width, height), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR
    )
    whole = Image.composite(seen, Image.fromarray(scene), mask)
    if blur > 0:
        whole = whole.filter(ImageFilter.GaussianBlur(blur))
    return np.asarray(whole)


class SensorNoise:
    """Adds the noise of a sensor to pictures of one size; cheap enough for every frame."""

    def __init__(self, width: int, height: int, deviation: float, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        fields = self._random.normal(0.0, max(deviation, 0.0), (_NOISE_FIELDS, height, width))
        self._fields = np.clip(np.rint(fields), -255, 255).astype(np.int16)

    def add(self, picture: Gray) -> Gray:
        """Give the picture as the sensor would: other noise at every call."""
        field = self._fields[int(self._random.integers(_NOISE_FIELDS))]
        shifted = np.roll(field, int(self._random.integers(field.size)))
        noisy: Gray = np.clip(picture + shifted, 0, 255).astype(np.uint8)
        return noisy


def _enlarge(card: Gray, size: float, width: int, height: int) -> tuple[Image.Image, NDArray[np.float64]]:
    """Scale a card to its size in the picture; gives it with its corners about its middle."""
    rows, columns = card.shape
    scale = min(size * height / rows, width / columns)
    shown = max(1, round(columns * scale)), max(1, round(rows * scale))
    finer = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    x, y = shown[0] / 2, shown[1] / 2
    return Image.fromarray(card).resize(shown, finer), np.array([(-x, -y), (x, -y), (x, y), (-x, y)])


def _project(corners: NDArray[np.float64], pose: Pose, width: int, height: int) -> NDArray[np.float64]:
    """Turn the corners in space and see them through a pinhole."""
    tilt, nod, turn = (math.radians(a) for a in (pose.tilt_degrees, pose.nod_degrees, pose.turn_degrees))
    focal = _FOCAL_LENGTHS * width
    projected = []
    for x, y in corners:
        x1, y1 = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        x2, z2 = x1 * math.cos(tilt), x1 * math.sin(tilt)
        y3, z3 = y1 * math.cos(nod) - z2 * math.sin(nod), y1 * math.sin(nod) + z2 * math.cos(nod)
        nearer = focal / (focal + z3)
        projected.append((width / 2 + x2 * nearer, height / 2 + y3 * nearer))
    return np.array(projected)


def _perspective(corners: NDArray[np.float64], size: tuple[int, int]) -> list[float]:
    """Solve Pillow's eight coefficients, which lead from the place in the picture to the place on the card."""
    width, height = size
    card = [(0, 0), (width, 0), (width, height), (0, height)]
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, card, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(values))]
