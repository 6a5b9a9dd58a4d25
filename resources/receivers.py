"""What other apps announce, answered here."""

from django.dispatch import receiver

from members.signals import left_group, member_erased

from . import services


@receiver(member_erased)
def forget_adder(sender, member, keep_words=True, **kwargs):
    """What they added stays without their name, or goes; uploads that no record has always go."""
    services.forget_creator(member=member)
    services.forget_adder(member=member, keep_words=keep_words)


@receiver(left_group)
def give_up_what_a_group_keeps(sender, member, group, **kwargs):
    services.give_up_in_group(member=member, group_id=group.pk)
