"""What other apps announce, answered here."""

from django.dispatch import receiver

from members.signals import member_erased

from . import services


@receiver(member_erased)
def forget_member(sender, member, keep_words=True, **kwargs):
    """What they wrote stays, unsigned, or goes; what they read and followed goes with them."""
    services.forget_author(member=member, keep_words=keep_words)
    services.forget_reader(member=member)
