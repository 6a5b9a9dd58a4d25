"""Importing a bibliography: every row is taken, left as it is, or skipped with a reason; the taken ones all together."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils.translation import gettext as _

from kmnet.core.models import Term
from members.models import Group

from ..csl import creators_of, display_name, year_of
from ..formats import Row, bibtex, text_of
from ..identifiers import title_key
from ..known import language_in
from ..models import Resource, Visibility
from ..permissions import can_add_resource
from ..vocabulary import TermIndex, type_term
from .records import Details, add_resource

LOCK = 7_306_001  # one import at a time: two at once could both find a record missing


@dataclass
class Report:
    """What an import did, row by row: (line, key, words)."""

    added: list[tuple[int, str, str]] = field(default_factory=list)
    unchanged: list[tuple[int, str, str]] = field(default_factory=list)
    repaired: list[tuple[int, str, str]] = field(default_factory=list)
    skipped: list[tuple[int, str, str]] = field(default_factory=list)


def import_key(row: Row) -> str:
    """The same row of the same file, whenever it comes again; keys such as "smith2010" alone are in many files."""
    return hashlib.sha256(f"{row.key}\n{title_key(row.item['title'])}".encode()).hexdigest()


class _Known:
    """What the library holds already, hidden records too: what was hidden must not come back by an import."""

    def __init__(self):
        self.by_key: dict[str, int] = {}
        self.by_doi: dict[str, int] = {}
        self.by_title: dict[str, list[tuple[int, str, int | None, set[str]]]] = {}
        fields = ("pk", "import_key", "csl", "title")
        for pk, key, item, title in Resource.objects.order_by("pk").values_list(*fields).iterator():
            self.remember(pk, key, item, title)

    def remember(self, pk: int, key: str | None, item: dict, title: str) -> None:
        if key:
            self.by_key[key] = pk
        if item.get("DOI"):
            self.by_doi.setdefault(item["DOI"].lower(), pk)
        about = (pk, item.get("DOI", "").lower(), year_of(item), _families(item))
        self.by_title.setdefault(title_key(title), []).append(about)

    def same_as(self, row: Row) -> int | None:
        doi = row.item.get("DOI", "").lower()
        found = self.by_key.get(import_key(row)) or self.by_doi.get(doi)
        if found:
            return found
        year, families = year_of(row.item), _families(row.item)
        for pk, other_doi, other_year, other_families in self.by_title.get(title_key(row.item["title"]), ()):
            # The same title is not the same thing where DOIs differ, years lie apart, or no creator agrees.
            if doi and other_doi and doi != other_doi:
                continue
            if year and other_year and abs(year - other_year) > 1:
                continue
            if families and other_families and not families & other_families:
                continue
            return pk
        return None


def _families(item: dict) -> set[str]:
    return {title_key(name.get("family") or display_name(name)) for name in creators_of(item)}


def import_bibtex(
    data: bytes, *, actor=None, visibility: str = Visibility.PUBLIC, dry_run: bool = False
) -> Report:
    """Take a BibTeX file into the library; safe to repeat: what is there already stays as it is.

    Raises formats.NotReadable, with nothing taken, where the file cannot be read at all. The rows that are taken are
    saved in one transaction: all of them, or none.
    """
    if actor is not None and not can_add_resource(actor):
        raise PermissionDenied
    rows = bibtex.read(text_of(data))
    with transaction.atomic():
        report = _take(rows, actor=actor, visibility=visibility)
        if dry_run:
            transaction.set_rollback(True)
    return report


def _take(rows: Iterable[Row], *, actor, visibility: str) -> Report:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    report, known, filing = Report(), _Known(), Filing()
    for row in rows:
        if not row.item:
            report.skipped.append((row.line, row.key, row.problems[0]))
            continue
        title = row.item["title"]
        same = known.same_as(row)
        if same:
            report.unchanged.append((row.line, row.key, title))
            continue
        details, words = filing.details(row.item, row.extra, visibility=visibility)
        row.problems.extend(words)
        resource = add_resource(
            actor=actor,
            details=details,
            import_key=import_key(row),
            announce=False,  # one import is no row of sixty notices
        )
        known.remember(resource.pk, resource.import_key, resource.csl, resource.title)
        report.added.append((row.line, row.key, title))
        report.repaired += [(row.line, row.key, words) for words in row.problems]
    return report


class Filing:
    """What a row becomes here: its words matched to the vocabulary, once for all rows."""

    def __init__(self):
        self.terms = TermIndex()
        self.kinds: dict[str, Term | None] = {}

    def details(
        self,
        item: dict,
        extra: dict,
        *,
        visibility: str,
        group: Group | None = None,
        licence: str = "unknown",
        tags: Iterable[str] = (),
    ) -> tuple[Details, list[str]]:
        """The record of a row, and what could not be kept of it, in words. `licence`, `tags`: for rows that state none, and
        for all."""
        stated = extra.get("kind") or item["type"]
        if stated not in self.kinds:
            self.kinds[stated] = type_term(stated)
        kind, words = self.kinds[stated], []
        if extra.get("kind") and kind is None:
            words.append(_("type “%(kind)s” is no term of the vocabulary") % {"kind": stated})
        named = [*tags, *extra.get("tags", [])]
        found = {term.pk: term for term in ([kind] if kind else []) + self.terms.matching(named)}
        details = Details(
            csl=item,
            description=extra.get("description", ""),
            language=language_in(extra.get("language", "")) or "en",
            licence=extra.get("licence") or licence,
            visibility=visibility,
            group=group,
            minutes=extra.get("minutes"),
            terms=list(found.values()),
            tags=named,
        )
        return details, words
