"""Who may do what with an event. An anonymous visitor may be passed everywhere."""

from django.db.models import Q

from members import permissions as members
from members.models import has_blocked, is_in_group, may_read_group

from .models import BACK, Event, Registration, Status, Visibility


def is_organiser_of(user, event: Event) -> bool:
    return bool(user.is_authenticated and user.is_active and user.pk in event.organiser_ids)


def can_view_event(user, event: Event) -> bool:
    """The same rule as EventQuerySet.visible_to. What all may see comes first: that needs no question."""
    if _is_open_to(user, event):
        return True
    if is_organiser_of(user, event) or (event.group_id is None and members.can_administer(user)):
        return True
    if event.published_at is None:
        return False
    if event.rehearsal_of_id:
        return bool(user.is_authenticated) and event.registrations.live().filter(member=user).exists()
    if event.visibility == Visibility.INVITED:
        return is_invited(user, event)
    if event.visibility == Visibility.GROUP:
        return may_read_group(user, event.group_id)
    return False


def _is_open_to(user, event: Event) -> bool:
    if event.published_at is None or event.rehearsal_of_id is not None:
        return False
    reach = Visibility.MEMBERS if members.is_full_member(user) else Visibility.PUBLIC
    return event.visibility <= reach


def is_invited(user, event: Event) -> bool:
    """Asked by name, or registered already."""
    if not user.is_authenticated:
        return False
    asked = event.invitations.for_member(user).exists()
    return asked or event.registrations.live().filter(member=user).exists()


def can_create_event(user) -> bool:
    return members.can_organise(user)


def can_organise_event(user, event: Event) -> bool:
    """See and serve the people of this event, and change it. Admins may too, what they see is logged; but not at a
    group's event, which is no more theirs than what the group says."""
    if members.can_administer(user) and can_view_event(user, event):
        return True
    return members.can_write(user) and is_organiser_of(user, event)


def priority_sources(user, event: Event | None = None):
    """Earlier events whose unlucky ones may come first at `event`: published, over, organised by this person, and with
    fewer places than people. The newest twenty."""
    found = Event.objects.filter(organisers=user.pk).past().filter(cancelled_at__isnull=True)
    found = found.filter(
        Q(capacity__isnull=False) | Q(online_capacity__isnull=False), rehearsal_of__isnull=True
    )
    return found.exclude(pk=event.pk if event else None)[:20]


def can_register(user, event: Event) -> bool:
    """May this person ask for a place (or, when all are taken, for the waiting list) now?"""
    if not event.takes_registrations():
        return False
    if not user.is_authenticated:
        return event.visibility == Visibility.PUBLIC and event.rehearsal_of_id is None
    if not members.can_write(user):
        return False
    if event.is_of_a_group:
        return is_in_group(user, event.group_id)  # the group is open, and this person in it
    return can_view_event(user, event)


def can_be_named(by, member) -> bool:
    """May this organiser add, invite or take in this member by name? Nobody who keeps them away; they are not told so."""
    return members.is_full_member(member) and not has_blocked(member, by)


def can_cancel_registration(user, registration: Registration) -> bool:
    """A silenced member may still leave."""
    return bool(
        user.is_authenticated
        and registration.status in Status.unsettled()
        and (
            registration.member_id == user.pk
            or (registration.member_id is None and registration.guest_address.lower() == user.email.lower())
        )
    )


def can_enter(registration: Registration | None) -> bool:
    """Through the join gate: with a place; or with one that went soft, while there is room (see services.enter)."""
    if registration is None:
        return False
    return registration.status == Status.CONFIRMED or has_soft_place(registration)


def has_soft_place(registration: Registration) -> bool:
    """Was silent and may still come; also after they said yes and found no place free."""
    is_back = registration.status == Status.WAITING and registration.priority == BACK
    return registration.status == Status.SOFT or is_back
