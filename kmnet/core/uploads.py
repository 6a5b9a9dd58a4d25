"""Checks on files that people hand us: extension and content must agree, and both must be on the list."""

import codecs
import hashlib
import io
import re
import threading
import zipfile
import zlib
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import PurePosixPath

import puremagic
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

from .text import clean_line

MAX_PIXELS = 40_000_000
MAX_ZIP_ENTRIES = 5_000
MAX_UNPACKED = 500 * 1024 * 1024
LARGE = 8_000_000  # pixels; of larger pictures a process draws one at a time

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
    if dot and stem and len(extension) < 20:  # what is longer is the end of a sentence
        return f"{stem[: 118 - len(extension)]}.{extension}"
    return name[:120]


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
    extension = name.rpartition(".")[2].lower() if "." in name else ""
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
    head = file.read(4096)
    file.seek(0)
    if _looks_like_code(head, how):
        return False
    if how == "pdf":
        return bool(re.match(rb"%PDF-[12]\.\d", head))
    if how == "mp3":
        return _is_mp3(file, head)
    if how == "mp4":
        return _is_mp4(head, file.size)
    if how == "text":
        return _is_text(file)
    if kind == "image":
        return _is_picture(file, how)
    return head.startswith(b"PK\x03\x04") and _is_package(file, how)


# What a browser or a system would run, or take for a page.
_RUNS = frozenset(
    ("html", "htm", "xhtml", "hta", "svg", "swf", "exe", "dll", "com", "msi", "class", "jar")
    + ("ps", "eps", "rtf", "elf", "chm", "lnk")
)


def _looks_like_code(head: bytes, how: str) -> bool:
    """Whether its first bytes are, with some certainty, those of something to run. What puremagic says of zip, and of two
    letters at the start of a text, is a guess."""
    try:
        guesses = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):  # it knows nothing
        return False
    sure = {guess.extension.lower().lstrip(".") for guess in guesses if guess.confidence >= 0.5}
    return how in ("text", "mp3", "mp4") and bool(sure & _RUNS)


_BITRATES, _RATES = range(1, 15), range(3)  # of the tables in the frame's header; the others are reserved


def _is_mp3(file, head: bytes) -> bool:
    """A frame of MPEG audio at its start, or behind the tag that stands before it."""
    start = 0
    if head.startswith(b"ID3"):
        if len(head) < 10 or head[3] not in (2, 3, 4) or any(byte > 127 for byte in head[6:10]):
            return False
        start = 10 + ((head[6] << 21) | (head[7] << 14) | (head[8] << 7) | head[9])
    file.seek(start)
    found = file.read(4096).lstrip(b"\x00")
    return (
        len(found) >= 4
        and found[0] == 0xFF
        and found[1] & 0xE0 == 0xE0
        and found[1] & 0x18 != 0x08  # a version
        and found[1] & 0x06 != 0  # and a layer that there are
        and found[2] >> 4 in _BITRATES
        and (found[2] >> 2) & 3 in _RATES
    )


def _is_mp4(head: bytes, size: int) -> bool:
    """Its first box says which kind of MP4 it is, and no more than the file holds."""
    length = int.from_bytes(head[:4], "big")
    return (
        head[4:8] == b"ftyp"
        and 16 <= length <= min(size, 1024)
        and re.match(rb"[\w ]{4}", head[8:12]) is not None
    )


def _is_text(file) -> bool:
    """UTF-8 from end to end, and not the beginning of a page."""
    decoder, start = codecs.getincrementaldecoder("utf-8-sig")(), ""
    try:
        for chunk in file.chunks():
            if b"\x00" in chunk:
                return False
            text = decoder.decode(chunk)
            start += text[: max(0, 4000 - len(start))]
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return not _PAGE.match(_BEFORE.sub("", start))


_BEFORE = re.compile(r"\s+|<!--.*?-->", re.DOTALL)
_PAGE = re.compile(r"<(!doctype|html|head|body|script|iframe|\?xml|\?php|svg|%)|%!PS|\{\\rtf", re.IGNORECASE)


def _too_many_pixels() -> UploadRefused:
    return UploadRefused(_("This picture has too many pixels; make it smaller first."), code="pixels")


def _is_picture(file, how: str) -> bool:
    try:
        with Image.open(file, formats=[how]) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise _too_many_pixels()
            picture.verify()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return False
    return True


