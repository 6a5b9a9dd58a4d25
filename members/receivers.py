"""Answers to what allauth announces, and to what this app announces to all."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed, user_signed_up
from allauth.mfa.signals import authenticator_added
from allauth.socialaccount.signals import social_account_added, social_account_removed
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from . import services, session_limits
from .services import groups
from .services.social import note_connection, note_disconnection
from .signals import member_erased, member_leaving, member_suspended


@receiver(email_confirmed)
def address_was_proven(sender, request, email_address, **kwargs):
    member = email_address.user
    if member.address_proven_at:  # one more: the main one hears of it, before anything else can be changed
        get_adapter(request).send_notification_mail(
            "account/email/email_confirm", member, {"to_email": email_address.email}
        )
    services.prove_address(member=member, address=email_address.email)


@receiver(user_signed_up)
def somebody_signed_up(sender, user, **kwargs):
    """Their address may be proven already: by the link of an invitation to it, or by whoever vouches for it."""
    if EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists():
        services.prove_address(member=user, address=user.email)


@receiver(user_logged_in)
def somebody_signed_in(sender, user, request=None, **kwargs):
    services.note_presence(member=user)
    if request is not None:
        session_limits.start(request.session)


@receiver(authenticator_added)
def key_or_app_added(sender, request, user, authenticator, **kwargs):
    """Making it has proven who they are: the recovery codes that come with it are shown without asking again."""
    record_authentication(
        request, user, "mfa", id=authenticator.pk, type=authenticator.type, reauthenticated=True
    )


@receiver(social_account_added)
def connected(sender, sociallogin, **kwargs):
    note_connection(account=sociallogin.account)


@receiver(social_account_removed)
def disconnected(sender, socialaccount, **kwargs):
    note_disconnection(account=socialaccount)


@receiver([member_suspended, member_leaving])
def groups_go_on_without_them(sender, member, **kwargs):
    groups.hand_on_groups_of(member=member)


@receiver(member_erased)
def groups_go_on_without_the_erased(sender, member, **kwargs):
    groups.forget_in_groups(member=member)


@receiver([member_suspended, member_leaving])
def introductions_are_withdrawn(sender, member, **kwargs):
    services.withdraw_introductions(member=member)
