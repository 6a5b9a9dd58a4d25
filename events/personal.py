"""What this app holds about people: their parts of the copy, and what becomes of it when they leave."""

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from kmnet.core.personal_data import Fate, PersonalData, declare, register, rows
from members import duties
from members.services.leaving import addresses_of

from .models import (
    Answer,
    CalendarFeed,
    Event,
    EventInvitation,
    EventMessage,
    EventPriority,
    Registration,
    RegistrationLog,
    Series,
    Speaker,
)


def mine(member, prefix: str = "") -> Q:
    """Registrations of this member, also those made as a guest with an address that is proven to be theirs."""
    return Q(**{f"{prefix}member": member}) | Q(
        **{f"{prefix}member__isnull": True, f"{prefix}lowered__in": addresses_of(member)[0]}
    )


def registrations(member):
    found = Registration.objects.alias(lowered=Lower("guest_address")).filter(mine(member)).order_by("pk")
    return rows(
        found,
        "status", "joined_at", "confirmed_at", "offered_at", "offer_expires_at", "ended_at", "attended_at",
        "way", "priority", "asked_at", "said_yes_at", "called_at", "access_needs",
        "guest_name", "guest_address", "guest_time_zone",
        event="event__title", starts="event__starts_at",
    )  # fmt: skip


def history(member):
    theirs = Registration.objects.alias(lowered=Lower("guest_address")).filter(mine(member)).values("pk")
    found = RegistrationLog.objects.filter(registration__in=theirs).order_by("pk")
    return rows(found, "at", "from_status", "to_status", "why", event="registration__event__title")


def answers(member):
    theirs = Registration.objects.alias(lowered=Lower("guest_address")).filter(mine(member)).values("pk")
    found = Answer.objects.filter(registration__in=theirs).order_by("pk")
    return rows(found, "value", "changed_at", question="question__label", event="registration__event__title")


def asked(member):
    found = EventInvitation.objects.alias(lowered=Lower("guest_address")).filter(mine(member)).order_by("pk")
    return rows(found, "invited_at", "guest_address", event="event__title")


def risen(member):
    found = EventPriority.objects.alias(lowered=Lower("guest_address")).filter(mine(member)).order_by("pk")
    return rows(found, "guest_address", event="event__title")


def letters(member):
    found = EventMessage.objects.filter(author=member).order_by("pk")
    return rows(found, "subject", "body", "sent_at", "told_count", event="event__title")


def series(member):
    return rows(Series.objects.filter(made_by=member).order_by("pk"), "rule", "starts_at", "created_at")


def feeds(member):
    return rows(CalendarFeed.objects.filter(member=member), "created_at")


def organised(member):
    found = Event.objects.filter(organisers=member).order_by("pk")
    return rows(
        found,
        "title", "summary", "description", "starts_at", "ends_at", "venue", "meeting_url", "recording_url",
        "access_notes", "published_at", "cancelled_at", "cancel_reason",
    )  # fmt: skip


def speaking(member):
    return rows(Speaker.objects.filter(member=member).order_by("pk"), "name", "about")


register(
    PersonalData(
        "registrations", _("Places at events"), registrations, covers=("events.Registration",), order=40
    )
)
register(
    PersonalData(
        "registrations-history",
        _("Places at events: what happened when"),
        history,
        covers=("events.RegistrationLog",),
        order=41,
    )
)
for _name, _label, _rows, _model, _order in (
    ("registrations-answers", _("Places at events: my answers"), answers, "Answer", 44),
    ("events-invitations", _("Events that I was asked to"), asked, "EventInvitation", 45),
    ("events-priorities", _("Events where I come first in the queue"), risen, "EventPriority", 46),
    ("events-letters", _("What I wrote to the people of my events"), letters, "EventMessage", 47),
    ("events-series", _("Series of events that I began"), series, "Series", 48),
    ("calendar-address", _("My own calendar address"), feeds, "CalendarFeed", 49),
):
    register(PersonalData(_name, _label, _rows, covers=(f"events.{_model}",), order=_order))
register(PersonalData("events", _("Events I organise"), organised, covers=("events.Event",), order=42))
register(
    PersonalData(
        "speaking", _("Where I am named as a speaker"), speaking, covers=("events.Speaker",), order=43
    )
)

declare(
    "events.Registration",
    member=Fate.CUT,
    guest_name=Fate.WIPED,
    guest_address=Fate.WIPED,
    guest_time_zone=Fate.WIPED,
    access_needs=Fate.WIPED,
)
declare("events.Answer", value=Fate.GOES)
declare("events.EventInvitation", member=Fate.GOES, guest_address=Fate.GOES)
declare("events.EventPriority", member=Fate.GOES, guest_address=Fate.GOES)
declare("events.EventMessage", subject=Fate.STAYS, body=Fate.STAYS, body_html=Fate.STAYS)
declare("events.Series", rule=Fate.STAYS, time_zone=Fate.STAYS)
declare("events.CalendarFeed", member=Fate.GOES, key=Fate.GOES)
declare("events.Question", label=Fate.STAYS, choices=Fate.STAYS)
declare("events.RegistrationLog", from_status=Fate.STAYS, to_status=Fate.STAYS, why=Fate.REDACTED)
declare("events.Speaker", name=Fate.WIPED, about=Fate.WIPED)
declare(
    "events.Event",  # an event is its community's; what only one person wrote about it goes if they want it to
    **dict.fromkeys(
        (
            *("title", "slug", "summary", "description", "description_html", "venue", "meeting_url"),
            *("recording_url", "access_notes", "search", "time_zone", "uid", "picture_key", "picture_alt"),
        ),
        Fate.STAYS,
    ),
    cancel_reason=Fate.REDACTED,
)
declare("events.Session", title=Fate.STAYS, summary=Fate.STAYS)


def events_alone(member) -> list[duties.Duty]:
    """Coming events whose only organiser this is."""
    found = Event.objects.filter(organisers=member, cancelled_at__isnull=True).coming()
    return [
        duties.Duty(
            str(_("%(title)s: you are its only organiser") % {"title": event.title}), event.get_absolute_url()
        )
        for event in found.filter(published_at__isnull=False, rehearsal_of__isnull=True).order_by(
            "starts_at", "pk"
        )
        if not event.organisers.exclude(pk=member.pk)
        .exclude(status__in=("leaving", "suspended", "erased"))
        .exists()
    ]


duties.register(events_alone)
