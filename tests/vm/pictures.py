"""A picture of a code, for cameras to look at."""

from __future__ import annotations

import numpy as np
import segno
from PIL import Image

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"


def code_picture(width: int, height: int) -> np.ndarray:
    """A QR code of TOKEN in the middle of a grey picture."""
    modules = np.array(
        [[0 if dark else 255 for dark in row] for row in segno.make(TOKEN).matrix_iter(border=4)], np.uint8
    )
    scale = height * 3 // 4 // len(modules)
    code = np.kron(modules, np.ones((scale, scale), np.uint8))
    picture = np.full((height, width), 170, np.uint8)
    top, left = (height - len(code)) // 2, (width - len(code)) // 2
    picture[top : top + len(code), left : left + len(code)] = code
    return picture


def write_jpeg(picture: np.ndarray, path: object) -> None:
    Image.fromarray(picture).convert("RGB").save(path, quality=90)
