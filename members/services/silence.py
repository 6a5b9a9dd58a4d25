"""Members of whom nothing was heard for half a year: they are asked once, then the digest comes once a month. Nobody is
cut off: who reads in the inbox and never answers is a member like all others."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from kmnet.core import jobs, mail
from kmnet.core.models import MailChoice
from kmnet.core.models.mail import MailHabits

from ..models import Member, Profile
from ..models.profile import DigestRhythm
from .mail_settings import LESS, habits_of, set_rhythm

SILENT_FOR = timedelta(days=182)
ANSWER_WITHIN = timedelta(days=30)
ASK, TELL = "members.still_here", "members.digest_monthly"


def _with_frequent_digest() -> QuerySet[Member]:
    off = MailChoice.objects.filter(member=OuterRef("pk"), category="digest", how=MailChoice.How.NEVER)
    return Member.objects.full().filter(~Exists(off), profile__digest__in=list(LESS)).order_by("pk")


def to_be_asked(now: datetime) -> QuerySet[Member]:
    """Silent for six months, and not asked since they were here last. Whoever has paused all mail hears it afterwards."""
    asked_since = Q(mail_habits__asked_if_here_at__date__gt=F("last_seen_on"))
    paused = Q(mail_habits__paused_until__gt=now.date())
    silent = _with_frequent_digest().filter(last_seen_on__lt=(now - SILENT_FOR).date())
    return silent.filter(~Exists(silent.filter(asked_since | paused, pk=OuterRef("pk"))))


def to_be_told(now: datetime) -> QuerySet[Member]:
    """Asked thirty days ago, and not here since."""
    return _with_frequent_digest().filter(
        mail_habits__asked_if_here_at__lt=now - ANSWER_WITHIN,
        mail_habits__asked_if_here_at__date__gt=F("last_seen_on"),
    )


def ask_silent(*, now: datetime | None = None) -> int:
    """Ask those who are due, once; how many. Any number of workers may run it at once: the member's row is the claim."""
    now = now or timezone.now()
    return jobs.serve(to_be_asked(now), lambda member: _ask(member, now), no_key=True)


def _ask(member: Member, now: datetime) -> None:
    MailHabits.objects.update_or_create(member=member, defaults={"asked_if_here_at": now})
    mail.queue(
        ASK, member=member, dedupe_key=f"{ASK}:{member.pk}:{now:%Y-%m-%d}", refs={"on": f"{now:%Y-%m-%d}"}
    )


def lower_silent(*, now: datetime | None = None) -> int:
    """Who has not answered gets the digest once a month from now on, and is told so; how many."""
    now = now or timezone.now()
    return jobs.serve(to_be_told(now), _lower, no_key=True)


def _lower(member: Member) -> None:
    profile = Profile.objects.get(member=member)
    was, asked_at = profile.digest, habits_of(member).asked_if_here_at
    Profile.objects.filter(pk=profile.pk).update(digest=DigestRhythm.MONTHLY)
    day = f"{asked_at:%Y-%m-%d}"
    mail.queue(TELL, member=member, dedupe_key=f"{TELL}:{member.pk}:{day}", refs={"on": day, "was": was})


@transaction.atomic
def come_back(*, member: Member, was: str) -> str:
    """They are here, and the digest comes as often as before, where it was made monthly; how often it comes now."""
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    rhythm = Profile.objects.values_list("digest", flat=True).get(member=member)
    return set_rhythm(member=member, digest=was) if was in LESS and rhythm == DigestRhythm.MONTHLY else rhythm
