"""What a record said before. What was written for fewer is never told to more, and what a moderator took out is gone.

A step keeps the fields that were changed, as they were, in words that people read; the step after it (or the record as it
is now) says what they became.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core import audit
from kmnet.core.differences import Change, around, changes
from kmnet.core.text import clean_text

from .. import citing, csl
from ..licences import BY_KEY
from ..models import LANGUAGE_NAMES, Resource, ResourceEdit, Visibility
from ..permissions import can_hide_resource

MOST_STEPS = 100
FIELDS = {  # by the names of the form, in the order of the page
    "title": _("Title"),
    "creators": _("By whom"),
    "year": _("Year"),
    "source": _("Journal, site or publisher"),
    "description": _("In your own words"),
    "url": _("Link"),
    "doi": _("DOI"),
    "files": _("Files"),
    "terms": _("Terms"),
    "tags": _("Tags"),
    "language": _("Language"),
    "licence": _("Licence"),
    "minutes": _("Minutes it takes"),
    "visibility": _("Who may see it"),
    "files_for": _("Who may open the files"),
    "more": _("Other details"),
}
ELSEWHERE = {
    "title",
    "author",
    "editor",
    "issued",
    "DOI",
    "URL",
    "container-title",
    "publisher",
    "language",
}
TAKEN_OUT = None  # instead of the words


def snapshot(resource: Resource) -> dict[str, str]:
    """What the record says now, field by field. Three queries."""
    item = resource.csl
    more = {key: value for key, value in item.items() if key not in ELSEWHERE}
    return {
        "title": resource.title,
        "creators": "\n".join(csl.display_name(name) for name in csl.creators_of(item)),
        "year": str(resource.year or ""),
        "source": item.get("container-title") or item.get("publisher", ""),
        "description": resource.description,
        "url": resource.url,
        "doi": item.get("DOI", ""),
        "files": "\n".join(sorted(resource.files.open_to_readers().values_list("name", flat=True))),
        "terms": ", ".join(resource.terms.order_by("facet__position", "position", "pk").values_list("name", flat=True)),
        "tags": ", ".join(sorted(resource.tags.values_list("name", flat=True))),
        "language": resource.language,
        "licence": resource.licence,
        "minutes": str(resource.minutes or ""),
        "visibility": resource.visibility,  # not which group: its name may be for few
        "files_for": resource.files_for,
        "more": "\n".join(f"{key}: {_line(value)}" for key, value in sorted(more.items())),
    }  # fmt: skip


def _line(value) -> str:
    if isinstance(value, dict):  # a date
        return "-".join(str(part) for part in (value.get("date-parts") or [[]])[0])
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@contextmanager
def changing(resource: Resource, *, editor, note: str = "") -> Iterator[None]:
    """Around what changes a record within a transaction: what it said before is kept, if anything was changed.

    The caller holds the record's lock, and `resource` is as it was when this begins, as it is now when it ends.
    """
    before, audience = snapshot(resource), (resource.visibility, resource.group_id)
    yield
    citing.forget_citation(resource.pk)
    after = snapshot(resource)
    keep(
        resource,
        before={key: was for key, was in before.items() if after[key] != was},
        editor=editor,
        note=note,
    )
    if is_wider(audience, (resource.visibility, resource.group_id)):
        forget(resource)  # what it said to fewer


def keep(resource: Resource, *, before: dict[str, str], editor, note: str = "") -> None:
    """One step, unless nothing was changed. In the first minutes after it was written a mistake leaves no trace, and
    several changes by one person within minutes are one step."""
    if not before:
        return
    now = timezone.now()
    grace = now - timedelta(minutes=settings.POST_GRACE_MINUTES)
    editor_id = getattr(editor, "pk", None)
    last = resource.edits.order_by("-pk").first()
    if last is None and editor_id and resource.added_by_id == editor_id and resource.created_at > grace:
        return
    if last is not None and editor_id and last.editor_id == editor_id and last.at > grace and not note:
        last.before = {**before, **last.before}
        last.at = now
        last.save(update_fields=["before", "at"])
        return
    ResourceEdit.objects.create(resource=resource, editor=editor, at=now, before=before, note=note[:200])


def forget(resource: Resource) -> None:
    resource.edits.all().delete()


def is_wider(was: tuple, now: tuple) -> bool:
    order = [Visibility.GROUP, Visibility.MEMBERS, Visibility.PUBLIC]
    if was[0] == now[0] == Visibility.GROUP:
        return was[1] != now[1]
    return order.index(now[0]) > order.index(was[0])


@dataclass
class Changed:
    """One field of a step. `taken_out`: a moderator took the words out, of before or of after."""

    label: str
    changes: list[Change] = field(default_factory=list)
    taken_out: bool = False


@dataclass
class Step:
    pk: int
    at: datetime
    editor: object
    note: str
    fields: list[Changed]

    @property
    def has_words(self) -> bool:
        return any(not changed.taken_out for changed in self.fields)


def steps(resource: Resource) -> list[Step]:
    """The latest first. Five queries, however many there are."""
    after, found = snapshot(resource), []
    for edit in resource.edits.select_related("editor")[:MOST_STEPS]:
        fields = []
        for key, label in FIELDS.items():
            if key not in edit.before:
                continue
            was, became = edit.before[key], after.get(key, "")
            if was is TAKEN_OUT or became is TAKEN_OUT:
                fields.append(Changed(label, taken_out=True))
            else:
                fields.append(Changed(label, around(changes(in_words(key, was), in_words(key, became)))))
        found.append(Step(edit.pk, edit.at, edit.editor, edit.note, fields))
        after |= edit.before
    return found


def in_words(key: str, value: str) -> str:
    if key == "visibility":
        return str(dict(Visibility.choices).get(value, value))
    if key == "files_for":
        return str(_("members only") if value else _("whoever sees the record"))
    if key == "licence":
        return str(BY_KEY[value].label) if value in BY_KEY else value
    return str(LANGUAGE_NAMES.get(value, value)) if key == "language" else value


@transaction.atomic
def redact_edit(*, edit: ResourceEdit, actor, reason: str) -> None:
    """A moderator takes the words of one step out of the history, for good; that there was a step stays. Logged, in
    the words of the log and without those that went. Twice is once."""
    resource = Resource.objects.select_for_update().get(pk=edit.resource_id)
    if not can_hide_resource(actor, resource):
        raise PermissionDenied
    reason = clean_text(reason).strip()
    if not reason:
        raise ValidationError(_("Say why: the reason stands in the log."), code="reason")
    edit = ResourceEdit.objects.select_for_update().get(pk=edit.pk)
    if edit.note == "" and all(value is TAKEN_OUT for value in edit.before.values()):
        return
    edit.before, edit.note = dict.fromkeys(edit.before, TAKEN_OUT), ""
    edit.save(update_fields=["before", "note"])
    audit.record_act(actor=actor, verb="resources.history_redacted", target=resource, reason=reason)
