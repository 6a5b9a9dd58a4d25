"""The event itself: when, where, for whom, how many."""

import uuid
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from taggit.managers import TaggableManager

from kmnet.core.fixed import fixed
from kmnet.core.rows import NextKey
from members.models import Group, Member, check_time_zone, groups_read_by
from members.permissions import can_administer, is_full_member

from .invitation import EventInvitation
from .question import Question
from .registration import Registration, Status, Way

DOORS_OPEN_BEFORE = timedelta(minutes=15)
LAST_OFFER_BEFORE = timedelta(hours=3)  # later a place is not held for one person any more


def make_uid() -> str:
    """The calendar's name for this event: fixed for life, even if the site moves to another domain."""
    return f"event-{uuid.uuid4()}@{settings.MAIL_DOMAIN}"


class Kind(models.TextChoices):
    WEBINAR = "webinar", _("webinar")
    WORKSHOP = "workshop", _("workshop")
    IN_PERSON = "in_person", _("in person")
    HYBRID = "hybrid", _("hybrid: in a room and online")


class Visibility(models.IntegerChoices):
    """Rising: each step is seen by fewer people."""

    PUBLIC = 0, _("everyone, and guests may register")
    MEMBERS = 1, _("members only")
    GROUP = 2, _("the members of a group")
    INVITED = 3, _("those who are invited")


@dataclass(frozen=True)
class Occupancy:
    """How full an event is, counted at one moment and never stored."""

    confirmed: int
    offered: int
    waiting: int
    attended: int
    places: int | None
    soft: int = 0
    recording: int = 0
    requested: int = 0
    lapsed: int = 0  # offers whose time is up, before that is written down

    def and_one(self, status: Status) -> "Occupancy":
        """With one registration more, of somebody who was not counted."""
        return replace(self, **{status.value: getattr(self, status.value) + 1})

    @property
    def held(self) -> int:
        return self.confirmed + self.offered

    @property
    def free(self) -> int | None:
        """None: without limit."""
        return None if self.places is None else max(0, self.places - self.held)

    @property
    def is_full(self) -> bool:
        return self.free == 0

    @classmethod
    def together(cls, parts: Iterable["Occupancy"]) -> "Occupancy":
        """The sum of the lists of one event; without limit if one of them is."""
        parts = list(parts)
        names = ("confirmed", "offered", "waiting", "attended", "soft", "recording", "requested", "lapsed")
        places = [part.places for part in parts]
        return cls(
            places=None if None in places else sum(places),
            **{name: sum(getattr(part, name) for part in parts) for name in names},
        )


@dataclass(frozen=True)
class Newcomer:
    """Whoever presses Register: what is known of them ahead. Without having asked, anything may be true."""

    was_here: bool = True  # has a registration, live or over
    is_asked: bool = True  # the event has questions
    next_key: int | None = None  # of their registration; None: the database gives one


class EventQuerySet(models.QuerySet):
    def visible_to(self, user):
        """What this person may see; the same rule as permissions.can_view_event.

        A group's event is seen by those in the group and its organisers; admins see all others.
        """
        reach = Visibility.MEMBERS if is_full_member(user) else Visibility.PUBLIC
        seen = Q(published_at__isnull=False, visibility__lte=reach, rehearsal_of__isnull=True)
        if can_administer(user):
            seen = Q(group__isnull=True)
        seen |= Q(published_at__isnull=False, rehearsal_of__isnull=True, group__in=groups_read_by(user))
        if user.is_authenticated:
            through = Event.organisers.through.objects.filter(member=user)
            seen |= Exists(through.filter(event=OuterRef("pk")))
            invited = Registration.objects.live().filter(member=user, event=OuterRef("pk"))
            seen |= Q(published_at__isnull=False, rehearsal_of__isnull=False) & Exists(invited)
            asked = EventInvitation.objects.for_member(user).filter(event=OuterRef("pk"))
            by_invitation = Q(published_at__isnull=False, visibility=Visibility.INVITED)
            seen |= by_invitation & (Exists(asked) | Exists(invited))
        return self.filter(seen)

    def published(self):
        return self.filter(published_at__isnull=False)

    def upcoming(self, now=None):
        """Published, not over yet, the next one first. A postponed event is not over, whatever its old day."""
        return self.published().coming(now).order_by("starts_at", "pk")

    def coming(self, now=None):
        """Not over: the same rule as Event.is_over."""
        return self.exclude(Event.over_at(now or timezone.now()))

    def past(self, now=None):
        return self.published().filter(Event.over_at(now or timezone.now())).order_by("-starts_at", "-pk")

    def with_card(self, user, now=None):
        """All that a row of a list shows: how full it is, and this person's own place."""
        now = now or timezone.now()

        def count(condition):
            rows = Registration.objects.filter(condition, event=OuterRef("pk")).order_by()
            return Coalesce(Subquery(rows.values("event").annotate(n=Count("pk")).values("n")), 0)

        def of_hybrid(counted):
            return Case(When(kind=Kind.HYBRID, then=counted), default=0)

        mine = Registration.objects.none()
        if user.is_authenticated:
            mine = Registration.objects.live().for_member(user).filter(event=OuterRef("pk"))
        return self.annotate(
            held_count=count(Registration.holding_at(now)),
            waiting_count=count(Q(status=Status.WAITING)),
            room_held_count=of_hybrid(count(Registration.holding_at(now) & Q(way=Way.ROOM))),
            room_waiting_count=of_hybrid(count(Q(status=Status.WAITING, way=Way.ROOM))),
            came_count=count(Q(attended_at__isnull=False)),
            my_status=Subquery(mine.values("status")[:1], output_field=models.CharField()),
        )

    def for_digest(self, member, since, until):
        """Coming events that were announced in this period and that the member has not answered yet. Of a series the
        next date alone: twelve lines would say no more."""
        answered = Registration.objects.for_member(member).filter(event=OuterRef("pk"))
        sooner = Event.objects.published().filter(cancelled_at__isnull=True, postponed_at__isnull=True)
        sooner = sooner.filter(
            series=OuterRef("series"), starts_at__gt=until, starts_at__lt=OuterRef("starts_at")
        )
        return (
            self.visible_to(member)
            .upcoming(until)
            .filter(published_at__gte=since, published_at__lt=until, cancelled_at__isnull=True)
            .filter(rehearsal_of__isnull=True, starts_at__gt=until)
            .exclude(Exists(answered))
            .exclude(Exists(sooner))
        )


