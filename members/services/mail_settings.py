"""What somebody wants to be told, and when mail may come."""

import zoneinfo
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from kmnet.core.mail import CATEGORIES
from kmnet.core.models import MailChoice
from kmnet.core.models.mail import MailHabits

from ..models import Member, Profile
from ..models.profile import DigestRhythm

How = MailChoice.How
MONTH = timedelta(days=30)
LESS = {
    DigestRhythm.DAILY: DigestRhythm.WEEKLY,
    DigestRhythm.DAYS: DigestRhythm.WEEKLY,
    DigestRhythm.WEEKLY: DigestRhythm.MONTHLY,
}


@dataclass(frozen=True)
class Wish:
    """How somebody wants one category by mail, and whether also on the site."""

    how: str
    site: bool = True


def habits_of(member: Member) -> MailHabits:
    """Theirs, or the usual ones (unsaved)."""
    return MailHabits.objects.filter(member=member).first() or MailHabits(member=member)


def zone_of(member: Member) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(member.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def today_of(member: Member) -> date:
    """The day by their own clock."""
    return timezone.localdate(timezone=zone_of(member))


def _lock(member: Member) -> Member:
    return Member.objects.select_for_update(no_key=True).get(pk=member.pk)


@transaction.atomic
def change_mails(
    *,
    member: Member,
    wanted: dict[str, Wish],
    digest: str,
    digest_weekday: int,
    digest_days: list[int],
    digest_hour: int,
    digest_minutes: int,
    bundle_minutes: int,
    quiet_from: int | None,
    quiet_until: int | None,
    paused_until: date | None,
) -> None:
    """All of the settings page. A choice that says what holds already is not written down: who has never chosen goes on
    to get what is usual. Locks the member's row, so that of two pages the last one holds, and as a whole."""
    member = _lock(member)
    now = timezone.now()
    held = {row.category: row for row in MailChoice.objects.of(member_id=member.pk)}
    changed = []
    for key, wish in wanted.items():
        row = held.get(key)
        holds = Wish((row and row.how) or CATEGORIES[key].usual, row.site if row else True)
        if wish == holds:
            continue
        how = wish.how if wish.how != holds.how else (row.how if row else How.USUAL)
        changed.append(MailChoice(member=member, category=key, how=how, site=wish.site, changed_at=now))
    MailChoice.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["member", "category"],
        update_fields=["how", "site", "changed_at"],
    )
    Profile.objects.filter(member=member).update(
        digest=digest,
        digest_weekday=digest_weekday,
        digest_days=sorted(set(digest_days)),
        digest_hour=digest_hour,
        digest_minutes=digest_minutes,
    )
    _set_habits(
        member,
        bundle_minutes=bundle_minutes,
        quiet_from=quiet_from,
        quiet_until=quiet_until,
        paused_until=paused_until,
    )


def _set_habits(member: Member, **values) -> None:
    """The member's row is locked. What is as usual for whoever has no row needs none."""
    habits = MailHabits.objects.filter(member=member).first()
    if habits is None:
        habits = MailHabits(member=member)
        if all(getattr(habits, name) == value for name, value in values.items()):
            return
    for name, value in values.items():
        setattr(habits, name, value)
    habits.save()


@transaction.atomic
def less_often(*, member: Member) -> str:
    """The digest comes one step more seldom, at the least once a month; how often from now on. Twice is two steps."""
    member = _lock(member)
    profile = Profile.objects.get(member=member)
    rhythm = LESS.get(profile.digest)
    if rhythm:
        Profile.objects.filter(pk=profile.pk).update(digest=rhythm)
    return rhythm or profile.digest


@transaction.atomic
def set_rhythm(*, member: Member, digest: str) -> str:
    """The digest comes as often as this; once a week where the days are to be chosen and none is. How often it is then."""
    member = _lock(member)
    profile = Profile.objects.get(member=member)
    if digest == DigestRhythm.DAYS and not profile.digest_days:
        digest = DigestRhythm.WEEKLY
    Profile.objects.filter(pk=profile.pk).update(digest=digest)
    return digest


@transaction.atomic
def pause_mail(*, member: Member) -> date:
    """No mail for a month from today, or for as long as they have said already; until when."""
    member = _lock(member)
    until = max(today_of(member) + MONTH, habits_of(member).paused_until or date.min)
    _set_habits(member, paused_until=until)
    return until


@transaction.atomic
def end_pause(*, member: Member) -> None:
    """Mail comes again, from now on."""
    member = _lock(member)
    _set_habits(member, paused_until=None)
