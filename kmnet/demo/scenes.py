"""Wide pictures for events of the demo, drawn here: nobody's photograph, and nothing to license."""

import io

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw, ImageFilter

WIDE, TALL, FINE = 1280, 720, 2
SCENES = (  # sky above and below, stone, light, ground
    ("#2f4f63", "#e8b478", "#23363f", "#f3c877", "#1d2b31"),
    ("#bcd8dc", "#f6dfb8", "#5d7f7a", "#f0a94b", "#385a57"),
    ("#4a4a78", "#eeb8a0", "#2b2d4d", "#f2d38a", "#22233d"),
)


def draw_scene(*, seed: int) -> SimpleUploadedFile:
    """An arcade before a low sun, as a file that somebody might upload; the seed chooses colours and the lit arches."""
    above, below, stone, light, ground = SCENES[seed % len(SCENES)]
    picture = Image.new("RGB", (WIDE * FINE, TALL * FINE), above)
    pen = ImageDraw.Draw(picture)
    for line in range(TALL * FINE):
        pen.line([(0, line), (WIDE * FINE, line)], fill=_mix(above, below, line / TALL / FINE))
    _disc(pen, 860, 400, 90, light)
    pen.rectangle(_box(0, 240, WIDE, 560), fill=stone)
    for number in range(7):
        is_lit = number in (seed % 7, (seed + 3) % 7)
        _arch(pen, 40 + number * 178, light if is_lit else _mix(above, below, 0.75))
    pen.rectangle(_box(0, 560, WIDE, TALL), fill=ground)
    picture = picture.filter(ImageFilter.GaussianBlur(1.5)).resize((WIDE, TALL), Image.LANCZOS)
    out = io.BytesIO()
    picture.save(out, format="PNG")
    return SimpleUploadedFile("arcade.png", out.getvalue(), content_type="image/png")


def _arch(pen, left: int, fill: str) -> None:
    pen.pieslice(_box(left, 300, left + 132, 432), 180, 360, fill=fill)
    pen.rectangle(_box(left, 366, left + 132, 560), fill=fill)


def _disc(pen, x: int, y: int, radius: int, fill: str) -> None:
    pen.ellipse(_box(x - radius, y - radius, x + radius, y + radius), fill=fill)


def _box(*edges: int) -> list[int]:
    return [edge * FINE for edge in edges]


def _mix(one: str, other: str, share: float) -> str:
    """A colour between two, as #rrggbb."""
    pairs = [(int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
