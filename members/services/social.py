"""What a connection to another service changes here: an ORCID iD stands on the profile only while it is proven."""

from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from .profiles import set_orcid, unlink_orcid


@transaction.atomic
def note_connection(*, account: SocialAccount) -> None:
    """Somebody has proven that this account elsewhere is theirs."""
    if account.provider == "orcid":
        set_orcid(member=account.user, orcid=account.uid)


@transaction.atomic
def note_disconnection(*, account: SocialAccount) -> None:
    if account.provider == "orcid":
        unlink_orcid(member=account.user)
