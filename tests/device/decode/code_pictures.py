"""Pictures of codes for the tests of decoding."""

from __future__ import annotations

import numpy as np
import zxingcpp
from PIL import Image


def picture_of(
    payload: str | bytes, kind: str = "QRCode", *, scale: int = 3, size: tuple[int, int] = (480, 640)
) -> np.ndarray:
    """One code in the middle of a light grey picture of height x width."""
    barcode = zxingcpp.create_barcode(payload, getattr(zxingcpp.BarcodeFormat, kind))
    code = np.array(zxingcpp.write_barcode_to_image(barcode, scale=scale, add_quiet_zones=True))
    picture = np.full(size, 230, np.uint8)
    put(picture, code)
    return picture


def put(picture: np.ndarray, code: np.ndarray, top: int | None = None, left: int | None = None) -> None:
    """Paste a smaller picture into a larger one, in the middle unless told."""
    top = (picture.shape[0] - code.shape[0]) // 2 if top is None else top
    left = (picture.shape[1] - code.shape[1]) // 2 if left is None else left
    picture[top : top + code.shape[0], left : left + code.shape[1]] = code


def tilted(picture: np.ndarray, degrees: float) -> np.ndarray:
    """Turn a picture, as a hand does."""
    return np.asarray(Image.fromarray(picture).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=230))


def noisy(picture: np.ndarray, sigma: float, seed: int = 1) -> np.ndarray:
    """Add the grain of a cheap sensor."""
    grain = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def ruined(scale: int = 4, modules: int = 29, seed: int = 7) -> np.ndarray:
    """A square that looks like a matrix code and is none: nobody will ever read it."""
    cells = np.random.default_rng(seed).integers(0, 2, (modules, modules), dtype=np.uint8) * 215 + 20
    return np.pad(np.kron(cells, np.ones((scale, scale), np.uint8)), 4 * scale, constant_values=235)
