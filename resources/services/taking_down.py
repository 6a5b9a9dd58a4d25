"""Taking a record out of the library for good: a tombstone says why, and how it was cited.

What must never be false: no file of it is left once it is down; where its words had to go, none is left in any table of
the library; its address says the reason to whoever might have seen it, and nothing to others; how much it was used stays.
"""

from datetime import timedelta

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import activity, audit, files, moderation
from kmnet.core.models import Flag
from kmnet.core.text import clean_line

from .. import citing
from ..identifiers import normalise_doi, url_key
from ..models import (
    DoiRecord,
    HandOver,
    ImportBatch,
    LinkCheck,
    LinkRecord,
    Resource,
    ResourceFile,
    ResourceVersion,
    Tombstone,
)
from ..permissions import can_delete_own, can_take_down
from .records import need_reason, put_back, put_out_of_sight

UNDO_FOR = timedelta(days=30)


class Undone(ValidationError):
    """It cannot come back: too long ago, or its words are gone."""


@transaction.atomic
def take_down(
    *, resource: Resource, actor, reason: str, why: str, note: str = "", words_go: bool = False
) -> Tombstone:
    """A moderator takes it down. `reason`: one of Tombstone.Reason, and `note` a sentence for all; `why` for the log.
    `words_go`: also what it says must go (personal data). Who added it and who looks after it are told; open reports are
    settled. Twice is once: the first tombstone stands. Locks the case, then the record."""
    moderation.hold_case(moderation.kind_of(Resource), resource.pk)
    resource = Resource.objects.select_for_update().get(pk=resource.pk)
    if not can_take_down(actor, resource):
        raise PermissionDenied
    why = need_reason(why)
    there = Tombstone.objects.filter(resource=resource).first()
    if there is not None:
        return there
    if resource.merged_into_id:
        raise ValidationError(_("It was merged into another one: take that one down."), code="merged")
    tombstone = _bury(resource, actor=actor, reason=reason, note=note, words_go=words_go, hidden_reason=why)
    audit.record_act(
        actor=actor, verb="resources.taken_down", target=resource, reason=why, data={"words_gone": words_go}
    )
    if _open_reports(resource).exists():
        moderation.resolve(target=resource, actor=actor, hide=True, reason=why)
    people = sorted({resource.added_by_id, resource.keeper_id} - {None, actor.pk})
    activity.record("resources.taken_down", actor=actor, target=resource, data={"members": people})
    return tombstone


@transaction.atomic
def delete_own(*, resource: Resource, actor, note: str = "") -> Tombstone | None:
    """Who looks after it takes it back: at once while it is new here (permissions.can_delete_own); later the moderators
    are asked, and None is returned. Locks the case, then the record. Raises PermissionDenied."""
    moderation.hold_case(moderation.kind_of(Resource), resource.pk)
    resource = Resource.objects.select_for_update().get(pk=resource.pk)
    if resource.keeper_id != actor.pk or resource.state == Resource.State.HIDDEN:
        raise PermissionDenied
    note = clean_line(note)[:300]
    if can_delete_own(actor, resource):
        tombstone = _bury(
            resource, actor=actor, reason=Tombstone.Reason.WISH, note=note, words_go=False, hidden_reason=""
        )
        audit.record_act(actor=actor, verb="resources.taken_down", target=resource)
        return tombstone
    moderation.report(
        reporter=actor,
        target=resource,
        reason=Flag.Reason.OTHER,
        note=note,
        rule=_("Who looks after it asks to have it taken down"),
    )
    return None