class EventManager(models.Manager.from_queryset(EventQuerySet)):
    def get_queryset(self):
        return super().get_queryset().defer("search")  # only ever compared in the database


class Event(models.Model):
    """Something that people meet at. Its row is the lock under which places are given out."""

    title = models.CharField(_("title"), max_length=160)
    slug = models.SlugField(_("address"), max_length=80)
    summary = models.CharField(_("in one sentence"), max_length=300, blank=True)
    description = models.TextField(_("what happens"), blank=True)
    description_html = models.TextField(editable=False, blank=True)
    render_version = models.PositiveSmallIntegerField(editable=False, default=0)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.WEBINAR)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    time_zone = models.CharField(
        _("time zone of the event"), max_length=64, default="UTC", validators=[check_time_zone]
    )
    venue = models.CharField(_("where, if in a room"), max_length=240, blank=True)
    capacity = models.PositiveIntegerField(
        _("places"), null=True, blank=True
    )  # of a hybrid event: in the room
    overbooking = models.PositiveIntegerField(_("places accepted beyond that"), default=0)
    online_capacity = models.PositiveIntegerField(_("places online"), null=True, blank=True)
    online_overbooking = models.PositiveIntegerField(_("places online accepted beyond that"), default=0)
    needs_approval = models.BooleanField(_("the organisers approve each registration"), default=False)
    allows_transfer = models.BooleanField(_("a place may be given to a named person"), default=False)
    asks_reconfirmation = models.BooleanField(_("ask three days before who still comes"), default=True)
    offers_recording = models.BooleanField(_("people may ask for the recording only"), default=True)
    priority_from = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("whoever was left out there comes first here"),
    )
    registration_opens_at = models.DateTimeField(_("registration opens"), null=True, blank=True)
    registration_closes_at = models.DateTimeField(_("registration closes"), null=True, blank=True)
    visibility = models.PositiveSmallIntegerField(
        _("who sees it"), choices=Visibility, default=Visibility.PUBLIC
    )
    group = models.ForeignKey(
        Group, models.PROTECT, null=True, blank=True, related_name="events", verbose_name=_("group")
    )
    organisers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="organised_events", verbose_name=_("organisers")
    )
    rehearsal_of = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="rehearsals",
        verbose_name=_("rehearsal of"),
    )
    meeting_url = models.URLField(
        _("address of the meeting"),
        max_length=500,
        blank=True,
        help_text=_("Never shown or mailed: people come in through our own page."),
    )
    picture_key = models.CharField(max_length=32, blank=True, editable=False)
    picture_alt = models.CharField(_("the picture in words"), max_length=200, blank=True)
    recording_url = models.URLField(_("recording"), max_length=500, blank=True)
    has_captions = models.BooleanField(_("live captions"), default=False)
    has_sign_language = models.BooleanField(_("sign language"), default=False)
    has_slides_ahead = models.BooleanField(_("slides are sent ahead"), default=False)
    access_notes = models.TextField(_("what else you offer"), max_length=1000, blank=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    postponed_at = models.DateTimeField(_("postponed"), null=True, blank=True)  # until it has its new day
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    cancel_reason = models.CharField(_("why it was cancelled"), max_length=500, blank=True)
    moved_at = models.DateTimeField(editable=False, null=True, blank=True)  # the last change of its time
    uid = models.CharField(max_length=120, unique=True, default=make_uid, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)  # iCalendar's SEQUENCE
    series = models.ForeignKey(
        "events.Series",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="events",
        verbose_name=_("series"),
    )
    slot = models.DateTimeField(editable=False, null=True, blank=True)  # its start by the rule of the series
    is_detached = models.BooleanField(editable=False, default=False)  # edited by itself: the series leaves it
    submit_key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # The last change of what calendars show. A trigger writes it (migration 0007), whoever saves.
    revised_at = models.DateTimeField(editable=False, default=timezone.now)

    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="kmnet")
        + SearchVector("summary", weight="B", config="kmnet")
        + SearchVector("description", weight="C", config="kmnet"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    tags = TaggableManager(blank=True)
    objects = EventManager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("starts_at", "pk")
        indexes = [
            models.Index(fields=["starts_at", "id"], name="event_by_start"),
            models.Index(fields=["ends_at", "id"], name="event_by_end"),
            GinIndex(fields=["search"], name="event_search"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="event_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(visibility=2, group__isnull=False) | (~Q(visibility=2) & Q(group__isnull=True)),
                name="event_of_a_group_names_it",
            ),
            models.CheckConstraint(
                condition=Q(capacity__isnull=True) | Q(capacity__gte=1), name="event_has_a_place"
            ),
            models.CheckConstraint(
                condition=Q(capacity__isnull=False) | Q(overbooking=0), name="no_overbooking_without_capacity"
            ),
            models.CheckConstraint(
                condition=Q(kind="hybrid") | Q(online_capacity__isnull=True, online_overbooking=0),
                name="only_hybrid_events_have_two_lists",
            ),
            models.CheckConstraint(
                condition=Q(online_capacity__isnull=True) | Q(online_capacity__gte=1),
                name="event_has_a_place_online",
            ),
            models.CheckConstraint(
                condition=Q(online_capacity__isnull=False) | Q(online_overbooking=0),
                name="no_overbooking_online_without_capacity",
            ),
            models.CheckConstraint(
                condition=Q(picture_key="") | ~Q(picture_alt=""), name="event_picture_is_described"
            ),
            models.CheckConstraint(
                condition=Q(series__isnull=True) | Q(slot__isnull=False),
                name="event_of_a_series_has_its_slot",
            ),
            models.UniqueConstraint(fields=["series", "slot"], name="one_event_per_slot"),
            models.CheckConstraint(
                condition=Q(registration_opens_at__isnull=True)
                | Q(registration_closes_at__isnull=True)
                | Q(registration_closes_at__gt=F("registration_opens_at")),
                name="registration_closes_after_it_opens",
            ),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("events:detail", args=[self.pk, self.slug])

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @cached_property
    def organiser_ids(self) -> frozenset[int]:
        """Asked several times a page, queried once. A service reads the event afresh, under its lock."""
        return frozenset(self.organisers.values_list("pk", flat=True))

    @property
    def ways(self) -> tuple[str, ...]:
        """Its lists of places: ("",), or of a hybrid event one for the room and one online."""
        return (Way.ROOM, Way.ONLINE) if self.kind == Kind.HYBRID else ("",)

    @property
    def places(self) -> int | None:
        """How many people may hold a place at once, in whatever way; None is without limit."""
        of_ways = [self.places_of(way) for way in self.ways]
        return None if None in of_ways else sum(of_ways)

    def places_of(self, way: str) -> int | None:
        """How many may hold a place on this list; None is without limit."""
        if way == Way.ONLINE:
            return None if self.online_capacity is None else self.online_capacity + self.online_overbooking
        return None if self.capacity is None else self.capacity + self.overbooking

    def capacity_of(self, way: str) -> int | None:
        """What fits in, without what was accepted beyond it."""
        return self.online_capacity if way == Way.ONLINE else self.capacity

    @property
    def is_of_a_group(self) -> bool:
        """Only those in `group` see it and register. A rehearsal goes by invitation, whatever it is for."""
        return self.visibility == Visibility.GROUP and self.rehearsal_of_id is None

    @property
    def is_online(self) -> bool:
        return self.kind != Kind.IN_PERSON

    @property
    def has_access_info(self) -> bool:
        return bool(self.has_captions or self.has_sign_language or self.has_slides_ahead or self.access_notes)

    @property
    def doors_open_at(self) -> datetime:
        return self.starts_at - DOORS_OPEN_BEFORE

    @property
    def last_offer_at(self) -> datetime:
        """From here a freed place is not held for one person; all who still wait may take it."""
        return self.starts_at - LAST_OFFER_BEFORE

    @staticmethod
    def over_at(now, prefix: str = "") -> Q:
        """A postponed event is not over, whatever its old day; the same rule as is_over. `prefix`: the way to the
        event, from other rows ("event__")."""
        has_day = Q(**{f"{prefix}postponed_at__isnull": True}) | Q(**{f"{prefix}cancelled_at__isnull": False})
        return Q(**{f"{prefix}ends_at__lte": now}) & has_day

    @property
    def is_postponed(self) -> bool:
        """It waits for its new day: nothing is offered, asked or reminded meanwhile."""
        return self.postponed_at is not None and self.cancelled_at is None

    def is_over(self, now=None) -> bool:
        return self.ends_at <= (now or timezone.now()) and not self.is_postponed

    def has_opened(self, now=None) -> bool:
        """Has registration ever been open? From then on the order of the waiting list is fixed."""
        now = now or timezone.now()
        return self.published_at is not None and (
            self.registration_opens_at is None or self.registration_opens_at <= now
        )

    def has_started(self, now=None) -> bool:
        return self.starts_at <= (now or timezone.now())

    def doors_are_open(self, now=None) -> bool:
        if self.cancelled_at is not None or self.postponed_at is not None:
            return False
        return self.doors_open_at <= (now or timezone.now()) < self.ends_at

    def takes_registrations(self, now=None) -> bool:
        """Open to newcomers. Closing stops them, not the offers to those who already wait."""
        now = now or timezone.now()
        return (
            self.published_at is not None
            and self.cancelled_at is None
            and self.postponed_at is None
            and now < self.starts_at
            and (self.registration_opens_at is None or self.registration_opens_at <= now)
            and (self.registration_closes_at is None or now < self.registration_closes_at)
        )

    def occupancies(self, now=None) -> dict[str, Occupancy]:
        """Per list of places, counted in one query: {"": …}, or of a hybrid event {"room": …, "online": …}.

        An offer stops counting at its end, whether or not a sweep has seen it.
        """
        return self._per_way(_counted(event=self.pk, now=now or timezone.now()))

    def occupancies_for(self, member: Member, now: datetime) -> tuple[dict[str, Occupancy], "Newcomer"]:
        """The same, and in the same question what else is asked when somebody presses Register."""
        rows = _counted_for(event=self.pk, now=now, member=member.pk, email=member.email)
        told = [Newcomer(row.pop("was_here"), row.pop("is_asked"), row.pop("next_key")) for row in rows]
        return self._per_way(rows), told[0] if told else Newcomer()

    def _per_way(self, rows: list[dict]) -> dict[str, Occupancy]:
        counted = {row.pop("way"): row for row in rows}
        nobody = {"confirmed": 0, "offered": 0, "waiting": 0, "attended": 0}
        return {way: Occupancy(places=self.places_of(way), **counted.get(way, nobody)) for way in self.ways}

    def occupancy(self, now=None, way: str | None = None) -> Occupancy:
        """Of one list of places, or of the whole event: there `free` is what the lists together have free."""
        found = self.occupancies(now)
        if way is not None:
            return found[way]
        return found[""] if "" in found else Occupancy.together(found.values())


@fixed
def _counted(*, event, now):
    """Asked before and after every change of a place."""
    return _counts(event, now)


@fixed
def _counted_for(*, event, now, member, email):
    theirs = Registration.objects.filter(event=event).for_member(Member(pk=member, email=email))
    return _counts(event, now).annotate(
        was_here=Exists(theirs),
        is_asked=Exists(Question.objects.filter(event=event, is_asked=True)),
        next_key=NextKey(Registration),
    )


def _counts(event, now):
    return (
        Registration.objects.filter(event=event)
        .order_by()
        .values("way")
        .annotate(
            confirmed=Count("pk", filter=Q(status=Status.CONFIRMED)),
            offered=Count("pk", filter=Q(status=Status.OFFERED, offer_expires_at__gt=now)),
            waiting=Count("pk", filter=Q(status=Status.WAITING)),
            attended=Count("pk", filter=Q(attended_at__isnull=False)),
            soft=Count("pk", filter=Q(status=Status.SOFT)),
            recording=Count("pk", filter=Q(status=Status.RECORDING)),
            requested=Count("pk", filter=Q(status=Status.REQUESTED)),
            lapsed=Count("pk", filter=Q(status=Status.OFFERED, offer_expires_at__lte=now)),
        )
    )
