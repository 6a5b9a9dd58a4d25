"""The people of an event as a table: for spreadsheets, which must never take a word for a formula."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from .models import Event, Question, Registration, Status

STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
LONGEST_CELL = 32_767  # what a spreadsheet takes
WIDTHS = {1: 28, 2: 32, 3: 22}


def safe_cell(text: str) -> str:
    """An apostrophe before what a spreadsheet takes for a formula; it shows the rest as it is."""
    return f"'{text}" if text[:1] in STARTS_FORMULA else text


def heads(event: Event, questions: list[Question]) -> list[str]:
    columns = [_("name"), _("e-mail"), _("state")]
    columns += [_("how they come")] if len(event.ways) > 1 else []
    columns += [_("joined (UTC)"), _("place (UTC)"), _("said yes (UTC)"), _("came (UTC)"), _("access needs")]
    return columns + [question.label for question in questions]


def rows(event: Event, questions: list[Question]) -> Iterator[list[str]]:
    """Everyone who ever registered, in the order in which they joined. Two queries."""
    people = event.registrations.with_consent().exclude(status=Status.UNPROVEN).select_related("member")
    for one in people.prefetch_related("answers").order_by("joined_at", "pk"):
        yield _row(event, one, questions)


def _row(event: Event, one: Registration, questions: list[Question]) -> list[str]:
    answers = {answer.question_id: answer.value for answer in one.answers.all()}
    cells = [one.name, one.told_address, one.status]
    cells += [one.way] if len(event.ways) > 1 else []
    cells += [_utc(moment) for moment in (one.joined_at, one.confirmed_at, one.said_yes_at, one.attended_at)]
    return [*cells, one.access_needs, *[in_words(answers.get(question.pk)) for question in questions]]


def in_words(value) -> str:
    """An answer, whatever its kind, as one cell."""
    if value is None or value is False:
        return ""
    if value is True:
        return _("yes")
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _utc(moment) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment else ""


def as_csv(event: Event) -> str:
    """With a mark of order, or Excel reads the accents wrongly."""
    questions = list(event.questions.all())
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    for row in (heads(event, questions), *rows(event, questions)):
        writer.writerow([safe_cell(cell) for cell in row])
    return out.getvalue()


def as_xlsx(event: Event) -> bytes:
    """Every cell is of the type “text”, so that none is ever worked out."""
    questions = list(event.questions.all())
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("People"))
    sheet.freeze_panes = "B2"
    titles = heads(event, questions)
    for number in range(1, len(titles) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = WIDTHS.get(number, 20)
    sheet.append([_text(sheet, title, bold=True) for title in titles])
    for row in rows(event, questions):
        sheet.append([_text(sheet, cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _text(sheet, words: str, *, bold: bool = False) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", words)[:LONGEST_CELL])
    cell.data_type = "s"  # openpyxl takes “=…” for a formula otherwise
    if bold:
        cell.font = Font(bold=True)
    return cell


def needs_as_csv(event: Event) -> str:
    """What helps people to take part, without their names: for whoever prepares the room, in no order that tells them."""
    needs = (
        event.registrations.live()
        .exclude(access_needs="")
        .order_by("access_needs")
        .values_list("access_needs", "way")
    )
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([_("access needs"), _("how they come")] if len(event.ways) > 1 else [_("access needs")])
    for need, way in needs:
        writer.writerow([safe_cell(cell) for cell in ((need, way) if len(event.ways) > 1 else (need,))])
    return out.getvalue()