@transaction.atomic
def undo_take_down(*, resource: Resource, actor, reason: str) -> None:
    """Back into the library, without its files, which are gone. Within UNDO_FOR, and only where its words are there. Who
    added it and who looks after it are told, as of the takedown."""
    resource = Resource.objects.select_for_update().get(pk=resource.pk)
    if not can_take_down(actor, resource):
        raise PermissionDenied
    reason = need_reason(reason)
    tombstone = Tombstone.objects.filter(resource=resource).first()
    if tombstone is None:
        return
    if tombstone.at < timezone.now() - UNDO_FOR or not tombstone.citation:
        raise Undone(_("It cannot come back any more."), code="undone")
    tombstone.delete()
    put_back(resource)
    audit.record_act(actor=actor, verb="resources.restored", target=resource, reason=reason)
    people = sorted({resource.added_by_id, resource.keeper_id} - {None, actor.pk})
    activity.record("resources.put_back", actor=actor, target=resource, data={"members": people})


def _open_reports(resource: Resource):
    about = ContentType.objects.get_for_model(Resource)
    return Flag.objects.filter(target_type=about, target_id=resource.pk, state=Flag.State.OPEN)


def _bury(resource, *, actor, reason, note, words_go, hidden_reason) -> Tombstone:
    tombstone = Tombstone.objects.create(
        resource=resource,
        reason=reason,
        note=clean_line(note)[:300],
        citation="" if words_go else citing.citations(resource)[0]["text"],
        by=actor,
    )
    now = timezone.now()
    put_out_of_sight(resource)
    resource.hidden_at, resource.hidden_by, resource.hidden_reason = now, actor, hidden_reason
    resource.updated_at = now
    resource.save(
        update_fields=["state", "published_at", "hidden_at", "hidden_by", "hidden_reason", "updated_at"]
    )
    citing.forget_citation(resource.pk)
    purge_files(resource)
    HandOver.objects.filter(resource=resource, answered_at__isnull=True).delete()
    if words_go:
        _wipe(resource)
        for merged in Resource.objects.filter(merged_into=resource).order_by("pk"):  # said the same
            citing.forget_citation(merged.pk)
            _wipe(merged)
    return tombstone


def bury_unsigned(resource: Resource) -> None:
    """Its adder's account is deleted with their words, and others' words hang on it. The caller holds the record."""
    Tombstone.objects.filter(resource=resource).delete()
    _bury(resource, actor=None, reason=Tombstone.Reason.WISH, note="", words_go=True, hidden_reason="")


def purge_files(resource: Resource) -> None:
    """Rows, words and pictures of its files go now, and their bytes with the commit."""
    gone = ResourceFile.objects.filter(resource=resource)
    files.doom([name for names in gone.values_list("file", "thumbnail") for name in names])
    gone.delete()


def _wipe(resource: Resource) -> None:
    """Nothing of what it said stays but that it was there; nor what was looked up for it and is no other record's."""
    name = _("A resource that was taken down")
    said = [resource.csl, *resource.versions.values_list("csl", flat=True)]
    links = {resource.url_key, *(url_key(item.get("URL", "")) for item in said)} - {""}
    dois = {normalise_doi(item.get("DOI", "")).lower() for item in said} - {""}
    Resource.objects.filter(pk=resource.pk).update(
        title=name, slug="taken-down", csl={"type": "document", "title": name}, creators="", year=None,
        description="", description_html="", summary="", doi="", isbn="", url="", url_key="", title_key="", fuzzy="",
        search=None, import_key=None, submit_key=None,
    )  # fmt: skip
    resource.tags.clear()
    resource.terms.clear()
    resource.edits.all().delete()
    resource.creator_links.all().delete()
    ResourceVersion.objects.filter(resource=resource).delete()
    links -= set(Resource.objects.filter(url_key__in=links).values_list("url_key", flat=True))
    LinkCheck.objects.filter(url_key__in=links).delete()
    LinkRecord.objects.filter(url_key__in=links).delete()
    low = Resource.objects.exclude(doi="").exclude(state=Resource.State.HIDDEN).annotate(low=Lower("doi"))
    DoiRecord.objects.filter(
        doi__in=dois - set(low.filter(low__in=dois).values_list("low", flat=True))
    ).delete()
    if resource.import_key:  # it stands in the list that it came from, for a day
        lists = ImportBatch.objects.filter(member=resource.added_by_id, state=ImportBatch.State.SAVED)
        lists.update(rows=[], file_name="")
