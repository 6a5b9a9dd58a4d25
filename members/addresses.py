"""Whose an address is. An address that somebody merely typed, without proof, belongs to nobody yet."""

from allauth.account.models import EmailAddress

from .models import Member


def is_taken(email: str, *, by_other_than: Member | None = None) -> bool:
    """Somebody signs in with it, or has proven it."""
    members = Member.objects.filter(email__iexact=email)
    proven = EmailAddress.objects.filter(email__iexact=email, verified=True)
    if by_other_than is not None:
        members, proven = members.exclude(pk=by_other_than.pk), proven.exclude(user=by_other_than)
    return members.exists() or proven.exists()


def owner_of(email: str) -> Member | None:
    """Who has proven it, or gave it when joining; a member who may sign in."""
    member = Member.objects.filter(
        emailaddress__email__iexact=email, emailaddress__verified=True, is_active=True
    ).first()
    return member or Member.objects.filter(email__iexact=email, is_active=True).first()
