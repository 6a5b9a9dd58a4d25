"""Files that mean harm, or that are broken, made here: PDFs by hand, packages by zip, pictures that unfold."""

import hashlib
import io
import struct
import zipfile
import zlib

WORD = "[Content_Types].xml"


def pdf(
    pages=("Hello world",), *, info="", extra=(), page_extra="", contents=None, mediabox="0 0 300 400"
) -> bytes:
    """A small PDF that says one line of text on each page. extra: further objects, from number 1000 on, as bytes."""
    kids = " ".join(f"{10 + 2 * n} 0 R" for n in range(len(pages)))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        4: f"<< {info} >>".encode("latin-1"),
    }
    for n, text in enumerate(pages):
        drawn = []
        for line, words in enumerate(text.split("\n")):
            words = words.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            drawn.append(f"1 0 0 1 20 {370 - 14 * line} Tm ({words}) Tj")
        stream = contents if contents is not None else f"BT /F1 9 Tf {' '.join(drawn)} ET".encode("latin-1")
        objects[10 + 2 * n] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{mediabox}] /Contents {11 + 2 * n} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> {page_extra} >> >>"
        ).encode()
        objects[11 + 2 * n] = stream_object(stream)
    for number, content in enumerate(extra):
        objects[100_000 + number] = content
    return assemble(objects)


def stream_object(data: bytes, entries: str = "") -> bytes:
    return f"<< /Length {len(data)} {entries} >>\nstream\n".encode() + data + b"\nendstream"


def assemble(objects: dict[int, bytes], trailer: str = "") -> bytes:
    out, places = bytearray(b"%PDF-1.7\n"), {}
    for number, content in sorted(objects.items()):
        places[number] = len(out)
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        out += f"{number} 1\n{place:010} 00000 n \n".encode()
    info = "/Info 4 0 R" if 4 in objects else ""
    out += f"trailer\n<< /Size {max(objects) + 1} /Root 1 0 R {info} {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def rc4(key: bytes, data: bytes) -> bytes:
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def locked_pdf() -> bytes:
    """A PDF that wants a password (RC4, 40 bits: what every reader knows)."""
    owner = rc4(hashlib.md5((b"boss" + PADDING)[:32]).digest()[:5], (b"secret" + PADDING)[:32])
    number = b"0123456789abcdef"
    key = hashlib.md5((b"secret" + PADDING)[:32] + owner + struct.pack("<i", -4) + number).digest()[:5]
    user = rc4(key, PADDING)
    page = hashlib.md5(key + (11).to_bytes(3, "little") + b"\0\0").digest()[:10]
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>",
        5: f"<< /Filter /Standard /V 1 /R 2 /O <{owner.hex()}> /U <{user.hex()}> /P -4 >>".encode(),
        10: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 11 0 R >>",
        11: stream_object(rc4(page, b"BT ET")),
    }
    return assemble(objects, f"/Encrypt 5 0 R /ID [<{number.hex()}> <{number.hex()}>]")


def squeezed(byte: bytes, length: int) -> bytes:
    """zlib's shortest for so many times the same byte. A megabyte is packed once, and its packing repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(byte * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    rest = packer.compress(byte * (length % (1 << 20))) + packer.flush()
    value = byte[0]
    low, high = (1 + length * value) % 65521, (length + value * length * (length + 1) // 2) % 65521
    return b"\x78\xda" + block * (length >> 20) + rest + struct.pack(">HH", high, low)


def pdf_bomb(length=3 << 30) -> bytes:
    """A page whose drawing unfolds to three gigabytes."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>",
        10: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] /Contents 11 0 R >>",
        11: stream_object(squeezed(b" ", length), "/Filter /FlateDecode"),
    }
    return assemble(objects)


def pdf_bomb_in_bomb(length=1 << 30) -> bytes:
    """The same, folded twice: a few kilobytes."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>",
        10: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] /Contents 11 0 R >>",
        11: stream_object(zlib.compress(squeezed(b" ", length), 9), "/Filter [/FlateDecode /FlateDecode]"),
    }
    return assemble(objects)


def pdf_picture_bomb(side=30_000) -> bytes:
    """A picture of 900 million pixels on the first page."""
    data = squeezed(b"\0", side * side * 3)
    entries = (
        f"/Type /XObject /Subtype /Image /Width {side} /Height {side} /ColorSpace /DeviceRGB "
        "/BitsPerComponent 8 /Filter /FlateDecode"
    )
    return pdf(
        page_extra="/XObject << /I 100000 0 R >>",
        contents=b"BT /F1 9 Tf 20 370 Td (words before it) Tj ET q 300 0 0 400 0 0 cm /I Do Q",
        extra=[stream_object(data, entries)],
    )


def pdf_that_never_ends(width=12, depth=9) -> bytes:
    """Each drawing calls the next a dozen times: more strokes than there is time for."""
    extra = []
    for level in range(depth):
        last = level + 1 == depth
        calls = b"0 0 5 5 re f " if last else b"/X Do " * width
        name = "" if last else f"/Resources << /XObject << /X {100_001 + level} 0 R >> >>"
        extra.append(stream_object(calls, f"/Type /XObject /Subtype /Form /BBox [0 0 300 400] {name}"))
    return pdf(
        page_extra="/XObject << /X 100000 0 R >>",
        contents=b"BT /F1 9 Tf 20 370 Td (words before it) Tj ET /X Do",
        extra=extra,
    )


def package(parts: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def docx(*paragraphs: str, **parts: str) -> bytes:
    words = "".join(f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>" for words in paragraphs)
    return package(
        {
            WORD: "<Types/>",
            "word/document.xml": f'<w:document xmlns:w="w"><w:body>{words}</w:body></w:document>',
            **parts,
        }
    )


def png_bomb(width=20_000, height=20_000) -> bytes:
    """A picture of 400 million pixels in half a megabyte."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", squeezed(b"\0", (width + 1) * height))
        + chunk(b"IEND", b"")
    )
