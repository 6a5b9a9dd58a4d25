"""Who is asked to an event by name, and who comes first in its queue."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

ONE_PERSON = Q(member__isnull=False, guest_address="") | (Q(member__isnull=True) & ~Q(guest_address=""))


class EventInvitationQuerySet(models.QuerySet):
    def for_member(self, member):
        """Asked by name, or at the address that is theirs."""
        return self.filter(Q(member=member) | Q(member__isnull=True, guest_address__iexact=member.email))


class EventInvitation(models.Model):
    """One person asked to an event: a member, or somebody by their address. They see it, and may register."""

    event = models.ForeignKey("events.Event", models.CASCADE, related_name="invitations")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="event_invitations"
    )
    guest_address = models.EmailField(_("e-mail address"), max_length=254, blank=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    invited_at = models.DateTimeField(_("invited"), default=timezone.now)

    objects = EventInvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation to an event")
        verbose_name_plural = _("invitations to events")
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(condition=ONE_PERSON, name="event_invitation_is_one_persons"),
            models.UniqueConstraint(
                fields=["event", "member"],
                condition=Q(member__isnull=False),
                name="one_event_invitation_per_member",
            ),
            models.UniqueConstraint(
                "event",
                Lower("guest_address"),
                condition=~Q(guest_address=""),
                name="one_event_invitation_per_address",
            ),
        ]

    def __str__(self):
        return f"invitation {self.pk}"


class EventPriority(models.Model):
    """Who rises in the queue of this event, because they were left out of an earlier one. Fixed before it opens."""

    event = models.ForeignKey("events.Event", models.CASCADE, related_name="priorities")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="event_priorities"
    )
    guest_address = models.EmailField(_("e-mail address"), max_length=254, blank=True)

    class Meta:
        verbose_name = _("priority in a queue")
        verbose_name_plural = _("priorities in queues")
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(condition=ONE_PERSON, name="event_priority_is_one_persons"),
            models.UniqueConstraint(
                fields=["event", "member"],
                condition=Q(member__isnull=False),
                name="one_event_priority_per_member",
            ),
            models.UniqueConstraint(
                "event",
                Lower("guest_address"),
                condition=~Q(guest_address=""),
                name="one_event_priority_per_address",
            ),
        ]

    def __str__(self):
        return f"priority {self.pk}"
