"""Writing mails into the outbox, in the transaction of the deed that causes them. One key per effect."""

from datetime import datetime

from kmnet.core import mail
from members.models import Member

from ..models import Event, EventInvitation, EventMessage, Registration


def _queue(kind: str, registration: Registration, key: str, **refs) -> None:
    """To the member, or to the guest's address and in the guest's zone."""
    refs["registration"] = registration.pk
    if registration.guest_time_zone and not registration.member_id:
        refs["time_zone"] = registration.guest_time_zone
    dedupe_key = f"{key_prefix(kind, registration)}{key}"
    mail.queue(kind, **_person(registration), dedupe_key=dedupe_key, refs=refs)


def _person(row: Registration | EventInvitation) -> dict:
    return {"member": row.member} if row.member_id else {"address": row.guest_address}


def key_prefix(kind: str, registration: Registration) -> str:
    """The event stands first, so that all mails about it are found by the beginning of their keys."""
    return f"{kind}:{registration.event_id}.{registration.pk}:"


def _stamp(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def queue_confirmed(registration: Registration) -> None:
    _queue("events.confirmed", registration, _stamp(registration.confirmed_at))


def queue_waiting(registration: Registration) -> None:
    _queue("events.waiting", registration, _stamp(registration.joined_at))


def queue_position(registration: Registration, position: int, before: int) -> None:
    """They moved up from `before`, which they were told: once for each position that is told."""
    key = f"{_stamp(registration.joined_at)}.{position}"
    _queue("events.position", registration, key, position=position, before=before)


def queue_requested(registration: Registration) -> None:
    """The organisers are asked."""
    _queue("events.requested", registration, _stamp(registration.joined_at))


def queue_refused(registration: Registration) -> None:
    """The organisers said no; the person reads the reason, if there is one."""
    _queue("events.refused", registration, "once")


def queue_recording(registration: Registration) -> None:
    """They want the recording only: a receipt, with the end of the calendar entry if there was one."""
    _queue("events.recording", registration, _stamp(registration.confirmed_at or registration.joined_at))


def queue_offer(registration: Registration) -> None:
    _queue("events.offer", registration, _stamp(registration.offered_at))


def queue_offer_passed(registration: Registration) -> None:
    _queue("events.offer_passed", registration, _stamp(registration.offered_at))


def queue_place_given(registration: Registration) -> None:
    """To whom somebody gave their place: an offer with a name on it."""
    _queue("events.place_given", registration, _stamp(registration.offered_at))


def queue_place_passed_on(registration: Registration) -> None:
    """The giver's receipt, with the end of their calendar entry."""
    _queue("events.place_passed_on", registration, "once")


def queue_reconfirm(registration: Registration) -> None:
    """Are you still coming? Once each time that it is asked: a moved event asks anew, also one that moved back."""
    starts_at = registration.event.starts_at
    asked_at = registration.asked_at or starts_at
    _queue("events.reconfirm", registration, _stamp(asked_at), starts_at=starts_at.isoformat())


def queue_soft(registration: Registration) -> None:
    """They did not answer: once per registration and start."""
    _queue("events.soft", registration, _stamp(registration.event.starts_at))


def queue_all_hands(registration: Registration) -> None:
    """The last hours' call: once per registration and start."""
    _queue("events.all_hands", registration, _stamp(registration.event.starts_at))


def queue_left(registration: Registration) -> None:
    """They gave it up themselves: a receipt, with the end of the calendar entry if there was one."""
    _queue("events.cancelled_by_you", registration, "once")


def queue_removed(registration: Registration) -> None:
    _queue("events.removed", registration, "once")


def queue_event_cancelled(registration: Registration) -> None:
    _queue("events.event_cancelled", registration, "once")


def queue_postponed(registration: Registration) -> None:
    """Once for each time: the SEQUENCE that took the old day out of the calendars tells them apart."""
    _queue("events.postponed", registration, str(registration.event.sequence))


def queue_letter(message: EventMessage, registration: Registration) -> None:
    """What the organisers wrote, once to each whom it goes to."""
    _queue("events.letter", registration, str(message.pk), message=message.pk)


def queue_invited(invitation: EventInvitation) -> None:
    """Asked by name: once for each invitation."""
    key = f"events.invited:{invitation.event_id}.{invitation.pk}:once"
    mail.queue("events.invited", **_person(invitation), dedupe_key=key, refs={"invitation": invitation.pk})


def queue_organiser_added(event: Event, member: Member, by: Member, at: datetime) -> None:
    """Somebody else made them an organiser: once for each time."""
    key = f"events.organiser_added:{event.pk}.{member.pk}:{_stamp(at)}"
    mail.queue("events.organiser_added", member=member, dedupe_key=key, refs={"event": event.pk, "by": by.pk})


def queue_changed(registration: Registration, event: Event, before: dict) -> None:
    """`before`: what the changed parts were, for the words of the mail."""
    _queue("events.event_changed", registration, str(event.sequence), before=before, sequence=event.sequence)


def queue_prove(registration: Registration, now: datetime) -> None:
    """At most one in ten minutes, however often somebody types the address."""
    _queue("events.prove", registration, str(int(now.timestamp()) // 600))


def queue_known(registration: Registration, now: datetime) -> None:
    """To somebody who is registered, when their address is typed again."""
    _queue("events.known", registration, str(int(now.timestamp()) // 600))


def queue_reminder(kind: str, registration: Registration) -> None:
    """One of a kind per registration and start: a moved event reminds anew, a new title does not."""
    starts_at = registration.event.starts_at
    _queue(kind, registration, _stamp(starts_at), starts_at=starts_at.isoformat())
