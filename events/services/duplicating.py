"""The same event once more, on another day: a draft to begin with."""

import uuid
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.models import Member, is_in_group

from ..models import Event
from ..permissions import can_create_event, can_organise_event
from . import pictures
from .organising import create_event

COPIED = (
    "summary",
    "kind",
    "time_zone",
    "venue",
    "capacity",
    "online_capacity",
    "needs_approval",
    "allows_transfer",
    "asks_reconfirmation",
    "offers_recording",
    "meeting_url",
    "has_captions",
    "has_sign_language",
    "has_slides_ahead",
    "access_notes",
    "visibility",
    "group",
)


@transaction.atomic
def duplicate_event(
    *, event: Event, actor: Member, starts_at: datetime, submit_key: uuid.UUID | None = None
) -> Event:
    """A draft with everything that the event says, asks and offers; nobody of its people but its organisers.

    Its programme keeps its distance from the start. The same submit key twice is one draft. Raises PermissionDenied,
    also where the event is for a group that the actor has left.
    """
    if not can_organise_event(actor, event) or not can_create_event(actor):
        raise PermissionDenied
    if event.group_id and not is_in_group(actor, event.group_id):
        raise PermissionDenied
    shift = starts_at - event.starts_at
    copy = create_event(
        actor=actor,
        title=event.title,
        description=event.description,
        starts_at=starts_at,
        ends_at=event.ends_at + shift,
        rehearsal_of=event.rehearsal_of,
        organisers=list(event.organisers.all()),
        tags=list(event.tags.names()),
        sessions=[_session(session, shift) for session in event.sessions.prefetch_related("speakers")],
        questions=[
            {name: getattr(question, name) for name in ("kind", "label", "choices", "is_required")}
            for question in event.questions.filter(is_asked=True)
        ],
        submit_key=submit_key,
        **{name: getattr(event, name) for name in COPIED},
    )
    if event.picture_key and not copy.picture_key:
        pictures.copy_picture(event, copy)
    return copy


def _session(session, shift) -> dict:
    times = {
        name: getattr(session, name) + shift if getattr(session, name) else None
        for name in ("starts_at", "ends_at")
    }
    told = {name: getattr(session, name) for name in ("kind", "title", "summary")}
    return {**told, **times, "speakers": list(session.speakers.all())}
