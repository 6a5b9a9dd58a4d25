"""What other apps announce, answered here."""

from django.dispatch import receiver

from members.signals import member_erased

from . import services


@receiver(member_erased)
def forget_what_was_read(sender, member, **kwargs):
    """What they wrote stays, unsigned; what they read and followed goes with them."""
    services.forget_reader(member=member)
