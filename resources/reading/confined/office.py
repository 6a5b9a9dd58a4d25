"""Word, PowerPoint, Excel and OpenDocument: XML in a zip. Only the parts with words are unpacked, bit by bit."""

import codecs
import io
import re
import zipfile

from lxml import etree

from ..looked import MAX_PART
from .saying import Enough, Unreadable, Words, say
from .walls import as_a_file

MAX_ENTRIES = 5_000
MAX_PARTS = 500  # slides
CHUNK = 64 * 1024
_BREAKS = {"p", "h", "br", "tab", "tc", "line-break", "table-cell", "si", "s"}  # a word ends there
_BESIDE = {"tracked-changes", "annotation", "rPh"}


def warm_up() -> None:
    for encoding in ("cp437", "utf_8", "ascii", "utf_16", "latin_1"):
        codecs.lookup(encoding)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("x", "<p>é</p>")
    with zipfile.ZipFile(archive) as package:
        _read(package, "x", {"p"}, str)


def look(content) -> None:
    try:
        package = zipfile.ZipFile(as_a_file())
        names = package.namelist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise Unreadable("damaged") from error
    if len(names) > MAX_ENTRIES:
        raise Unreadable("too much")
    if any(entry.flag_bits & 1 for entry in package.infolist()):
        raise Unreadable("password")
    parts = _parts(names)
    if not parts:
        raise Unreadable("kind")
    within = {"p", "h"} if parts == ["content.xml"] else {"t"}
    words = Words()
    try:
        say(title=_title(package, names), pages=_pages(package, names, parts))
        for name in parts[:MAX_PARTS]:
            _read(package, name, within, words.add)
            words.add("\n")
    except Enough:
        pass
    except (
        zipfile.BadZipFile,
        etree.XMLSyntaxError,
        RuntimeError,
        NotImplementedError,
        OSError,
        EOFError,
    ) as error:
        words.say()
        raise Unreadable("damaged") from error
    words.say()


def _parts(names: list[str]) -> list[str]:
    """The parts with words, in the order in which they are read."""
    slides = [name for name in names if re.fullmatch(r"ppt/slides/slide\d{1,6}\.xml", name)]
    if slides:
        return sorted(slides, key=lambda name: int(re.sub(r"\D", "", name)))
    return [name for name in ("word/document.xml", "xl/sharedStrings.xml", "content.xml") if name in names]


class _Bounded:
    """A part of the package that ends the reading where it unpacks to too much, whatever it said about its size."""

    def __init__(self, part):
        self.part, self.left = part, MAX_PART

    def read(self, size: int = -1) -> bytes:
        data = self.part.read(min(size, CHUNK) if size > 0 else CHUNK)
        self.left -= len(data)
        if self.left < 0:
            raise Unreadable("too much")
        return data


class _Target:
    """Hears a part as it is read; keeps no tree of it. Words are what stands in `within`, but not what was deleted, or
    what somebody noted beside it."""

    def __init__(self, within: set[str], heard):
        self.within, self.heard = within, heard
        self.inside = self.beside = 0

    def start(self, tag, attributes):
        kind = tag.rpartition("}")[2]
        self.inside += kind in self.within
        self.beside += kind in _BESIDE

    def data(self, text):
        if self.inside and not self.beside:
            self.heard(text)

    def end(self, tag):
        kind = tag.rpartition("}")[2]
        self.inside -= kind in self.within
        self.beside -= kind in _BESIDE
        if kind in _BREAKS and not self.beside:
            self.heard("\n" if kind in ("p", "h") else " ")

    def doctype(self, name, public, system):
        raise Unreadable("damaged")  # no office program writes one, and entities are declared there

    def close(self):
        return None


def _read(package, name: str, within: set[str], heard) -> None:
    """Tell what one part says, and read no more of it than MAX_PART, whatever the package says about its size. No entity
    is declared, no other file asked for, and nothing grows beyond libxml2's own bounds."""
    parser = etree.XMLParser(
        target=_Target(within, heard),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    left = MAX_PART
    with package.open(name) as part:
        while chunk := part.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                raise Unreadable("too much")
            parser.feed(chunk)
    parser.close()


def _title(package, names: list[str]) -> str:
    for name in ("docProps/core.xml", "meta.xml"):
        if name in names:
            return _one(package, name, "title")
    return ""


def _pages(package, names: list[str], parts: list[str]) -> int | None:
    if parts[0].startswith("ppt/"):
        return len(parts)
    if "docProps/app.xml" in names and parts[0].startswith("word/"):
        stated = _one(package, "docProps/app.xml", "Pages")
        return (
            int(stated) if stated.isascii() and stated.isdigit() and 0 < int(stated[:6]) < 100_000 else None
        )
    return None


def _one(package, name: str, kind: str) -> str:
    """The words of the first element of this kind."""
    found: list[str] = []
    _read(package, name, {kind}, found.append)
    return "".join(found)[:500].strip()
