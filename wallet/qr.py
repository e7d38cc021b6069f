"""QR codes: drawn as SVG, PNG or characters of a terminal, and read from a picture."""

from __future__ import annotations

import io

from wallet.errors import NotPayable

LARGEST_PICTURE = 3 << 20
"""Bytes of a picture that is looked at."""
MOST_PIXELS = 16_000_000

_QUIET_ZONE = 4
_FORMATS = ("JPEG", "PNG", "WEBP")


def svg_of(text: str) -> bytes:
    """Draw a text as a QR code in black on white, a module a unit wide."""
    return _drawn(text, "svg", xmldecl=False, svgns=True, omitsize=True, nl=False)


def png_of(text: str, scale: int = 8) -> bytes:
    """Draw a text as a QR code in black on white, a module `scale` pixels wide."""
    return _drawn(text, "png", scale=scale)


def characters_of(text: str) -> str:
    """Draw a text as a QR code of half-block characters, right for light text on a dark background too."""
    import segno  # noqa: PLC0415 only who draws needs it

    drawing = io.StringIO()
    segno.make_qr(text, error="m").terminal(out=drawing, border=_QUIET_ZONE, compact=True)
    return drawing.getvalue()


def read_picture(data: bytes) -> list[str]:
    """Give the texts of the codes in a JPEG, PNG or WebP picture; NotPayable if it is no such picture."""
    import zxingcpp  # noqa: PLC0415 loaded when the first picture comes
    from PIL import Image  # noqa: PLC0415

    if len(data) > LARGEST_PICTURE:
        raise NotPayable(f"the picture has more than {LARGEST_PICTURE} bytes; take a smaller one")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise NotPayable(f"the picture has more than {MOST_PIXELS} pixels; take a smaller one")
            gray = picture.convert("L")
    except (OSError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotPayable("this is not a JPEG, PNG or WebP picture") from error
    return [code.text for code in zxingcpp.read_barcodes(gray) if code.valid]


def _drawn(text: str, kind: str, **options: object) -> bytes:
    import segno  # noqa: PLC0415 only who draws needs it

    drawing = io.BytesIO()
    segno.make_qr(text, error="m").save(drawing, kind=kind, border=_QUIET_ZONE, light="#fff", **options)
    return drawing.getvalue()
