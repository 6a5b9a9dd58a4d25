"""Reading a list of addresses as people have them: a file out of a spreadsheet, or lines pasted from a mail program.

Pure: bytes and text in, rows and problems out, each with its line number."""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parseaddr

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from kmnet.core.text import has_double

from .names import clean_name

MOST_ROWS = 5000
MOST_BYTES = 1_000_000
LONGEST = 500  # characters of a cell that is looked at
SHOWN = 80  # of a cell that is wrong
HEADINGS = re.compile(r"mail|address|adresse|correo|name|nom\b", re.IGNORECASE)
MAIL = re.compile(r"mail|correo", re.IGNORECASE)
FIRST_NAME = re.compile(r"first|given|vorname|prénom|^nombre", re.IGNORECASE)
LAST_NAME = re.compile(r"last|family|surname|nachname|^nom\b|apellido", re.IGNORECASE)
NAME = re.compile(r"^(full |display |member )?name$|^nom complet$", re.IGNORECASE)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Unreadable(ValidationError):
    """Not a text at all, or too much of it."""


@dataclass(frozen=True)
class Row:
    line: int
    address: str
    name: str = ""


@dataclass(frozen=True)
class Problem:
    line: int
    words: str
    content: str = ""


@dataclass
class AddressList:
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def people(self) -> list[tuple[str, str]]:
        return [(row.address, row.name) for row in self.rows]


def read_bytes(content: bytes) -> tuple[str, bool]:
    """The text of a file, and whether its encoding had to be guessed. Raises Unreadable."""
    if len(content) > MOST_BYTES:
        raise Unreadable(_("The file is larger than a megabyte. Please bring it in parts."), code="too_large")
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            try:
                return content.decode(encoding), False
            except UnicodeDecodeError as error:
                raise Unreadable(_("The file cannot be read as text."), code="encoding") from error
    if b"\x00" in content:
        raise Unreadable(
            _("This is not a text file. In your spreadsheet, save it as CSV (UTF-8)."), code="not_text"
        )
    try:
        return content.decode("utf-8"), False
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), True


def parse(text: str) -> AddressList:
    """Every line: an address with a name before or after it, or none. Raises Unreadable for more than MOST_ROWS."""
    found = AddressList()
    seen: dict[str, int] = {}
    for line, cells in _lines(text):
        if len(found.rows) + len(found.problems) >= MOST_ROWS:
            raise Unreadable(
                _("More than %(most)d lines. Please bring the list in parts."),
                params={"most": MOST_ROWS},
                code="too_many",
            )
        try:
            row = _row(line, cells)
        except ValidationError as error:
            found.problems.append(Problem(line, " ".join(error.messages), _shown(cells)))
            continue
        earlier = seen.setdefault(row.address.lower(), line)
        if earlier != line:
            words = _("The same address as in line %(line)d.") % {"line": earlier}
            found.problems.append(Problem(line, words, _shown(cells)))
            continue
        found.rows.append(row)
    return found


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of what is not empty and no heading. Each line stands for itself: a quotation mark that is
    never closed spoils one line, not the rest of the list."""
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    separator = _separator(lines)
    is_first = True
    columns: tuple[int, ...] = ()
    for number, line in enumerate(lines, 1):
        if not line.strip(" \t,;"):
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
        except csv.Error:  # more than the module takes for one cell
            cells = [line]
        while cells and not cells[-1]:
            cells.pop()
        heading = is_first and "@" not in line and HEADINGS.search(line)
        is_first = False
        if heading:
            columns = _columns(cells)
        elif cells:
            yield number, _chosen(cells, columns)


def _columns(headings: list[str]) -> tuple[int, ...]:
    """Of a wide table, as mailing programs export it: where its headings say that the address and the name are.
    Empty when they do not say it, or when there is nothing to choose."""
    if len(headings) <= 2:
        return ()
    address = next((number for number, words in enumerate(headings) if MAIL.search(words)), None)
    if address is None:
        return ()
    whole = next((number for number, words in enumerate(headings) if NAME.search(words)), None)
    if whole is not None:
        return address, whole
    parts = (
        next((n for n, words in enumerate(headings) if kind.search(words)), None)
        for kind in (FIRST_NAME, LAST_NAME)
    )
    return address, *(number for number in parts if number is not None and number != address)


def _chosen(cells: list[str], columns: tuple[int, ...]) -> list[str]:
    """The address and the name, where the headings told; else the line as it is."""
    if not columns:
        return cells
    address, *names = (cells[number] if number < len(cells) else "" for number in columns)
    return [address, " ".join(name for name in names if name)]


def _separator(lines: list[str]) -> str:
    """Whichever stands in most lines, outside quotation marks as far as a spreadsheet writes them."""
    counts = {mark: sum(1 for line in lines[:200] if mark in line) for mark in (";", "\t", ",")}
    return max(counts, key=lambda mark: counts[mark]) if any(counts.values()) else ","


def _row(line: int, cells: list[str]) -> Row:
    if len(cells) > 2:
        raise ValidationError(_("More than two columns: we need the address, and the name if you like."))
    if any(letter in cell for cell in cells for letter in "\x00\x1b"):
        raise ValidationError(_("There are characters in it that cannot be seen."))
    if any(len(cell) > LONGEST for cell in cells):  # parseaddr goes as deep as there are brackets
        raise ValidationError(_("This is not an e-mail address."))
    if len(cells) == 1 and "<" in cells[0]:  # Ana Silva <ana@example.org>
        name, address = parseaddr(cells[0])
    else:
        at = next((number for number, cell in enumerate(cells) if "@" in cell), 0)
        address = cells[at]
        name = next((cell for number, cell in enumerate(cells) if number != at), "")
    try:
        validate_email(address)
    except ValidationError as error:
        raise ValidationError(_("This is not an e-mail address.")) from error
    if len(address) > 254 or has_double(address):
        raise ValidationError(_("This is not an e-mail address."))
    if name.startswith(FORMULA):
        raise ValidationError(_("The name begins like a formula. Please mend it, or leave it out."))
    if len(name) > 120:
        raise ValidationError(_("The name is too long."))
    return Row(line, address, clean_name(name) if name else "")


def _shown(cells: list[str]) -> str:
    text = " · ".join("".join(c for c in cell if c.isprintable()) for cell in cells)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
