"""Two records of one thing become one.

What must never be false: nothing that people hung on either record is lost (stories, saves, places in collections, uses,
numbers, files, tags, terms, versions made for others, links); nobody sees more than before, so both must be for the same
people; the address of the one that goes leads to the one that stays; a derivative is never made a parent. What is hung on
the record that goes while it is merged is carried over by a sweep: whoever began before knows nothing of the merger.
"""

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Least
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import audit, files, jobs
from kmnet.core.models import RelatedItem
from kmnet.core.text import RENDER_VERSION, excerpt, render_markdown

from .. import citing
from ..models import (
    CollectionItem,
    Derivative,
    HandOver,
    Relation,
    Resource,
    ResourceFile,
    ResourceTag,
    ResourceTerm,
    SavedResource,
    Story,
    UsageDay,
    UsageEvent,
    UsedMark,
    Visibility,
)
from ..permissions import can_merge
from ..vocabulary import TYPE
from . import history, usage
from .records import put_out_of_sight, put_words, reindex, save_record
from .relations import _older_than as older_than

TERMS_PER_FACET = 3
# Every table that leads to a record (tests/resources/test_merging.py holds this against the models): what is carried over,
# and what stays with the record that goes, since it tells of that one alone.
CARRIED = {
    *("ResourceTerm.resource", "ResourceTag.content_object", "UsageDay.resource", "UsedMark.resource"),
    *("SavedResource.resource", "CollectionItem.resource", "ResourceFile.resource", "Story.resource"),
    *("Derivative.parent", "Derivative.child", "Relation.resource", "Relation.other", "Resource.merged_into"),
    *("UsageEvent.resource", "ResourceUse.resource", "HandOver.resource"),
}
LEFT = {
    *("ResourceEdit.resource", "Tombstone.resource", "ResourceVersion.resource", "ResourceCreator.resource"),
}


class ForOthers(ValidationError):
    """They are for different people, so one would be told to those who may not see it."""


@transaction.atomic
def merge_resources(*, actor, kept: Resource, gone: Resource, reason: str = "") -> Resource:
    """`gone` becomes part of `kept`, whose words stay; what is empty there is filled. Twice is once. Locks both, by key.

    A moderator who sees both (logged, with a reason), or whoever looks after both. Raises PermissionDenied, ForOthers.
    """
    with connection.cursor() as cursor:  # the order of versions goes over several records
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('library:newer', 0))")
    rows = Resource.objects.select_for_update(of=("self",)).filter(pk__in=(kept.pk, gone.pk)).order_by("pk")
    both = {row.pk: row for row in rows}
    kept, gone = both[kept.pk], both[gone.pk]
    if kept.pk == gone.pk:
        raise PermissionDenied
    if gone.merged_into_id == kept.pk:
        return kept
    if not can_merge(actor, kept, gone):
        raise PermissionDenied
    if (kept.visibility, kept.group_id) != (gone.visibility, gone.group_id):
        raise ForOthers(
            _("They are for different people. Make them the same first: “Who may see it?”"), code="audience"
        )
    now = timezone.now()
    put_out_of_sight(gone)
    gone.hidden_at, gone.hidden_by, gone.merged_into, gone.doi, gone.updated_at = now, actor, kept, "", now
    gone.save(
        update_fields=["state", "published_at", "hidden_at", "hidden_by", "merged_into", "doi", "updated_at"]
    )
    Resource.objects.filter(merged_into=gone).update(merged_into=kept)
    note = _("Merged with “%(title)s”.") % {"title": gone.title[:150]}
    citing.forget_citation(gone.pk)
    with history.changing(kept, editor=actor, note=note):
        _fill(kept, gone, now)
        carry_over(gone=gone, kept=kept)
    reindex([kept])
    audit.record_act(actor=actor, verb="resources.merged", target=gone, reason=reason, data={"into": kept.pk})
    return kept


def _fill(kept: Resource, gone: Resource, now) -> None:
    """The earliest dates, and what is empty; files as narrow as the narrower of the two."""
    item = {**{key: value for key, value in gone.csl.items() if key in ("DOI", "URL", "issued")}, **kept.csl}
    if not kept.description:
        kept.description = gone.description
        kept.description_html, kept.render_version = render_markdown(kept.description), RENDER_VERSION
        kept.summary = excerpt(kept.description, 300)
    put_words(kept, item)
    kept.minutes = kept.minutes or gone.minutes
    if Visibility.MEMBERS in (kept.files_for, gone.files_for):
        kept.files_for = Visibility.MEMBERS
    moments = [one.published_at for one in (kept, gone) if one.published_at]
    kept.published_at = min(moments, default=None)
    kept.created_at, kept.updated_at = min(kept.created_at, gone.created_at), now
    save_record(kept)


def carry_over(*, gone: Resource, kept: Resource) -> None:
    """All that hangs on `gone` hangs on `kept`; safe to repeat. The caller holds both."""
    Story.objects.filter(resource=gone).update(resource=kept)
    _move_marks(SavedResource, gone, kept)
    _move_marks(UsedMark, gone, kept)
    _move_places(gone, kept)
    _move_files(gone, kept)
    _move_words(gone, kept)
    _move_derivatives(gone, kept)
    _move_relations(gone, kept)
    _move_related(gone, kept)
    _move_numbers(gone, kept)
    HandOver.objects.filter(resource=gone, answered_at__isnull=True).delete()


def _move_marks(model, gone: Resource, kept: Resource) -> None:
    """One for each member: the earlier."""
    theirs = model.objects.filter(resource=gone, member=OuterRef("member")).values("created_at")[:1]
    both = model.objects.filter(
        resource=kept, member__in=model.objects.filter(resource=gone).values("member")
    )
    both.update(created_at=Least("created_at", theirs))
    there = model.objects.filter(resource=kept).values("member")
    model.objects.filter(resource=gone, member__in=there).delete()
    model.objects.filter(resource=gone).update(resource=kept)


