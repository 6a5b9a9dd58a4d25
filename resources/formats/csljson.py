"""CSL-JSON, our own form: read from what reference managers export, written so that a strict schema takes it."""

import json
import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from kmnet.core.text import clean_line

from ..csl import FOREIGN_TYPES, TYPES, clean_item, without_markup
from .rows import MAX_ROWS, NotReadable, Row, checked, complete, identify, licence_in, plain_text, tags_in

_DECODER = json.JSONDecoder()
_GAP = re.compile(r"[\s,]*")


def read(text: str) -> list[Row]:
    """Every item of a CSL-JSON file: a list of items, {"items": [...]}, or one item. Raises NotReadable."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        words = _("This is not well-formed JSON (line %(line)d).") % {"line": error.lineno}
        raise NotReadable(words) from error
    except (ValueError, RecursionError) as error:
        raise NotReadable(_("This is not well-formed JSON.")) from error
    items = whole.get("items", [whole]) if isinstance(whole, dict) else whole
    if not isinstance(items, list):
        items = []
    lines = _lines(text) if isinstance(whole, list) else {}
    rows = (_row(item, lines.get(number, 1)) for number, item in enumerate(items) if item not in ({}, None))
    return checked(rows, _("There is no item in this file."))


def _lines(text: str) -> dict[int, int]:
    """On which line each item of a list begins, as far as they are read."""
    lines, place, line, counted = {}, text.index("[") + 1, 1, 0
    for number in range(min(len(text), 2 * MAX_ROWS)):
        place = _GAP.match(text, place).end()
        if text[place] == "]":
            break
        line += text.count("\n", counted, place)
        counted = place
        lines[number] = line
        place = _DECODER.raw_decode(text, place)[1]
    return lines


def _row(raw, line: int) -> Row:
    if not isinstance(raw, dict):
        return Row({}, line, [_("is no item")])
    problems: list[str] = []
    stated = raw.get("type")
    if stated and not (isinstance(stated, str) and (stated in TYPES or stated in FOREIGN_TYPES)):
        problems.append(
            _("type “%(kind)s” is not known: a document") % {"kind": clean_line(str(stated))[:40]}
        )
    item = clean_item({**raw, "title": without_markup(raw.get("title"))})
    identify(item, str(raw.get("DOI") or ""), str(raw.get("URL") or ""), problems)
    custom = raw.get("custom") if isinstance(raw.get("custom"), dict) else {}
    extra = {
        "key": clean_line(str(raw.get("id") or raw.get("citation-key") or ""))[:200],
        "kind": clean_line(str(custom.get("kind") or ""))[:100],
        "tags": tags_in(str(raw.get("keyword") or "")),
        "description": plain_text(raw.get("abstract")),
        "language": item.get("language", ""),
        "licence": licence_in(custom.get("licence") or raw.get("license")),
        "minutes": _minutes(custom.get("minutes")),
    }
    return complete(item, line, problems, extra)


def _minutes(stated) -> int | None:
    """As many as the form takes."""
    return stated if type(stated) is int and 1 <= stated <= 9999 else None


def write(items: Iterable[dict]) -> str:
    """A CSL-JSON file of items; nothing of them is lost."""
    return json.dumps(list(items), ensure_ascii=False, indent=2) + "\n"
