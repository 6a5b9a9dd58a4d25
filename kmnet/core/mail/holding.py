"""When and whether a mail may go out to this receiver: their choice for its category, their quiet hours, their pause."""

import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from kmnet.core.fixed import Named
from kmnet.core.models import CommunitySettings
from kmnet.core.models.mail import MailChoice, MailHabits

from .kinds import CATEGORIES, How

BUNDLE_MINUTES = MailHabits._meta.get_field("bundle_minutes").default


class Later(Exception):
    """Not now: the receiver has quiet hours until `until`. It is no try, and nothing is wrong."""

    def __init__(self, until: datetime):
        super().__init__(f"quiet until {until.isoformat()}")
        self.until = until


@dataclass(frozen=True)
class Wish:
    """What one member wants of one category."""

    category: str
    how: How
    zone: zoneinfo.ZoneInfo
    on_site: bool = True
    bundle_minutes: int = BUNDLE_MINUTES
    quiet_from: int | None = None
    quiet_until: int | None = None
    paused_until: date | None = None

    def refusal(self, at: datetime) -> str:
        """Why a mail that is due at this moment does not go out; "" where it may."""
        if CATEGORIES[self.category].fixed:
            return ""
        if self.how == How.NEVER:
            return f"switched off by the receiver: {self.category}"
        if self.paused_until is not None and at < midnight(self.paused_until, self.zone):
            return f"mail is paused until {self.paused_until.isoformat()}"
        if self.how == How.DIGEST:
            return f"left to the digest: {self.category}"
        return ""

    def not_before(self, at: datetime) -> datetime:
        """`at`, or the end of the quiet hours in which it lies. An hour of the member's clock, also on the days when it
        is changed."""
        if self.quiet_from is None or self.quiet_until is None or not CATEGORIES[self.category].waits:
            return at
        local = at.astimezone(self.zone)
        if (local.hour - self.quiet_from) % 24 >= (self.quiet_until - self.quiet_from) % 24:
            return at
        day = local.date()
        if local.hour >= self.quiet_until:
            day += timedelta(days=1)
        return max(at, datetime.combine(day, time(self.quiet_until), self.zone).astimezone(UTC))


def midnight(day: date, zone: zoneinfo.ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """The receiver's zone; where they gave none, or one that is no more, the community's."""
    try:
        return zoneinfo.ZoneInfo(name or CommunitySettings.load().time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


class Wishes:
    """What many members want of some categories: two queries, however many they are."""

    def __init__(self, members: Iterable, categories: Iterable[str]):
        """`members` have their pk and time_zone."""
        self.members = {member.pk: member for member in members}
        asked = {key for key in categories if not CATEGORIES[key].fixed}
        self.choices, self.habits = {}, {}
        if not asked or not self.members:
            return
        chosen = MailChoice.objects.filter(member__in=self.members, category__in=asked)
        for pk, category, how, site in chosen.values_list("member_id", "category", "how", "site"):
            self.choices[pk, category] = (how, site)
        habits = MailHabits.objects.filter(member__in=self.members)
        for pk, *rest in habits.values_list(
            "member_id", "bundle_minutes", "quiet_from", "quiet_until", "paused_until"
        ):
            self.habits[pk] = rest

    def of(self, member_id: int, category: str) -> Wish:
        how, site = self.choices.get((member_id, category), ("", True))
        return _wish(self.members[member_id], category, how, site, *self.habits.get(member_id, ()))

    def on_site(self, member_id: int, category: str | None) -> bool:
        """Whether the bell on the site tells them of it."""
        return self.choices.get((member_id, category), ("", True))[1]


def _wish(member, category, how, site, minutes=BUNDLE_MINUTES, begins=None, ends=None, paused=None) -> Wish:
    how = How(how) if how else CATEGORIES[category].usual
    return Wish(category, how, zone_named(member.time_zone), site, minutes, begins, ends, paused)


# What is asked of each list mail at the moment of sending, in one question.
_STANDING = Named(
    """
    SELECT EXISTS (SELECT 1 FROM account_emailaddress WHERE user_id = %(member)s AND verified
                   AND upper(email) = upper(%(email)s)),
           coalesce(choice.how, ''), coalesce(choice.site, true), coalesce(habits.bundle_minutes, %(minutes)s),
           habits.quiet_from, habits.quiet_until, habits.paused_until
    FROM (SELECT 1) AS one
    LEFT JOIN core_mailchoice choice ON choice.member_id = %(member)s AND choice.category = %(category)s
    LEFT JOIN core_mailhabits habits ON habits.member_id = %(member)s
    """,
    member="bigint",
    email="text",
    category="text",
    minutes="integer",
)


def standing(member, category: str) -> tuple[bool, Wish]:
    """Whether the member has proven their address, and what they want of this category now. One query."""
    [(is_proven, *rest)] = _STANDING.rows(
        member=member.pk, email=member.email, category=category, minutes=BUNDLE_MINUTES
    )
    return is_proven, _wish(member, category, *rest)
