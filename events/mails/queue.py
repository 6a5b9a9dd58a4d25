"""Writing mails into the outbox, in the transaction of the deed that causes them. One key per effect."""

from datetime import datetime

from kmnet.core import mail

from ..models import Event, Registration


def _queue(kind: str, registration: Registration, key: str, **refs) -> None:
    """To the member, or to the guest's address and in the guest's zone."""
    refs["registration"] = registration.pk
    to = (
        {"member": registration.member} if registration.member_id else {"address": registration.guest_address}
    )
    if registration.guest_time_zone and not registration.member_id:
        refs["time_zone"] = registration.guest_time_zone
    mail.queue(kind, **to, dedupe_key=f"{key_prefix(kind, registration)}{key}", refs=refs)


def key_prefix(kind: str, registration: Registration) -> str:
    """The event stands first, so that all mails about it are found by the beginning of their keys."""
    return f"{kind}:{registration.event_id}.{registration.pk}:"


def _stamp(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def queue_confirmed(registration: Registration) -> None:
    _queue("events.confirmed", registration, _stamp(registration.confirmed_at))


def queue_waiting(registration: Registration) -> None:
    _queue("events.waiting", registration, _stamp(registration.joined_at))


def queue_offer(registration: Registration) -> None:
    _queue("events.offer", registration, _stamp(registration.offered_at))


def queue_offer_passed(registration: Registration) -> None:
    _queue("events.offer_passed", registration, _stamp(registration.offered_at))


def queue_left(registration: Registration) -> None:
    """They gave it up themselves: a receipt, with the end of the calendar entry if there was one."""
    _queue("events.cancelled_by_you", registration, "once")


def queue_removed(registration: Registration) -> None:
    _queue("events.removed", registration, "once")


def queue_event_cancelled(registration: Registration) -> None:
    _queue("events.event_cancelled", registration, "once")


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
