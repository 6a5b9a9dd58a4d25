"""What organisers write to the people of their event, by what has become of them."""

import uuid
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from kmnet.core import text
from members.models import Member

from .. import mails
from ..models import Audience, Event, EventMessage, Status
from ..permissions import can_organise_event
from . import places
from .organising import log_admin

MOST_A_DAY = 5  # to one event's people: more is a conversation, and belongs elsewhere
WHO = {
    Audience.PLACES: Q(status=Status.CONFIRMED),
    Audience.SILENT: Q(status=Status.CONFIRMED, asked_at__isnull=False, said_yes_at__isnull=True),
    Audience.WAITING: Q(status=Status.WAITING),
    Audience.REQUESTED: Q(status=Status.REQUESTED),
    Audience.RECORDING: Q(status=Status.RECORDING),
    Audience.CAME: Q(attended_at__isnull=False),
    Audience.MISSED: Q(status=Status.CONFIRMED, attended_at__isnull=True),
}
AFTER = (Audience.CAME, Audience.MISSED)  # nobody has come or stayed away before the event begins
A_PERSON = ~Q(member__isnull=True, guest_address="")  # of a deleted account only the count is left


class NobodyThere(Exception):
    """Nobody is in that state: there is nobody to write to."""


class TooManyLetters(Exception):
    """People of this event have had `MOST_A_DAY` letters since yesterday."""


def people_of(event: Event, audience: str):
    """The registrations that a letter to this audience goes to."""
    return event.registrations.filter(WHO[Audience(audience)] & A_PERSON)


def audiences_of(event: Event) -> dict[str, Q]:
    """Who can be written to now, by audience; those that make no sense yet are left out."""
    asked = [audience for audience in Audience if audience not in AFTER or event.has_started()]
    return {audience.value: WHO[audience] & A_PERSON for audience in asked}


def audience_counts(event: Event) -> dict[str, int]:
    """How many each audience is, in one query."""
    asked = audiences_of(event)
    return event.registrations.aggregate(**{name: Count("pk", filter=who) for name, who in asked.items()})


@transaction.atomic
def write_to_people(
    *, event: Event, actor: Member, audience: str, subject: str, body: str, submit_key: uuid.UUID
) -> EventMessage:
    """One mail each to those who are in that state now; the same submit key twice is one letter. Locks the event.

    Raises NobodyThere, TooManyLetters, PermissionDenied.
    """
    event = places.lock_event(event.pk)
    if not can_organise_event(actor, event):
        raise PermissionDenied
    sent = EventMessage.objects.filter(submit_key=submit_key).first()
    if sent is not None:
        if sent.event_id != event.pk:
            raise PermissionDenied
        return sent
    if event.letters.filter(sent_at__gt=timezone.now() - timedelta(days=1)).count() >= MOST_A_DAY:
        raise TooManyLetters
    people = list(people_of(event, audience).select_related("member").order_by("pk"))
    if not people:
        raise NobodyThere
    letter = EventMessage.objects.create(
        event=event,
        author=actor,
        audience=audience,
        subject=subject,
        body=body,
        body_html=text.render_markdown(body),
        render_version=text.RENDER_VERSION,
        told_count=len(people),
        submit_key=submit_key,
    )
    for registration in people:
        mails.queue_letter(letter, registration)
    log_admin(actor, event, "events.letter", data={"letter": letter.pk, "told": len(people)})
    return letter
