"""What becomes of what a member added when their account is deleted. Part of that transaction."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from kmnet.core import erasing, files
from kmnet.core.models import Activity
from members.models import Member

from ..citing import forget_citation
from ..models import Collection, CollectionItem, Resource, ResourceFile, Story
from .taking_down import bury_unsigned


@transaction.atomic
def forget_adder(*, member: Member, keep_words: bool) -> None:
    """Records stay without a name, or go with their files. Uploads for a form that was never sent go. Locks the records."""
    added = list(
        Resource.objects.filter(added_by=member)
        .order_by("pk")
        .select_for_update(of=("self",))
        .defer("search")
    )
    # What was handed on is others' by now; what they brought to a group that they left, and nobody has taken on, is theirs.
    mine = [one for one in added if one.keeper_id == member.pk or (one.group_id and one.keeper_id is None)]
    told = Story.objects.filter(Q(author=member) | Q(mask__author=member))
    gathered = Collection.objects.filter(owner=member)
    gathered.filter(visibility=Collection.Visibility.OWN).delete()  # nobody else has ever seen it
    gone = ResourceFile.objects.filter(added_by=member, resource__isnull=True)
    if not keep_words:
        gone = ResourceFile.objects.filter(Q(resource__in=mine) | Q(added_by=member, resource__isnull=True))
        CollectionItem.objects.filter(added_by=member).update(note="")
        # Those without a name name nobody as their doer: they are found by the story.
        keys = list(told.values_list("pk", flat=True))
        erasing.forget_deeds(Activity.objects.filter(verb="resources.told", data__story__in=keys))
        for found in (told, gathered):
            erasing.forget_targets(found.only("pk"))
            found.delete()
    files.doom([*gone.values_list("file", flat=True), *gone.values_list("thumbnail", flat=True)])
    gone.delete()
    ResourceFile.objects.filter(added_by=member).update(added_by=None)
    if not keep_words:
        erasing.forget_targets(mine)
        erasing.forget_deeds(Activity.objects.filter(actor=member, verb__startswith="resources."))
        _take_along(member, mine)
    Resource.objects.filter(added_by=member).update(added_by=None, submit_key=None)


def _take_along(member: Member, mine: list[Resource]) -> None:
    """Their records go; one that holds others' words (a story, a record that was merged into it) leaves a tombstone."""
    others = Story.objects.filter(resource=OuterRef("pk")).exclude(Q(author=member) | Q(mask__author=member))
    merged = Resource.objects.filter(merged_into=OuterRef("pk")).exclude(pk__in=[one.pk for one in mine])
    rows = Resource.objects.filter(pk__in=[one.pk for one in mine])
    stay = set(rows.filter(Exists(others) | Exists(merged)).values_list("pk", flat=True))
    for resource in mine:
        if resource.pk in stay:
            bury_unsigned(resource)
    for resource in mine:
        forget_citation(resource.pk)
    rows.exclude(pk__in=stay).update(merged_into=None)
    rows.exclude(pk__in=stay).delete()
