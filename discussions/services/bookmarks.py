"""What a member keeps for later, with a day on which to be reminded."""

from datetime import date, datetime, time

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from kmnet.core import activity, jobs, mail
from kmnet.core.forms import to_instant
from kmnet.core.models import Notification
from members.models import Member
from members.permissions import is_full_member

from ..models import Bookmark, Post
from ..permissions import can_keep_post

KEPT = "discussions.kept"
HOUR = time(9)


def at_nine(day: date, zone: str) -> datetime:
    """That day's nine o'clock on the clocks of the zone, as an instant. ValidationError where that day has none."""
    return to_instant(datetime.combine(day, HOUR), zone, later=False)


@transaction.atomic
def keep_post(*, member: Member, post: Post, note: str = "", remind_at: datetime | None = None) -> Bookmark:
    """Keep it, with this note and this reminder in place of those before. Locks the bookmark. PermissionDenied."""
    if not can_keep_post(member, post):
        raise PermissionDenied
    Bookmark.objects.bulk_create([Bookmark(member=member, post=post)], ignore_conflicts=True)
    bookmark = Bookmark.objects.select_for_update().get(member=member, post=post)
    if remind_at != bookmark.remind_at:
        bookmark.reminded_at, bookmark.not_reminded = None, ""
        mail.withdraw(dedupe_key_prefix=f"{KEPT}:{bookmark.pk}:", reason="another day was chosen")
    bookmark.note, bookmark.remind_at = note, remind_at
    bookmark.save(update_fields=["note", "remind_at", "reminded_at", "not_reminded"])
    return bookmark


@transaction.atomic
def drop_bookmark(*, member: Member, bookmark: Bookmark) -> None:
    """Kept no longer, and not reminded of; twice is once."""
    found = Bookmark.objects.select_for_update().filter(pk=bookmark.pk, member=member).first()
    if found is not None:
        mail.withdraw(dedupe_key_prefix=f"{KEPT}:{found.pk}:", reason="kept no longer")
        found.delete()


def why_not(bookmark: Bookmark) -> str:
    """Why its owner is not to be reminded any more; "" where they are. Needs member, and post with thread and space."""
    if not is_full_member(bookmark.member):
        return "no longer a member"
    if not can_keep_post(bookmark.member, bookmark.post):
        return "the post is not there to be read any more"
    return ""


def remind_of_kept(*, now: datetime | None = None) -> int:
    """One notification and one mail for each reminder that is due; return how many rows were taken.

    Any number of workers may run it: the lock on the row is the claim, and `reminded_at` commits with what it caused."""
    now = now or timezone.now()
    due = (
        Bookmark.objects.select_related("member", "post__thread__space", "post__mask")
        .filter(reminded_at__isnull=True, remind_at__lte=now)
        .order_by("remind_at", "pk")
    )

    def remind(bookmark):
        bookmark.reminded_at, bookmark.not_reminded = now, why_not(bookmark)
        bookmark.save(update_fields=["reminded_at", "not_reminded"])
        if bookmark.not_reminded:
            return
        deed = activity.record(KEPT, actor=None, target=bookmark.post, at=now)
        Notification.objects.create(activity=deed, recipient=bookmark.member, created_at=now)
        mail.queue(
            KEPT,
            member=bookmark.member,
            dedupe_key=f"{KEPT}:{bookmark.pk}:{bookmark.remind_at:%Y%m%d%H%M}",
            refs={"bookmark": bookmark.pk},
        )

    return jobs.serve(due, remind)
