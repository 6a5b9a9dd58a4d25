"""A small PDF, made of words: for files that can be opened, searched and seen on a first page."""

from io import BytesIO
from itertools import accumulate

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, LEFT, TOP = 595, 842, 72, 760
PAPER, INK, PETROL, MARIGOLD = "#fbf8f1", "#1d2a2c", "#0e5a66", "#e0a030"


def pdf(title: str, pages: list[dict]) -> bytes:
    """A page for each of `pages`: its title, and lines of text (Latin letters)."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    objects += [
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Title (" + _text(title) + b") /Producer (kmnet) >>",
    ]
    kids = []
    for page in pages:
        drawn = _page(page)
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn))
        content = len(objects)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>" % (WIDTH, HEIGHT, content)
        )
        kids.append(len(objects))
    listed = b" ".join(b"%d 0 R" % kid for kid in kids)
    objects[1] = b"<< /Type /Pages /Kids [" + listed + b"] /Count %d >>" % len(kids)
    return _file(objects, info=5)


def _page(page: dict) -> bytes:
    lines = [b"BT /F1 24 Tf %d %d Td (%s) Tj ET" % (LEFT, TOP, _text(page["title"]))]
    for number, line in enumerate(page["lines"]):
        lines.append(b"BT /F2 12 Tf %d %d Td (%s) Tj ET" % (LEFT, TOP - 48 - 22 * number, _text(line)))
    return b"\n".join(lines)


def _text(words: str) -> bytes:
    raw = words.encode("cp1252", "replace")
    return raw.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")


def _file(objects: list[bytes], *, info: int) -> bytes:
    head = b"%PDF-1.7\n"
    parts = [b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate(objects, 1)]
    starts = list(accumulate((len(part) for part in parts), initial=len(head)))
    table = b"".join(b"%010d 00000 n \n" % start for start in starts[:-1])
    count = len(objects) + 1
    return b"".join(
        [
            head,
            *parts,
            b"xref\n0 %d\n0000000000 65535 f \n" % count,
            table,
            b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (count, info),
            b"startxref\n%d\n%%%%EOF\n" % starts[-1],
        ]
    )


def poster(title: str, steps: list[str]) -> bytes:
    """A page with boxes one below the other, as a PNG."""
    image = Image.new("RGB", (900, 1270), PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((70, 60), title, fill=INK, font=ImageFont.load_default(40))
    room = (1270 - 200) // len(steps)
    for number, words in enumerate(steps):
        top = 170 + number * room
        draw.rounded_rectangle((70, top, 830, top + room - 70), radius=28, outline=PETROL, width=5)
        draw.text((110, top + (room - 70) // 2 - 24), words, fill=INK, font=ImageFont.load_default(44))
        if number:
            draw.line((450, top - 62, 450, top - 8), fill=MARIGOLD, width=8)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
