"""What stands between two members: blocks, and words one does not want to read."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Distance(models.TextChoices):
    BLOCK = "block", _("blocked")
    IGNORE = "ignore", _("ignored")


class BoundaryQuerySet(models.QuerySet):
    def blocks(self):
        return self.filter(distance=Distance.BLOCK)


class Boundary(models.Model):
    """`owner` keeps `other` at a distance.

    BLOCK: `other` can neither message, mention-notify nor introduce `owner`, nor see their members-only parts; what
    `other` writes is hidden from `owner` too. IGNORE: what `other` writes is hidden from `owner`. Told to nobody.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="boundaries")
    other = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="boundaries_of_others")
    distance = models.CharField(max_length=8, choices=Distance)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = BoundaryQuerySet.as_manager()

    class Meta:
        verbose_name = _("boundary")
        verbose_name_plural = _("boundaries")
        constraints = [
            models.UniqueConstraint(fields=["owner", "other"], name="one_boundary_per_pair"),
            models.CheckConstraint(condition=~Q(owner=F("other")), name="no_boundary_to_oneself"),
        ]
        indexes = [models.Index(fields=["other", "distance", "owner"], name="boundary_by_other")]

    def __str__(self):
        return f"boundary {self.pk}"


def blockers_of(user):
    """The ids of those who block this person, as a subquery."""
    if not user.is_authenticated:
        return Boundary.objects.none().values("owner")
    return Boundary.objects.blocks().filter(other=user.pk).values("owner")


def has_blocked(owner, other) -> bool:
    """Does `owner` block `other`? The same rule as blockers_of."""
    return bool(
        other.is_authenticated and Boundary.objects.blocks().filter(owner=owner.pk, other=other.pk).exists()
    )


def unread_by(user):
    """The ids of those whose words this person does not want to see (blocked or ignored), as a subquery."""
    if not user.is_authenticated:
        return Boundary.objects.none().values("other")
    return Boundary.objects.filter(owner=user.pk).values("other")


def is_kept_apart(proposer_id: int, first_id: int, second_id: int) -> bool:
    """Does one of the two block the other, or keep away whoever would introduce them, or are they kept away by them?"""
    between = Q(owner=first_id, other=second_id) | Q(owner=second_id, other=first_id)
    by_proposer = Q(owner=proposer_id, other__in=(first_id, second_id))
    to_proposer = Q(owner__in=(first_id, second_id), other=proposer_id)
    blocks = (between | by_proposer) & Q(distance=Distance.BLOCK)
    return Boundary.objects.filter(blocks | to_proposer).exists()
