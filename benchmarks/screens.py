"""A slim model of what the camera sees: a QR code on a phone, tilted, blurred, with glare and noise, before clutter.

Everything follows from the seed. `hardness` scales every fault; 1.0 is an everyday mix of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1280, 720
_TEXELS = 10
"""Of the drawn screen, one module."""
_FOCAL = 1400.0
"""Pixels; the distance at which a texel is a pixel."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the code is shown and seen; lengths in pixels of the picture."""

    module: float = 4.0
    tilt_deg: float = 10.0
    roll_deg: float = 0.0
    defocus: float = 0.4
    motion: float = 0.0
    noise: float = 4.0
    contrast: float = 1.0
    glare: float = 0.0
    """Area of a burnt-out spot, relative to the code."""
    inverted: bool = False
    quiet_modules: int = 4
    centre: tuple[float, float] = (WIDTH / 2, HEIGHT / 2)


def everyday(seed: int, hardness: float) -> Conditions:
    """Draw lots for the faults of one picture."""
    lots = np.random.default_rng([seed, 1])
    module = float(lots.uniform(2.2, 5))
    return Conditions(
        module=module,
        tilt_deg=float(lots.uniform(0, 35) * hardness),
        roll_deg=float(lots.uniform(-25, 25)),
        defocus=float(lots.uniform(0.1, 0.55) * hardness * module),
        motion=float(lots.choice([0, lots.uniform(0, 1.5)]) * hardness * module),
        noise=float(lots.uniform(2, 14) * hardness),
        contrast=float(1 - lots.uniform(0, 0.5) * hardness),
        glare=float(lots.choice([0, 0, lots.uniform(0, 0.12)]) * hardness),
        inverted=bool(lots.random() < 0.12),
        quiet_modules=int(lots.choice([4, 3, 2, 1])),
        centre=(WIDTH / 2 + float(lots.uniform(-250, 250)), HEIGHT / 2 + float(lots.uniform(-120, 120))),
    )


def payload(seed: int) -> bytes:
    """Give a number, a wallet's text or signed bytes, in turns."""
    lots = np.random.default_rng([seed, 2])
    digits = "".join(str(digit) for digit in lots.integers(0, 10, 18))
    letters = "".join(lots.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), 26))
    return (digits.encode(), b"TW1:" + letters.encode(), lots.bytes(150))[seed % 3]


def picture(seed: int, conditions: Conditions, *, grain: int = 0) -> np.ndarray:
    """Give the frame of 1280 x 720 for the payload of this seed; `grain` makes other noise for another frame."""
    lots = np.random.default_rng([seed, 3])
    scene = clutter(lots)
    phone = _phone(payload(seed), conditions)
    corners = _corners(phone.size, conditions, float(lots.uniform(0, 2 * math.pi)))
    scene.paste(*_placed(phone, corners))
    values = _motion(scene.filter(ImageFilter.GaussianBlur(conditions.defocus)), conditions, lots)
    values += _glare(conditions, _code_size(phone, conditions), lots)
    grains = np.random.default_rng([seed, 4, grain])
    values += grains.normal(0, conditions.noise, values.shape)
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)


def moving_hand(seed: int, hardness: float = 1.0, frames: int = 12) -> Iterator[np.ndarray]:
    """Give the frames of a phone that drifts while blur of motion and of focus come and go."""
    lots = np.random.default_rng([seed, 5])
    module = float(lots.uniform(2.0, 3.5))
    phase = float(lots.uniform(0, 2 * math.pi))
    steady = Conditions(module=module, tilt_deg=float(lots.uniform(5, 35)), noise=6.0)
    path = np.cumsum(lots.normal(0, 8, (frames, 2)), axis=0) + np.array((WIDTH / 2, HEIGHT / 2))
    for number in range(frames):
        moved = replace(
            steady,
            motion=abs(math.sin(phase + number * 0.45)) * 2.2 * hardness * module,
            defocus=(0.12 + 0.44 * hardness * abs(math.cos(phase + number * 0.3))) * module,
            centre=(float(path[number][0]), float(path[number][1])),
        )
        yield picture(seed, moved, grain=number)


def held_still(seed: int, conditions: Conditions, frames: int = 12) -> Iterator[np.ndarray]:
    """Give the frames of a phone in a hand that trembles by a pixel or two, each with a grain of its own."""
    lots = np.random.default_rng([seed, 6])
    path = np.cumsum(lots.normal(0, 1.5, (frames, 2)), axis=0) + np.array((WIDTH / 2, HEIGHT / 2))
    for number in range(frames):
        yield picture(seed, replace(conditions, centre=(float(path[number][0]), float(path[number][1]))), grain=number)


