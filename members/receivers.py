"""Answers to what allauth announces."""

from allauth.account.signals import email_confirmed
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from . import services


@receiver(email_confirmed)
def address_was_proven(sender, email_address, **kwargs):
    services.prove_address(member=email_address.user)


@receiver(user_logged_in)
def somebody_signed_in(sender, user, **kwargs):
    services.note_presence(member=user)
