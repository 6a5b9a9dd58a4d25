"""Who comes: one row per person and event, and a log of all that happened to it."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.fixed import fixed
from members.models import check_time_zone


class Way(models.TextChoices):
    """Of a hybrid event: each way has its own places and its own queue. All other events have one list, named ""."""

    ROOM = "room", _("in the room")
    ONLINE = "online", _("online")


class Status(models.TextChoices):
    """(h) holds a place, (l) is live: one of these per person and event. Coming is a fact of its own, not a state."""

    UNPROVEN = "unproven", _("address not confirmed yet")
    REQUESTED = "requested", _("waiting for approval")  # l
    CONFIRMED = "confirmed", _("has a place")  # h, l
    WAITING = "waiting", _("on the waiting list")  # l
    OFFERED = "offered", _("has been offered a place")  # h until its time, l
    SOFT = "soft", _("did not say whether they come")  # l; may come in at the door while there is room
    RECORDING = "recording", _("wants the recording only")  # l; never offered a place
    EXPIRED = "expired", _("offer passed by")  # hears of the last call
    DECLINED = "declined", _("passed the place on")
    CANCELLED = "cancelled", _("gave the place up")
    REMOVED = "removed", _("removed by the organisers")

    @classmethod
    def live(cls):
        """One person has at most one of these per event."""
        return (cls.REQUESTED, cls.CONFIRMED, cls.WAITING, cls.OFFERED, cls.SOFT, cls.RECORDING)

    @classmethod
    def unsettled(cls):
        """Live, or about to be."""
        return (cls.UNPROVEN, *cls.live())


ADDED_BY_HAND = "added by hand"  # in the log
RISEN = 1  # left out last time: see EventPriority
BACK = 100  # was silent, then said yes when no place was free: first in line


class RegistrationQuerySet(models.QuerySet):
    def live(self):
        return self.filter(status__in=Status.live())

    def for_member(self, member):
        """Also what they booked as a guest, before they joined with the same address."""
        return self.filter(Q(member=member) | Q(member__isnull=True, guest_address__iexact=member.email))

    def for_address(self, address):
        return self.filter(member__isnull=True, guest_address__iexact=address)

    def in_queue_order(self):
        """Those who are served first, first: priority set beforehand, then joining time (PRODUCT rule 2)."""
        return self.order_by("-priority", "joined_at", "pk")

    def with_consent(self):
        """`is_unasked`: a member whom the organisers added by hand, and who has done nothing about it themselves. Being
        added is no reason to tell somebody's address."""
        steps = RegistrationLog.objects.filter(registration=OuterRef("pk"))
        added = Exists(steps.filter(from_status="", why=ADDED_BY_HAND))
        answered = Exists(steps.filter(actor=OuterRef("member")))
        return self.annotate(is_unasked=Q(added, ~Q(answered), member__isnull=False))

    def lapsed(self, now):
        """Offers whose time is up."""
        return self.filter(status=Status.OFFERED, offer_expires_at__lte=now)


