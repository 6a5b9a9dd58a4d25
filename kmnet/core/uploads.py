"""Checks on files that people hand us: extension and content must agree, and both must be on the list."""

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

from .text import clean_line

MAX_PIXELS = 40_000_000
MAX_ZIP_ENTRIES = 5_000
MAX_UNPACKED = 500 * 1024 * 1024

OFFICE = "application/vnd.openxmlformats-officedocument."
TYPES = {
    # extension: (kind, content type, how the content is recognised)
    "pdf": ("document", "application/pdf", "pdf"),
    "docx": ("document", OFFICE + "wordprocessingml.document", "word/"),
    "pptx": ("document", OFFICE + "presentationml.presentation", "ppt/"),
    "xlsx": ("document", OFFICE + "spreadsheetml.sheet", "xl/"),
    "odt": ("document", "application/vnd.oasis.opendocument.text", "odf"),
    "odp": ("document", "application/vnd.oasis.opendocument.presentation", "odf"),
    "ods": ("document", "application/vnd.oasis.opendocument.spreadsheet", "odf"),
    "txt": ("text", "text/plain; charset=utf-8", "text"),
    "md": ("text", "text/plain; charset=utf-8", "text"),
    "csv": ("text", "text/csv; charset=utf-8", "text"),
    "vtt": ("text", "text/vtt; charset=utf-8", "text"),
    "png": ("image", "image/png", "PNG"),
    "jpg": ("image", "image/jpeg", "JPEG"),
    "jpeg": ("image", "image/jpeg", "JPEG"),
    "webp": ("image", "image/webp", "WEBP"),
    "mp3": ("audio", "audio/mpeg", "mp3"),
    "mp4": ("video", "video/mp4", "mp4"),
}


class UploadRefused(ValidationError):
    """The file cannot be taken; the message says why and what to do."""


@dataclass(frozen=True)
class CheckedFile:
    """What is known of a file that passed: its shown name (cleaned), its type, and its bytes' SHA-256."""

    name: str
    extension: str
    kind: str
    content_type: str
    size: int
    sha256: str


def clean_name(name: str) -> str:
    """A file name to show: no path, no control, no quoting trouble, at most 120 characters, extension kept."""
    name = clean_line(PurePosixPath(name.replace("\\", "/")).name)
    name = re.sub(r'[<>:"/\\|?*;%]', "-", name).strip(" .") or "file"
    stem, dot, extension = name.rpartition(".")
    return f"{stem[: 118 - len(extension)]}.{extension}" if dot and stem else name[:120]


def check_upload(file, *, kinds: set[str], max_bytes: int) -> CheckedFile:
    """Look at an uploaded file, and say what it is.

    kinds: some of "document", "text", "image", "audio", "video". Reads the file once and leaves it at its start. Raises
    UploadRefused with a sentence for the person: too large, empty, kind not taken, or content that is not what the
    name says. Pictures are opened (bounded in pixels) but not yet re-encoded: see `reencode_image`.
    """
    if file.size > max_bytes:
        raise UploadRefused(
            _("This file has %(size)s; the limit is %(limit)s."),
            code="too_large",
            params={"size": filesizeformat(file.size), "limit": filesizeformat(max_bytes)},
        )
    if not file.size:
        raise UploadRefused(_("This file is empty."), code="empty")
    name = clean_name(file.name or "")
    extension = name.rpartition(".")[2].lower()
    allowed = sorted(ext for ext, (kind, _type, _how) in TYPES.items() if kind in kinds)
    if extension not in allowed:
        raise UploadRefused(
            _("Files of this kind cannot be taken. These can: %(allowed)s."),
            code="kind",
            params={"allowed": ", ".join(allowed)},
        )
    kind, content_type, how = TYPES[extension]
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    try:
        agrees = _agrees(file, how, kind)
    finally:
        file.seek(0)
    if not agrees:
        raise UploadRefused(
            _(
                "The name says “.%(extension)s”, but the content is something else. Save it anew and try again."
            ),
            code="disagrees",
            params={"extension": extension},
        )
    return CheckedFile(name, extension, kind, content_type, file.size, digest.hexdigest())