# Programs have no place in a document; what is linked or embedded as data has.
_PROGRAMS = (
    *("vbaproject.bin", "vbadata.xml", ".exe", ".dll", ".com", ".scr", ".msi", ".js", ".jse", ".vbs", ".vbe"),
    *(".wsf", ".wsh", ".hta", ".bat", ".cmd", ".ps1", ".jar", ".class", ".lnk", ".sh", ".so", ".dylib"),
)


def _is_package(file, how: str) -> bool:
    try:
        with zipfile.ZipFile(file) as package:
            entries = package.infolist()
            _judge_entries(entries, file.size)
            names = {entry.filename for entry in entries}
            if how == "odf":
                return "mimetype" in names and _start_of(package, "mimetype").startswith(
                    b"application/vnd.oasis.opendocument"
                )
            if "[Content_Types].xml" not in names or not any(name.startswith(how) for name in names):
                return False
            if b"macroenabled" in _start_of(package, "[Content_Types].xml", 512 * 1024).lower():
                raise UploadRefused(_("Files with macros cannot be taken."), code="macros")
            return True
    except UploadRefused:
        raise
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        EOFError,
        zlib.error,
    ):
        return False


def _start_of(package: zipfile.ZipFile, name: str, length: int = 60) -> bytes:
    """The first bytes of a part, and no more are unpacked."""
    with package.open(name) as part:
        return part.read(length)


def _judge_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Raises UploadRefused where the package is built to do harm to whoever unpacks it."""
    if len(entries) > MAX_ZIP_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise UploadRefused(_("This file unpacks to too much."), code="bomb")
    if sum(entry.compress_size for entry in entries) > size:  # parts that lie over each other
        raise UploadRefused(_("This file unpacks to too much."), code="bomb")
    names = [entry.filename for entry in entries]
    if len({name.casefold() for name in names}) < len(names) or any(_leads_out(name) for name in names):
        raise UploadRefused(
            _("This file is put together in a way that could do harm. Save it anew and try again."),
            code="paths",
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise UploadRefused(_("This file needs a password. Save it without one."), code="password")
    if any(name.lower().endswith(_PROGRAMS) or name.startswith(("Basic/", "Scripts/")) for name in names):
        raise UploadRefused(_("Files with macros cannot be taken."), code="macros")


def _leads_out(name: str) -> bool:
    """A name by which unpacking would write somewhere else."""
    parts = name.replace("\\", "/").split("/")
    return (
        "\\" in name or name.startswith("/") or ".." in parts or ":" in parts[0] or any(c < " " for c in name)
    )


_one_large_picture = threading.Lock()
TURN_SECONDS = 20


def reencode_image(file, *, extension: str, max_side: int = 2400, wait: float | None = None) -> io.BytesIO:
    """The picture drawn anew: place, camera and comments gone, turned as its camera meant, at most `max_side` pixels.

    Never more than two copies of it are held at once, and of large pictures one at a time: with MAX_PIXELS a process takes
    less than 400 MB for it, however many send theirs. wait: seconds for the turn of a large one,
    TURN_SECONDS unless told. Raises UploadRefused where its turn does not come, OSError, SyntaxError or ValueError where
    it is damaged."""
    how = TYPES[extension][2]
    with Image.open(file, formats=[how]) as picture:
        large = picture.width * picture.height > LARGE
        with _turn(TURN_SECONDS if wait is None else wait) if large else nullcontext():
            return _drawn_anew(picture, how, max_side)


@contextmanager
def _turn(wait: float):
    """Of large pictures one at a time."""
    if wait <= 0 or not _one_large_picture.acquire(timeout=wait):
        raise UploadRefused(
            _("This picture is very large, and others are being worked on. Send it again in a minute."),
            code="busy",
        )
    try:
        yield
    finally:
        _one_large_picture.release()


def _drawn_anew(picture: Image.Image, how: str, max_side: int) -> io.BytesIO:
    picture.thumbnail((max_side, max_side))  # a JPEG that is far too large is read smaller at once
    ImageOps.exif_transpose(picture, in_place=True)
    mode = (
        "RGBA" if how != "JPEG" and ("A" in picture.getbands() or "transparency" in picture.info) else "RGB"
    )
    drawn = picture if picture.mode == mode else picture.convert(mode)
    clean = Image.new(drawn.mode, drawn.size)
    clean.paste(drawn)
    out = io.BytesIO()
    if how == "PNG":
        clean.save(out, format=how, optimize=clean.width * clean.height <= LARGE)
    else:
        clean.save(out, format=how, quality=88)
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
