"""A member's own calendar address: made, replaced, given up."""

import secrets

from django.db import transaction

from members.models import Member

from ..models import CalendarFeed


@transaction.atomic
def renew_calendar_feed(*, member: Member) -> CalendarFeed:
    """Make the address, or a new one in place of the old, which ends with this commit. Locks the member's row, so that
    two presses of the button make one address after the other."""
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    feed, _made = CalendarFeed.objects.update_or_create(
        member=member, defaults={"key": secrets.token_urlsafe(16)}
    )
    return feed


@transaction.atomic
def end_calendar_feed(*, member: Member) -> None:
    """No address any more. Twice is once."""
    CalendarFeed.objects.filter(member=member).delete()