def _agrees(file, how: str, kind: str) -> bool:
    head = file.read(1024)
    file.seek(0)
    if how == "pdf":
        return head.startswith(b"%PDF-")
    if how == "mp3":
        return head.startswith(b"ID3") or (len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0)
    if how == "mp4":
        return head[4:8] == b"ftyp"
    if how == "text":
        return _is_text(file)
    if kind == "image":
        return _is_picture(file, how)
    return _is_package(file, how)


def _is_text(file) -> bool:
    data = file.read()
    if b"\x00" in data:
        return False
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return not re.match(r"\s*(<!doctype|<html|<script|<\?xml|<svg)", text[:200], re.IGNORECASE)


def _is_picture(file, how: str) -> bool:
    try:
        with Image.open(file, formats=[how]) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise UploadRefused(
                    _("This picture has too many pixels; make it smaller first."), code="pixels"
                )
            picture.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
    return True


def _is_package(file, how: str) -> bool:
    try:
        with zipfile.ZipFile(file) as package:
            entries = package.infolist()
            if len(entries) > MAX_ZIP_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise UploadRefused(_("This file unpacks to too much."), code="bomb")
            names = {entry.filename for entry in entries}
            if any(name.lower().endswith(("vbaproject.bin", ".exe", ".js")) for name in names):
                raise UploadRefused(_("Files with macros cannot be taken."), code="macros")
            if how == "odf":
                return "mimetype" in names and package.read("mimetype")[:60].startswith(
                    b"application/vnd.oasis.opendocument"
                )
            return "[Content_Types].xml" in names and any(name.startswith(how) for name in names)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return False


def reencode_image(file, *, extension: str, max_side: int = 2400) -> io.BytesIO:
    """The picture drawn anew: place, camera and comments gone, turned as its camera meant, at most `max_side` pixels."""
    how = TYPES[extension][2]
    with Image.open(file, formats=[how]) as picture:
        drawn = ImageOps.exif_transpose(picture)
        drawn.thumbnail((max_side, max_side))
        drawn = (
            drawn.convert("RGB")
            if how == "JPEG"
            else drawn.convert("RGBA" if "A" in drawn.getbands() else "RGB")
        )
        clean = Image.new(drawn.mode, drawn.size)
        clean.paste(drawn)
        out = io.BytesIO()
        clean.save(out, format=how, quality=88) if how != "PNG" else clean.save(
            out, format=how, optimize=True
        )
    out.seek(0)
    return out


def draw_picture(
    upload, *, sizes: dict[int, int], centering: tuple[float, float], quality: int, max_bytes: int
) -> dict[int, bytes]:
    """The picture as WebP in each of these sizes (width to height, in pixels), cut around `centering`, on white where it
    is clear, with nothing of the file that came; by width. Raises UploadRefused with words for the person."""
    checked = check_upload(upload, kinds={"image"}, max_bytes=max_bytes)
    try:
        with Image.open(reencode_image(upload, extension=checked.extension, max_side=2400)) as picture:
            whole = picture.convert("RGBA")
            return {
                width: _cut(whole, (width, height), centering, quality) for width, height in sizes.items()
            }
    except (OSError, SyntaxError, ValueError) as error:  # whole on the outside, broken further in
        raise UploadRefused(
            _("This picture is damaged. Save it anew and try again."), code="damaged"
        ) from error


def _cut(picture: Image.Image, size: tuple[int, int], centering: tuple[float, float], quality: int) -> bytes:
    drawn = ImageOps.fit(picture, size, centering=centering)
    ground = Image.new("RGB", drawn.size, "white")
    ground.paste(drawn, mask=drawn)
    out = io.BytesIO()
    ground.save(out, format="WEBP", quality=quality)
    return out.getvalue()
