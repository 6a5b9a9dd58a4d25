"""PDF: how many pages, what it calls itself, its words, its first page."""

import codecs
import ctypes
import math
import re
import time

import pypdfium2
from PIL import Image

from ..looked import MAX_PAGES, SIDE
from .saying import Enough, Unreadable, Words, say, say_picture

FOR_WORDS = 8.0  # seconds; what was read by then is kept
_HYPHEN = re.compile("[\ufffe\x02\u00ad]\r?\n?")  # where the line broke a word
_PASSWORD = 4  # pdfium's FPDF_ERR_PASSWORD


def warm_up() -> None:
    """A file of our own, once through all of it."""
    for encoding in ("utf_16_le", "utf_8", "latin_1", "ascii"):
        codecs.lookup(encoding)
    Image.init()
    document = pypdfium2.PdfDocument.new()
    document.new_page(10, 10)
    document.get_metadata_dict()
    page = document[0]
    page.get_textpage().get_text_range()
    page.render(scale=1).to_pil()


def look(content) -> None:
    document = _opened(content)
    pages = len(document)
    said = document.get_metadata_dict()
    facts = " ".join(str(said.get(key, "")) for key in ("Subject", "Keywords", "Title"))
    say(pages=pages, title=said.get("Title", "") if _is_title(said.get("Title", "")) else "", facts=facts)
    if pages > MAX_PAGES:
        raise Unreadable("pages")
    if not pages:
        raise Unreadable("damaged")
    _words(document, pages)
    _first_page(document)


def count(content) -> None:
    say(pages=len(_opened(content)))


def _opened(content) -> pypdfium2.PdfDocument:
    buffer = (ctypes.c_ubyte * len(content)).from_buffer(content)
    try:
        return pypdfium2.PdfDocument(buffer)
    except pypdfium2.PdfiumError as error:
        password = getattr(error, "err_code", None) == _PASSWORD or "password" in str(error).lower()
        raise Unreadable("password" if password else "damaged") from error


def _is_title(title: str) -> bool:
    """Not the name of a file, or what a program writes where nobody has written anything."""
    title = title.strip()
    return bool(
        len(title) > 3
        and re.search(r"[^\W\d_]{2}", title)
        and not re.match(
            r"(untitled|microsoft (word|powerpoint)|document\d*$|title$|layout \d|print)", title, re.I
        )
        and not re.search(r"\.(docx?|pptx?|pdf|indd|qxd|tex|rtf|dvi|odt)$", title, re.I)
    )


def _words(document, pages: int) -> None:
    words, head = Words(), ""
    ends = time.monotonic() + FOR_WORDS
    try:
        for number in range(pages):
            try:
                page = document[number]
                part = page.get_textpage()
                text = part.get_text_range()
                part.close()
                page.close()
            except pypdfium2.PdfiumError:  # this page is broken, the next may not be
                continue
            text = _HYPHEN.sub("", text).replace("\r\n", "\n") + "\n\n"
            if number < 2:
                head += text
            words.add(text)
            if time.monotonic() > ends:
                break
    except Enough:
        pass
    words.say(head)


def _first_page(document) -> None:
    page = document[0]
    width, height = page.get_size()
    if not (math.isfinite(width) and math.isfinite(height) and width >= 1 and height >= 1):
        return
    scale = SIDE / max(width, height)
    if min(width, height) * scale < 1:
        return
    say_picture(page.render(scale=scale, may_draw_forms=False).to_pil())