def _move_places(gone: Resource, kept: Resource) -> None:
    """In a collection that held both, the record stays at its place; a word why goes along where it had none."""
    here = {item.collection_id: item for item in CollectionItem.objects.filter(resource=kept)}
    for item in CollectionItem.objects.filter(resource=gone).order_by("pk"):
        other = here.get(item.collection_id)
        if other is None:
            CollectionItem.objects.filter(pk=item.pk).update(resource=kept)
            continue
        if item.note and not other.note:
            CollectionItem.objects.filter(pk=other.pk).update(note=item.note)
        item.delete()


def _move_files(gone: Resource, kept: Resource) -> None:
    """As files of the newest version; the same file twice is one."""
    known = set(kept.files.filter(version=kept.version).values_list("sha256", flat=True))
    for file in ResourceFile.objects.filter(resource=gone).order_by("pk"):
        if file.sha256 in known:
            files.doom([file.file.name, file.thumbnail.name])
            file.delete()
            continue
        known.add(file.sha256)
        ResourceFile.objects.filter(pk=file.pk).update(
            resource=kept, version=kept.version, since_version=None
        )


def _move_words(gone: Resource, kept: Resource) -> None:
    """All tags; of each facet as many terms as the form takes, and one type only."""
    ResourceTag.objects.filter(content_object=gone, tag__in=kept.tags.all()).delete()
    ResourceTag.objects.filter(content_object=gone).update(content_object=kept)
    here: dict[str, set[int]] = {}
    for pk, facet in kept.terms.values_list("pk", "facet__key"):
        here.setdefault(facet, set()).add(pk)
    for row in ResourceTerm.objects.filter(resource=gone).select_related("term__facet").order_by("pk"):
        there = here.setdefault(row.term.facet.key, set())
        room = (1 if row.term.facet.key == TYPE else TERMS_PER_FACET) - len(there)
        if row.term_id not in there and room > 0:
            ResourceTerm.objects.filter(pk=row.pk).update(resource=kept)
            there.add(row.term_id)


def _move_derivatives(gone: Resource, kept: Resource) -> None:
    """Children of the one are children of the other, or of its parent where it has one: there are no chains."""
    Derivative.objects.filter(Q(parent=gone, child=kept) | Q(parent=kept, child=gone)).delete()
    made_from = Derivative.objects.filter(child=kept).first()
    parent_id = made_from.parent_id if made_from else kept.pk
    Derivative.objects.filter(parent=gone).exclude(child=parent_id).update(parent=parent_id)
    Derivative.objects.filter(parent=gone).delete()
    mine = Derivative.objects.filter(child=gone).first()
    if mine is None:
        return
    if made_from is None and not Derivative.objects.filter(parent=kept).exists():
        Derivative.objects.filter(pk=mine.pk).update(child=kept)
    else:
        mine.delete()


def _move_relations(gone: Resource, kept: Resource) -> None:
    for relation in Relation.objects.filter(Q(resource=gone) | Q(other=gone)).order_by("pk"):
        one = kept.pk if relation.resource_id == gone.pk else relation.resource_id
        other = kept.pk if relation.other_id == gone.pk else relation.other_id
        known = Q(resource=one, kind=relation.kind, other=other)
        if relation.kind == Relation.Kind.RELATED:
            known |= Q(resource=other, kind=relation.kind, other=one)
        in_circles = relation.kind == Relation.Kind.NEWER and one in older_than(other, among=set())
        if one == other or in_circles or Relation.objects.filter(known).exclude(pk=relation.pk).exists():
            relation.delete()
        else:
            Relation.objects.filter(pk=relation.pk).update(resource=one, other=other)


def _move_related(gone: Resource, kept: Resource) -> None:
    """Links from and to things of other apps."""
    about = ContentType.objects.get_for_model(Resource)
    for side, far in (("target", "source"), ("source", "target")):
        rows = RelatedItem.objects.filter(**{f"{side}_type": about, f"{side}_id": gone.pk})
        same = RelatedItem.objects.filter(
            **{f"{side}_type": about, f"{side}_id": kept.pk, "relation": OuterRef("relation")},
            **{f"{far}_type": OuterRef(f"{far}_type"), f"{far}_id": OuterRef(f"{far}_id")},
        )
        rows.filter(Exists(same)).delete()
        rows.update(**{f"{side}_id": kept.pk})


def _move_numbers(gone: Resource, kept: Resource) -> None:
    UsageEvent.objects.filter(resource=gone.pk).update(resource=kept.pk)
    for day in UsageDay.objects.filter(resource=gone).order_by("pk"):
        there = UsageDay.objects.filter(resource=kept, kind=day.kind, day=day.day)
        if there.update(people=F("people") + day.people, times=F("times") + day.times):
            day.delete()
        else:
            UsageDay.objects.filter(pk=day.pk).update(resource=kept)
    usage.recount([gone.pk, kept.pk])


# --- what came late ----------------------------------------------------------------------------------------------------
def late() -> QuerySet:
    """Merged records on which something hangs that people put there."""
    found = Q()
    for model in (Story, SavedResource, UsedMark, CollectionItem, ResourceFile):
        found |= Exists(model.objects.filter(resource=OuterRef("pk")))
    return Resource.objects.filter(found, merged_into__isnull=False)


def sweep_merged() -> int:
    """Carry over what was hung on a record while it was merged."""

    def carry(resource: Resource) -> None:
        kept = Resource.objects.select_for_update(of=("self",)).get(pk=resource.merged_into_id)
        carry_over(gone=resource, kept=kept)

    return jobs.serve(late().order_by("pk"), carry)
