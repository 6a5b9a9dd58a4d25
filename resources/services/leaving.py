"""What becomes of what a member added when their account is deleted. Part of that transaction."""

from django.db import transaction
from django.db.models import Q

from kmnet.core import erasing, files
from kmnet.core.models import Activity
from members.models import Member

from ..models import Collection, CollectionItem, Resource, ResourceFile, Story


@transaction.atomic
def forget_adder(*, member: Member, keep_words: bool) -> None:
    """Records stay without a name, or go with their files. Uploads for a form that was never sent go. Locks the records."""
    mine = list(
        Resource.objects.filter(added_by=member).order_by("pk").select_for_update(of=("self",)).only("pk")
    )
    told = Story.objects.filter(Q(author=member) | Q(mask__author=member))
    gathered = Collection.objects.filter(owner=member)
    gathered.filter(visibility=Collection.Visibility.OWN).delete()  # nobody else has ever seen it
    gone = ResourceFile.objects.filter(added_by=member, resource__isnull=True)
    if keep_words:
        Resource.objects.filter(added_by=member).update(added_by=None, submit_key=None)
    else:
        gone = ResourceFile.objects.filter(Q(resource__in=mine) | Q(added_by=member))
        CollectionItem.objects.filter(added_by=member).update(note="")
        for found in (told, gathered):
            erasing.forget_targets(found.only("pk"))
            found.delete()
    files.doom([*gone.values_list("file", flat=True), *gone.values_list("thumbnail", flat=True)])
    gone.delete()
    ResourceFile.objects.filter(added_by=member).update(added_by=None)
    if not keep_words:
        erasing.forget_targets(mine)
        erasing.forget_deeds(Activity.objects.filter(actor=member, verb__startswith="resources."))
        Resource.objects.filter(pk__in=[resource.pk for resource in mine]).delete()
