"""What other apps announce, answered here."""

from django.dispatch import receiver

from members.signals import member_erased, member_suspended

from . import services


@receiver(member_suspended)
def free_places_of_suspended(sender, member, **kwargs):
    services.release_member(member=member, why="suspended")


@receiver(member_erased)
def free_places_of_erased(sender, member, **kwargs):
    services.release_member(member=member, why="the account was deleted", forget=True)
