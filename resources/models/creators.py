"""Creators of records who are members here."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .resource import Resource


class ResourceCreator(models.Model):
    """A member is one of a record's creators; `position` is their place among the names of the record.

    Whoever is named is told, and may take their link off (`declined`): the name stays as it was published, and nobody can
    link it again. `by_account`: the name was written down from the account, and goes from the record with it.
    """

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="creator_links")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="created_resources"
    )
    position = models.PositiveSmallIntegerField(_("place among the names"), null=True, blank=True)
    by_account = models.BooleanField(default=False)
    declined = models.BooleanField(_("wants no link"), default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("creator who is a member")
        verbose_name_plural = _("creators who are members")
        constraints = [
            models.UniqueConstraint(fields=["resource", "member"], name="one_creator_link_per_member"),
            models.UniqueConstraint(fields=["resource", "position"], name="one_member_per_creator"),
            models.CheckConstraint(
                condition=models.Q(declined=True, position__isnull=True)
                | models.Q(declined=False, position__isnull=False),
                name="declined_creator_link_has_no_place",
            ),
        ]

    def __str__(self):
        return f"creator {self.position} of resource {self.resource_id}"