class Registration(models.Model):
    """One person's place, or place in the queue, at one event. Written by events.services alone."""

    event = models.ForeignKey("events.Event", models.CASCADE, related_name="registrations")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="registrations"
    )
    guest_name = models.CharField(_("name"), max_length=120, blank=True)
    guest_address = models.EmailField(_("e-mail address"), max_length=254, blank=True)
    guest_time_zone = models.CharField(max_length=64, blank=True, validators=[check_time_zone])
    status = models.CharField(_("state"), max_length=12, choices=Status)
    way = models.CharField(_("how"), max_length=6, choices=Way, blank=True)  # of a hybrid event only
    priority = models.SmallIntegerField(_("priority"), default=0)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("place confirmed"), null=True, blank=True)
    offered_at = models.DateTimeField(_("place offered"), null=True, blank=True)
    offer_expires_at = models.DateTimeField(_("offer ends"), null=True, blank=True)
    ended_at = models.DateTimeField(_("left"), null=True, blank=True)
    attended_at = models.DateTimeField(_("came"), null=True, blank=True)
    asked_at = models.DateTimeField(_("asked whether they still come"), null=True, blank=True)
    said_yes_at = models.DateTimeField(_("said that they come"), null=True, blank=True)
    called_at = models.DateTimeField(_("called near the start"), null=True, blank=True)
    told_position = models.PositiveIntegerField(editable=False, null=True, blank=True)
    wants_recording = models.BooleanField(editable=False, default=False)  # typed by a guest, not proven yet
    access_needs = models.TextField(_("what helps you to take part"), max_length=500, blank=True)
    given_by = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="given_to",
        verbose_name=_("place given by"),
    )

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        ordering = ("pk",)
        indexes = [
            models.Index(
                fields=["event", "way", "status", "-priority", "joined_at", "id"], name="registration_queue"
            ),
            models.Index(
                fields=["offer_expires_at"], name="registration_offers", condition=Q(status="offered")
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "member"],
                condition=Q(status__in=("requested", "confirmed", "waiting", "offered", "soft", "recording")),
                name="one_live_registration_per_member",
            ),
            models.UniqueConstraint(
                "event",
                Lower("guest_address"),
                condition=Q(
                    status__in=(
                        *("unproven", "requested", "confirmed", "waiting", "offered"),
                        *("soft", "recording"),
                    )
                )
                & ~Q(guest_address=""),
                name="one_live_registration_per_address",
            ),
            models.CheckConstraint(
                condition=Q(status="offered", offer_expires_at__isnull=False, offered_at__isnull=False)
                | (~Q(status="offered") & Q(offer_expires_at__isnull=True)),
                name="an_offer_has_an_end",
            ),
            # What is over may be stripped of its person: a deleted account leaves only the count behind.
            models.CheckConstraint(
                condition=Q(member__isnull=False, guest_address="")
                | (Q(member__isnull=True) & ~Q(guest_address=""))
                | Q(
                    member__isnull=True,
                    guest_address="",
                    status__in=(
                        *("confirmed", "soft", "recording"),
                        *("expired", "declined", "cancelled", "removed"),
                    ),
                ),
                name="registration_is_one_persons",
            ),
        ]

    def __str__(self):
        return f"registration {self.pk}"  # no related row: a list of these must not query

    @staticmethod
    def holding_at(now) -> Q:
        """What takes a place at this moment."""
        return Q(status=Status.CONFIRMED) | Q(status=Status.OFFERED, offer_expires_at__gt=now)

    @property
    def is_new(self) -> bool:
        """Not written yet, though it may have its key."""
        return self._state.adding

    @property
    def is_live(self) -> bool:
        return self.status in Status.live()

    @property
    def is_guest(self) -> bool:
        return self.member_id is None

    def has_open_offer(self, now=None) -> bool:
        return self.status == Status.OFFERED and self.offer_expires_at > (now or timezone.now())

    @property
    def name(self) -> str:
        """Needs `member`."""
        return self.member.name if self.member_id else self.guest_name

    @property
    def address(self) -> str:
        """Needs `member`."""
        return self.member.email if self.member_id else self.guest_address

    @property
    def told_address(self) -> str:
        """What its organisers are told of it; needs with_consent()."""
        return "" if self.is_unasked else self.address

    def position(self) -> int:
        """1 for the next in line (of a hybrid event: for their way of coming)."""
        return 1 + _ahead.count(
            self.priority,
            event=self.event_id,
            way=self.way,
            joined_at=self.joined_at,
            pk=self.pk,
        )


@fixed
def _ahead(priority, *, event, way, joined_at, pk):
    earlier = Q(joined_at__lt=joined_at) | Q(joined_at=joined_at, pk__lt=pk)
    ahead = Q(priority__gt=priority) | Q(priority=priority) & earlier
    return Registration.objects.filter(ahead, event=event, way=way, status=Status.WAITING)


class RegistrationLog(models.Model):
    """Every change of a registration: who, from what to what, and why."""

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="log")
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )  # empty: the person themselves as a guest, or the clock
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12)
    why = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("change of a registration")
        verbose_name_plural = _("changes of registrations")
        ordering = ("at", "pk")

    def __str__(self):
        return f"{self.from_status or 'new'} to {self.to_status}: {self.why}"
