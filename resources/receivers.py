"""What other apps announce, answered here."""

from django.dispatch import receiver

from members.signals import member_erased

from . import services


@receiver(member_erased)
def forget_adder(sender, member, keep_words=True, **kwargs):
    """What they added stays without their name, or goes; uploads that no record has always go."""
    services.forget_creator(member=member)
    services.forget_adder(member=member, keep_words=keep_words)
