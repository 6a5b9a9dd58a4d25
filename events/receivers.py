"""What other apps announce, answered here."""

from django.dispatch import receiver

from members.signals import address_proven, left_group, member_erased, member_suspended

from . import services


@receiver(member_suspended)
def free_places_of_suspended(sender, member, **kwargs):
    services.release_member(member=member, why="suspended")


@receiver(member_erased)
def free_places_of_erased(sender, member, **kwargs):
    services.release_member(member=member, why="the account was deleted", forget=True)


@receiver(address_proven)
def give_guests_their_history(sender, member, address, **kwargs):
    services.adopt_guest_registrations(member=member, address=address)


@receiver(left_group)
def free_places_of_who_left(sender, member, group, **kwargs):
    services.release_from_group(member=member, group_id=group.pk)
