"""Whom words find. The SQL is made once for each kind of viewer: it is long, since each part has its own audience."""

from django.utils import timezone

from kmnet.core.fixed import planned_anew
from kmnet.core.search import Lexemes, SearchText

from ..models import Member
from ..models.member import name_patterns
from ..readers import kind_of, stand_in
from .sql import Sql, same_person


@planned_anew
def _ids(kind, limit, *, reader, words, today, **patterns):
    viewer = stand_in(kind, reader)
    return Member.objects.ids_matching(Lexemes(words), patterns.values(), viewer, limit=limit, today=today)


@planned_anew
def _one_by_one(kind, *, reader, words, today, **patterns):
    viewer, full = stand_in(kind, reader), Member.objects.full()
    return same_person(full.matching_one_by_one(Lexemes(words), patterns.values(), viewer, today=today))


def _given(text: SearchText, viewer) -> dict:
    patterns = {f"pattern_{number}": one for number, one in enumerate(name_patterns(text))}
    return {"reader": viewer.pk, "words": text.lexemes, "today": timezone.now().date(), **patterns}


def ids_by_words(text: SearchText, viewer, limit: int) -> list[int]:
    """The ids of up to `limit` of those whom the words find for this viewer, a full member."""
    return _ids(kind_of(viewer), limit, **_given(text, viewer))


def asked_one_by_one(text: SearchText, viewer) -> Sql:
    """The same, to be asked of one entry after the other."""
    given = _given(text, viewer)
    plan = _one_by_one.plan((kind_of(viewer),), given)
    return Sql(plan.statement.sql, tuple(plan.values(given)))
