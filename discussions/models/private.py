"""Who takes part in a private conversation, and who writes without their name."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models.member import is_full


class Mask(models.Model):
    """Who began a thread without their name. What they write there carries the account of nobody (members.services.nobody),
    a name for this thread, and this mask; who wears it is read for its wearer’s own pages and by unmasking alone."""

    thread = models.ForeignKey(
        "Thread", on_delete=models.CASCADE, null=True, related_name="masks", verbose_name=_("thread")
    )
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    name = models.CharField(_("name in this thread"), max_length=60)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("name for one thread")
        verbose_name_plural = _("names for one thread")
        constraints = [models.UniqueConstraint(fields=["thread", "member"], name="one_mask_per_thread")]

    def __str__(self):
        return f"mask {self.pk}"


class ParticipantQuerySet(models.QuerySet):
    def staying(self):
        """Those who have not left."""
        return self.filter(left_at__isnull=True)


class Participant(models.Model):
    """One of the people of a private conversation, and the stretch of it that is theirs to read: from the number after
    which they were brought in to the one after which they left."""

    thread = models.ForeignKey(
        "Thread", on_delete=models.CASCADE, related_name="participants", verbose_name=_("conversation")
    )
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="conversations",
        verbose_name=_("member"),
    )
    joined_at = models.DateTimeField(_("since"), default=timezone.now)
    first_number = models.PositiveIntegerField(default=1)  # the first one they may read
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("brought in by"),
    )  # nobody for those with whom it began
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    left_number = models.PositiveIntegerField(null=True, blank=True)  # the last one they may read

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints = [
            models.UniqueConstraint(fields=["thread", "member"], name="one_seat_per_conversation"),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True, left_number__isnull=True)
                | Q(left_at__isnull=False, left_number__isnull=False),
                name="who_left_reads_up_to_a_number",
            ),
        ]
        indexes = [models.Index(fields=["member", "thread"], name="conversations_of_member")]

    def __str__(self):
        return f"participant {self.pk}"

    @property
    def has_left(self) -> bool:
        return self.left_at is not None

    def covers(self, number: int | None) -> bool:
        """May they read this one?"""
        return number is not None and self.first_number <= number <= (self.left_number or number)


def taking_part(user):
    """The ids of the conversations this person may open, as a subquery; those they have left are among them."""
    if not is_full(user):
        return Participant.objects.none().values("thread")
    return Participant.objects.filter(member=user.pk).values("thread")


def seat_of(user, thread) -> Participant | None:
    """The same rule as taking_part, for one conversation."""
    if not is_full(user):
        return None
    return Participant.objects.filter(member=user.pk, thread=thread.pk).first()


def seat_rule(user, prefix: str = "") -> Q:
    """Which posts of conversations stand in somebody's own stretch of it, as a condition on posts."""
    if not is_full(user):
        return Q(pk__in=())
    number = OuterRef(f"{prefix}number")
    mine = Participant.objects.filter(member=user.pk, thread=OuterRef(f"{prefix}thread"))
    mine = mine.filter(Q(left_number__isnull=True) | Q(left_number__gte=number), first_number__lte=number)
    return Q(Exists(mine))
