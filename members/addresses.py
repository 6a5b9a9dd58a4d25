"""Whose an address is. An address that somebody merely typed, without proof, belongs to nobody yet."""

from allauth.account.models import EmailAddress

from kmnet.core.text import has_double

from .models import Member


def is_same(one: str, other: str) -> bool:
    """Spelt alike but for capitals. The database takes a Turkish “ı” for an “i”, as `iexact` asks it: a mail to one of
    them would go to somebody else than the owner of the other."""
    return one.lower() == other.lower() and has_double(one) == has_double(other)


def is_taken(email: str, *, by_other_than: Member | None = None) -> bool:
    """Somebody signs in with it, or has proven it."""
    members = Member.objects.filter(email__iexact=email)
    proven = EmailAddress.objects.filter(email__iexact=email, verified=True)
    if by_other_than is not None:
        members, proven = members.exclude(pk=by_other_than.pk), proven.exclude(user=by_other_than)
    return members.exists() or proven.exists()


def owner_of(email: str) -> Member | None:
    """Who has proven it, or gave it when joining; a member who may sign in. Never somebody whose address looks like it."""
    proven = EmailAddress.objects.filter(email__iexact=email, verified=True, user__is_active=True)
    for address in proven.select_related("user"):
        if is_same(address.email, email):
            return address.user
    members = Member.objects.filter(email__iexact=email, is_active=True)
    return next((member for member in members if is_same(member.email, email)), None)
