"""What people talk about: things of one app that a thread of another can be about, without the two knowing each other.

An app registers its kind of thing (`Subject`); the one that holds the talk registers how talk is found (`register_talk`).
That a thread is about a thing is a row (RelatedItem), written in the transaction of the thread; each page asks anew what
of it its reader may see.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet

from .models import RelatedItem

RELATION = "about"


@dataclass(frozen=True)
class Subject:
    """A kind of thing. key: as in an address, ?about=resource-12. visible_to(user): which of them somebody may begin to
    talk about; title, url: read off the thing."""

    key: str
    model: type[Model]
    visible_to: Callable[[object], QuerySet]
    title: Callable[[Model], str]
    url: Callable[[Model], str]


@dataclass(frozen=True)
class Talk:
    """One thread about a thing."""

    url: str
    title: str
    replies: int
    at: datetime


Finder = Callable[[QuerySet, object, int], list[Talk]]
_subjects: dict[str, Subject] = {}
_finders: list[Finder] = []


def register(subject: Subject) -> None:
    _subjects[subject.key] = subject


def register_talk(find: Finder) -> None:
    """From hooks: `find(items, viewer, limit)` gives the talk that these RelatedItems lead to, the latest first."""
    if find not in _finders:
        _finders.append(find)


def find(stated: str, viewer) -> tuple[Subject, Model] | None:
    """The thing that an address names, if this person may see it."""
    key, _dash, number = stated.partition("-")
    subject = _subjects.get(key)
    if subject is None or not (number.isascii() and number.isdecimal()):
        return None
    thing = subject.visible_to(viewer).filter(pk=min(int(number), 2**63 - 1)).first()
    return (subject, thing) if thing is not None else None


def note(*, source: Model, target: Model) -> None:
    """`source` (a thread) is about `target`; inside the transaction that makes the source."""
    RelatedItem.objects.get_or_create(
        source_type=ContentType.objects.get_for_model(source),
        source_id=source.pk,
        target_type=ContentType.objects.get_for_model(target),
        target_id=target.pk,
        relation=RELATION,
    )


def talk_about(target: Model, viewer, limit: int = 3) -> list[Talk]:
    """What this person may read about a thing; one query for each app that holds talk."""
    about = ContentType.objects.get_for_model(target)
    items = RelatedItem.objects.filter(target_type=about, target_id=target.pk, relation=RELATION)
    return [talk for finder in _finders for talk in finder(items, viewer, limit)]
