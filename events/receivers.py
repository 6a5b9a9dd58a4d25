"""What other apps announce, answered here."""

from django.dispatch import receiver

from members.services import MustHandOver
from members.signals import (
    address_proven,
    leaving_group,
    left_group,
    member_erased,
    member_leaving,
    member_suspended,
)

from . import services
from .personal import events_alone


@receiver(member_suspended)
def free_places_of_suspended(sender, member, **kwargs):
    services.release_member(member=member, why="suspended")


@receiver(member_leaving)
def free_places_of_leaver(sender, member, **kwargs):
    """At once: two weeks are long for those who wait. Asked again under the events' locks, since two organisers may
    leave in the same moment."""
    services.lock_organised(member=member)
    alone = events_alone(member)
    if alone:
        raise MustHandOver(alone)
    services.release_member(member=member, why="leaves kmnet")


@receiver(member_erased)
def forget_erased(sender, member, keep_words=True, addresses=(), **kwargs):
    services.release_member(member=member, why="the account was deleted", forget=True)
    services.forget_person(member=member, addresses=addresses, keep_words=keep_words)


@receiver(address_proven)
def give_guests_their_history(sender, member, address, **kwargs):
    services.adopt_guest_registrations(member=member, address=address)


@receiver(leaving_group)
def lock_places_of_who_leaves(sender, member, group, **kwargs):
    """Events come before groups in the order of locks: somebody may be registering for one of them at this moment."""
    services.lock_places_in_group(member=member, group_id=group.pk)


@receiver(left_group)
def free_places_of_who_left(sender, member, group, **kwargs):
    services.release_from_group(member=member, group_id=group.pk)