def clutter(lots: np.random.Generator) -> Image.Image:
    """Draw a counter with things and words on it, and no code."""
    coarse = np.clip(lots.normal(float(lots.uniform(50, 150)), 30, (6, 10)), 0, 255).astype(np.uint8)
    scene = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(scene)
    for number in range(14):
        left, top = (int(lots.integers(0, extent)) for extent in (WIDTH, HEIGHT))
        width, height = (int(lots.integers(30, 260)) for _ in range(2))
        grey = int(lots.integers(20, 230))
        box = (left, top, left + width, top + height)
        if number % 3 == 0:
            draw.rectangle(box, grey)
        elif number % 3 == 1:
            draw.ellipse(box, grey)
        else:
            word = "".join(chr(lots.integers(65, 91)) for _ in range(8))
            draw.text((left, top), word, grey, font_size=max(12, width / 3))
    return scene.filter(ImageFilter.GaussianBlur(float(lots.uniform(0.8, 3))))


def _phone(content: bytes, conditions: Conditions) -> Image.Image:
    """Draw the lit screen of a phone with the code and some words."""
    code = segno.make(content, error="m", micro=False, boost_error=False)
    modules = np.array([list(row) for row in code.matrix], np.uint8)
    modules = np.pad(modules, conditions.quiet_modules)
    dark, light = (128 + (level - 128) * conditions.contrast for level in (15, 240))
    ink, paper = (light, dark) if conditions.inverted else (dark, light)
    card = Image.fromarray(np.where(np.kron(modules, np.ones((_TEXELS, _TEXELS))), ink, paper).astype(np.uint8))
    phone = Image.new("L", (int(card.width * 1.15), int(card.width * 1.9)), int(paper))
    phone.paste(card, ((phone.width - card.width) // 2, int(phone.height * 0.3)))
    ImageDraw.Draw(phone).text(
        (phone.width * 0.1, phone.height * 0.1), "Pay 12.50", int(ink), font_size=phone.width / 9
    )
    return phone


def _code_size(phone: Image.Image, conditions: Conditions) -> float:
    return (phone.width / 1.15 / _TEXELS - 2 * conditions.quiet_modules) * conditions.module


def _corners(size: tuple[int, int], conditions: Conditions, axis: float) -> list[tuple[float, float]]:
    """Project the corners of the phone, turned about an axis in its plane and rolled, into the picture."""
    tilt, roll = math.radians(conditions.tilt_deg), math.radians(conditions.roll_deg)
    scale = conditions.module / _TEXELS
    seen = []
    for x, y in ((0, 0), (0, size[1]), (size[0], size[1]), (size[0], 0)):
        across, down = (x - size[0] / 2) * scale, (y - size[1] * 0.55) * scale
        across, down = across * math.cos(roll) - down * math.sin(roll), across * math.sin(roll) + down * math.cos(roll)
        along = across * math.cos(axis) + down * math.sin(axis)
        aside = -across * math.sin(axis) + down * math.cos(axis)
        depth = _FOCAL / (_FOCAL + aside * math.sin(tilt))
        aside *= math.cos(tilt)
        seen.append(
            (
                conditions.centre[0] + depth * (along * math.cos(axis) - aside * math.sin(axis)),
                conditions.centre[1] + depth * (along * math.sin(axis) + aside * math.cos(axis)),
            )
        )
    return seen


def _placed(phone: Image.Image, corners: list[tuple[float, float]]) -> tuple[Image.Image, tuple[int, int], Image.Image]:
    """Warp the phone as it is seen; give it with the place and the mask for `paste`."""
    source = ((0, 0), (0, phone.height), (phone.width, phone.height), (phone.width, 0))
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    matrix = np.linalg.solve(np.array(rows, float), np.array(values, float)).tolist()
    soft = phone.filter(ImageFilter.GaussianBlur(1.5))
    how = ((WIDTH, HEIGHT), Image.Transform.PERSPECTIVE, matrix, Image.Resampling.BICUBIC)
    mask = Image.new("L", phone.size, 255).transform(*how)
    return soft.transform(*how), (0, 0), mask


def _motion(scene: Image.Image, conditions: Conditions, lots: np.random.Generator) -> np.ndarray:
    """Add up the picture along a straight line."""
    angle = float(lots.uniform(0, math.pi))
    values = np.asarray(scene, np.float32)
    steps = max(1, math.ceil(2 * conditions.motion))
    if steps == 1:
        return values.copy()
    total = np.zeros_like(values)
    for step in range(steps):
        far = (step / (steps - 1) - 0.5) * conditions.motion
        shift = (1, 0, far * math.cos(angle), 0, 1, far * math.sin(angle))
        total += np.asarray(scene.transform(scene.size, Image.Transform.AFFINE, shift, Image.Resampling.BILINEAR))
    moved: np.ndarray = total / steps
    return moved


def _glare(conditions: Conditions, code_size: float, lots: np.random.Generator) -> np.ndarray | float:
    if not conditions.glare:
        return 0.0
    x, y = (centre + float(lots.uniform(-0.25, 0.25)) * code_size for centre in conditions.centre)
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    radius = max(1.0, math.sqrt(conditions.glare) * code_size * 0.6)
    spot: np.ndarray = 260 * np.clip(1.6 - np.hypot(across - x, down - y) / radius * 0.9, 0, 1)
    return spot
