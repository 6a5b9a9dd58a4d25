"""Handles: which are free, and how often one changes. The old one leads to its owner for ever."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import F, Value
from django.db.models.functions import Lower, Replace
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from kmnet.core.fixed import Named

from .. import names
from ..models import Member, OldHandle, SpentHandle

CHANGES, PERIOD = 2, timedelta(days=30)
# By anybody else, now or once, or by somebody who has left.
TAKEN = Named(
    """
    SELECT EXISTS (SELECT FROM members_member WHERE lower(handle) = %(handle)s AND id <> %(member)s)
        OR EXISTS (SELECT FROM members_oldhandle WHERE lower(handle) = %(handle)s AND member_id <> %(member)s)
        OR EXISTS (SELECT FROM members_spenthandle WHERE digest = ANY(%(digests)s))
    """,
    handle="text",
    member="bigint",
    digests="text[]",
)


class HandleRefused(ValidationError):
    """The reason is in its words, for the field."""


class HandleTaken(HandleRefused):
    """Somebody has, or had, this handle."""

    def __init__(self):
        super().__init__(_("Somebody else has this handle. Please choose another."), code="taken")


class HandleTooLike(HandleRefused):
    """It would be read as somebody else’s, or as a word of the site."""

    def __init__(self):
        super().__init__(
            _("This handle could be mistaken for another one. Please choose one that differs more."),
            code="alike",
        )


class TooManyHandles(HandleRefused):
    """So many changes in so short a time; `again_at` is when the next one is possible."""

    def __init__(self, again_at: datetime):
        self.again_at = again_at
        super().__init__(
            _("You have changed your handle twice in the last 30 days. You can change it again on %(day)s."),
            code="often",
            params={"day": date_format(timezone.localtime(again_at), "DATE_FORMAT")},
        )


def is_handle_free(handle: str, *, member: Member | None = None) -> bool:
    """Free for this member: nobody else has it or had it (an old handle redirects to its owner)."""
    wanted = handle.lower()
    ((taken,),) = TAKEN.rows(
        handle=wanted, member=member.pk if member else 0, digests=SpentHandle.digests_of(wanted)
    )
    return not taken


def is_like_another(handle: str, *, member: Member) -> bool:
    """Reads like a handle that somebody else has or had, or like a word that is kept for the site.

    Looks at every handle: it is asked only where somebody chooses one, which is seldom.
    """
    looks = names.skeleton(handle)
    if looks in {names.skeleton(word) for word in names.RESERVED}:
        return True
    skeleton = Lower(F("handle"))
    for letters, instead in names.LOOK_ALIKE:
        skeleton = Replace(skeleton, Value(letters), Value(instead))
    alike = Member.objects.alias(looks=skeleton).filter(looks=looks).exclude(pk=member.pk)
    once = OldHandle.objects.alias(looks=skeleton).filter(looks=looks).exclude(member=member)
    return alike.exists() or once.exists()


def next_change_at(member: Member) -> datetime | None:
    """When the handle may change again; None where it may now."""
    left = OldHandle.objects.filter(member=member, left_at__gt=timezone.now() - PERIOD)
    times = list(left.order_by("-left_at").values_list("left_at", flat=True)[:CHANGES])
    return times[-1] + PERIOD if len(times) == CHANGES else None


def check_handle(text: str, *, member: Member) -> str:
    """The handle as it would be stored, for a member who wants it instead of theirs.

    Raises ValidationError: its shape, a word of the site, HandleTaken, HandleTooLike, TooManyHandles.
    """
    handle = names.clean_handle(text)
    if handle == member.handle:
        return handle
    if not is_handle_free(handle, member=member):
        raise HandleTaken
    theirs = OldHandle.objects.filter(member=member, handle__iexact=handle).exists()
    if not theirs and is_like_another(handle, member=member):
        raise HandleTooLike
    again_at = next_change_at(member)
    if again_at is not None:
        raise TooManyHandles(again_at)
    return handle


def change_handle(*, member: Member, handle: str) -> None:
    """Set the handle of a member whose row the caller has locked, and saves; the one until now leads to it for ever.

    Whoever returns to a handle they had keeps its row, or going to and fro would count for nothing. Raises as
    check_handle.
    """
    handle = check_handle(handle, member=member)
    if handle != member.handle:
        OldHandle.objects.update_or_create(
            handle=member.handle, member=member, defaults={"left_at": timezone.now()}
        )
        member.handle = handle
