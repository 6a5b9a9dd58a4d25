"""Answers to what allauth announces, and to what this app announces to all."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed, password_reset, user_signed_up
from allauth.mfa.signals import authenticator_added
from allauth.socialaccount.signals import social_account_added, social_account_removed
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.utils.translation import gettext as _

from kmnet.core import inbound

from . import services, session_limits
from .services import group_upkeep
from .services.social import forget_ways_in, note_connection, note_disconnection
from .signals import member_erased, member_leaving, member_suspended


@receiver(email_confirmed)
def address_was_proven(sender, request, email_address, **kwargs):
    member = email_address.user
    if member.address_proven_at:  # one more: the main one hears of it, before anything else can be changed
        get_adapter(request).send_notification_mail(
            "account/email/email_confirm", member, {"to_email": email_address.email}
        )
    else:
        _leave_no_other_way_in(request, member)
    services.prove_address(member=member, address=email_address.email)


def _leave_no_other_way_in(request, member):
    """The link of joining proves what was typed there. By a code the owner of the mailbox has come by themselves, and may
    have found an account that somebody else began in their name."""
    match = getattr(request, "resolver_match", None)
    by_code = match is not None and match.url_name == "account_confirm_login_code"
    if by_code and forget_ways_in(member=member, password=True):
        words = _(
            "Your address is proven. Choose anew how you sign in: what was set before that opens nothing now."
        )
        messages.info(request, words)


@receiver(password_reset)
def a_new_password_was_set(sender, request, user, **kwargs):
    """Whoever did that reads the mail; whoever began the account had perhaps only typed its address."""
    if not user.address_proven_at:
        forget_ways_in(member=user, password=False)


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
def reply_addresses_end(sender, member, **kwargs):
    """Nothing is written in their name by mail any more; who comes back gets new addresses."""
    inbound.revoke(member=member, why="suspended or leaving")


@receiver([member_suspended, member_leaving])
def groups_go_on_without_them(sender, member, **kwargs):
    group_upkeep.hand_on_groups_of(member=member)


@receiver(member_erased)
def groups_go_on_without_the_erased(sender, member, **kwargs):
    group_upkeep.forget_in_groups(member=member)


@receiver(member_suspended)  # who is leaving: services.leaving, under the lock of the member
def introductions_are_withdrawn(sender, member, **kwargs):
    services.withdraw_introductions(member=member)
