"""Small pictures for members of the demo, drawn here: nobody's photograph, and nothing to license."""

import io
import math
from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw, ImageFilter

SIDE, FINE = 320, 2  # drawn twice as large, then made smaller: smooth edges
WIDE, TALL = SIDE * FINE, round(SIDE * 1.12) * FINE

SKIES = ("#f4d9b0", "#cfe3e6", "#f3cfc0", "#dfe6c8", "#d9d3ea", "#f6e3b4", "#c9dff0", "#efd6dc")
GROUNDS = ("#2f6f73", "#7a4b3a", "#3f6b4a", "#4a4f80", "#8a5a2b", "#2d5d84", "#6b3f5f", "#55703a")


def draw(motif: str, *, seed: int) -> SimpleUploadedFile:
    """One of MOTIFS, as a file that somebody might upload; the seed chooses its colours."""
    sky, ground = SKIES[seed % 8], GROUNDS[(seed * 3) % 8]
    picture = Image.new("RGB", (WIDE, TALL), sky)
    MOTIFS[motif](ImageDraw.Draw(picture), ground, seed)
    picture = picture.filter(ImageFilter.GaussianBlur(1)).resize((SIDE, TALL // FINE), Image.LANCZOS)
    out = io.BytesIO()
    picture.save(out, format="PNG")
    return SimpleUploadedFile("me.png", out.getvalue(), content_type="image/png")


def _x(share: float) -> int:
    return round(WIDE * share)


def _y(share: float) -> int:
    return round(TALL * share)


def _disc(pen, x: float, y: float, r: float, fill: str) -> None:
    pen.ellipse([_x(x) - _x(r), _y(y) - _x(r), _x(x) + _x(r), _y(y) + _x(r)], fill=fill)


def _wave(pen, height: float, swing: float, length: float, shift: float, fill: str) -> None:
    line = [
        (x, _y(height + swing * math.sin(2 * math.pi * (x / WIDE / length + shift))))
        for x in range(0, WIDE + 1, 6)
    ]
    pen.polygon([*line, (WIDE, TALL), (0, TALL)], fill=fill)


def hills(pen, ground, seed):
    _disc(pen, 0.68, 0.34, 0.13, "#e8a33d")
    _wave(pen, 0.62, 0.07, 1.3, seed / 8, _mix(ground, "#ffffff", 0.45))
    _wave(pen, 0.74, 0.06, 1.0, seed / 5, _mix(ground, "#ffffff", 0.2))
    _wave(pen, 0.86, 0.04, 0.8, seed / 3, ground)


def sea(pen, ground, seed):
    _disc(pen, 0.4, 0.42, 0.16, "#f6f0df")
    for step in range(5):
        _wave(
            pen,
            0.55 + 0.1 * step,
            0.015,
            0.35,
            step * 0.3 + seed / 8,
            _mix("#2d5d84", "#ffffff", 0.5 - 0.12 * step),
        )


def night(pen, ground, seed):
    pen.rectangle([0, 0, WIDE, TALL], fill="#22304f")
    _disc(pen, 0.62, 0.36, 0.17, "#f1e6c4")
    _disc(pen, 0.7, 0.32, 0.15, "#22304f")
    for x, y in ((0.2, 0.2), (0.32, 0.42), (0.15, 0.55), (0.85, 0.6), (0.48, 0.14)):
        _disc(pen, x, y, 0.012, "#f1e6c4")
    _wave(pen, 0.82, 0.05, 1.1, seed / 8, "#131d33")


def tulip(pen, ground, seed):
    stem, petal = "#3f6b4a", ("#c8503f", "#d98b2b", "#b34a7a")[seed % 3]
    pen.rectangle([_x(0.485), _y(0.5), _x(0.515), TALL], fill=stem)
    pen.pieslice([_x(0.2), _y(0.62), _x(0.56), _y(1.1)], 250, 350, fill=stem)
    pen.pieslice([_x(0.34), _y(0.22), _x(0.66), _y(0.62)], 0, 180, fill=petal)
    top, low = _y(0.24), _y(0.43)
    for left, tip, right in ((0.34, 0.36, 0.5), (0.42, 0.5, 0.58), (0.5, 0.64, 0.66)):
        pen.polygon(
            [(_x(left), low), (_x(tip), top), (_x(right), low)],
            fill=_mix(petal, "#ffffff", 0.12 if tip == 0.5 else 0),
        )


def tree(pen, ground, seed):
    _wave(pen, 0.82, 0.02, 1.2, seed / 8, _mix(ground, "#ffffff", 0.25))
    pen.polygon(
        [(_x(0.46), _y(0.86)), (_x(0.485), _y(0.45)), (_x(0.515), _y(0.45)), (_x(0.54), _y(0.86))],
        fill="#5a4030",
    )
    for x, y, r in ((0.36, 0.42, 0.15), (0.64, 0.42, 0.15), (0.5, 0.3, 0.19), (0.5, 0.48, 0.16)):
        _disc(pen, x, y, r, "#4c7a4f")


def books(pen, ground, seed):
    for at, (wide, colour) in enumerate(
        (((0.62), ground), (0.5, "#c8503f"), (0.56, "#e8a33d"), (0.42, "#2f6f73"))
    ):
        low = 0.84 - at * 0.13
        pen.rounded_rectangle(
            [_x(0.5 - wide / 2), _y(low - 0.11), _x(0.5 + wide / 2), _y(low)], radius=18, fill=colour
        )
        pen.rectangle(
            [_x(0.5 - wide / 2 + 0.06), _y(low - 0.11), _x(0.5 - wide / 2 + 0.09), _y(low)], fill="#f6f0df"
        )


def lamp(pen, ground, seed):
    pen.polygon([(_x(0.3), _y(0.5)), (_x(0.7), _y(0.5)), (_x(0.92), TALL), (_x(0.08), TALL)], fill="#f9eecb")
    pen.rectangle([_x(0.49), 0, _x(0.51), _y(0.28)], fill=ground)
    pen.polygon(
        [(_x(0.43), _y(0.26)), (_x(0.57), _y(0.26)), (_x(0.72), _y(0.5)), (_x(0.28), _y(0.5))], fill=ground
    )
    _disc(pen, 0.5, 0.515, 0.05, "#e8a33d")


def _mix(colour: str, other: str, share: float) -> str:
    pairs = zip(*(bytes.fromhex(one.lstrip("#")) for one in (colour, other)), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


MOTIFS: dict[str, Callable] = {
    motif.__name__: motif for motif in (hills, sea, night, tulip, tree, books, lamp)
}
