"""What a connection to another service changes here: an ORCID iD stands on the profile only while it is proven."""

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from ..models import Member
from .profiles import set_orcid, unlink_orcid


@transaction.atomic
def note_connection(*, account: SocialAccount) -> None:
    """Somebody has proven that this account elsewhere is theirs."""
    if account.provider == "orcid":
        set_orcid(member=account.user, orcid=account.uid)


@transaction.atomic
def forget_ways_in(*, member: Member, password: bool) -> bool:
    """The owner of the mailbox has come by themselves: whatever somebody set up who had only typed their address, opens
    the account no more. Whether there was anything."""
    accounts = list(SocialAccount.objects.filter(user=member))
    for account in accounts:
        note_disconnection(account=account)
        account.delete()
    keys = Authenticator.objects.filter(user=member).delete()[0]
    typed = password and member.has_usable_password()
    if typed:
        member.set_unusable_password()
        member.save(update_fields=["password"])
    return bool(accounts or keys or typed)


@transaction.atomic
def note_disconnection(*, account: SocialAccount) -> None:
    if account.provider == "orcid":
        unlink_orcid(member=account.user)
