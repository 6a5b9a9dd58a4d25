"""What the directory filters and counts by: per member, the keys of what they show, and to whom."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from .profile import SeenBy


def keys(**options) -> ArrayField:
    return ArrayField(models.CharField(max_length=120), default=list, **options)


# Something is shown to groups only: see members.finding.circle, which asks for those of one's group mates.
TELLS_GROUPS = (
    ~models.Q(for_groups=[])
    | models.Q(wishes_seen_by=SeenBy.GROUPS)
    | models.Q(free_for_seen_by=SeenBy.GROUPS)
)


class DirectoryEntry(models.Model):
    """One row per member, written by services.index_entries together with the words of the search.

    A key is "facet:value" ("role:knowledge-broker"). A hidden value stands nowhere here, so that no query over this
    table can filter by it or count it. Everything is made from the profile and can be made anew (reindex_profiles).
    """

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="directory_entry"
    )
    is_listed = models.BooleanField()
    for_anyone = keys()  # what guests see, too, and those whom the owner blocks
    for_members = keys()  # what every member sees: those above among them
    for_groups = keys()  # what only those see who share a group with the owner

    # These two end on a day, so who sees them is asked with the day when somebody looks.
    wishes = keys()  # "help:...": what they look for help with
    wishes_seen_by = models.PositiveSmallIntegerField(choices=SeenBy)
    wishes_until = models.DateField(null=True)
    free_for = keys()  # "free:coffee"
    free_for_seen_by = models.PositiveSmallIntegerField(choices=SeenBy)
    paused_until = models.DateField(null=True)

    class Meta:
        verbose_name = "entry of the directory"
        verbose_name_plural = "entries of the directory"
        indexes = [
            GinIndex(fields=["for_members"], name="entry_for_members", fastupdate=False),
            GinIndex(fields=["wishes"], name="entry_wishes", fastupdate=False),
            GinIndex(fields=["free_for"], name="entry_free_for", fastupdate=False),
            models.Index(fields=["member"], name="entry_tells_groups", condition=TELLS_GROUPS),
        ]

    def __str__(self):
        return f"entry of member {self.member_id}"
