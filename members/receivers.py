"""Answers to what allauth announces."""

from allauth.account.signals import email_confirmed
from allauth.socialaccount.signals import social_account_added, social_account_removed
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from . import services
from .services.social import note_connection, note_disconnection


@receiver(email_confirmed)
def address_was_proven(sender, email_address, **kwargs):
    services.prove_address(member=email_address.user)


@receiver(user_logged_in)
def somebody_signed_in(sender, user, **kwargs):
    services.note_presence(member=user)


@receiver(social_account_added)
def connected(sender, sociallogin, **kwargs):
    note_connection(account=sociallogin.account)


@receiver(social_account_removed)
def disconnected(sender, socialaccount, **kwargs):
    note_disconnection(account=socialaccount)
