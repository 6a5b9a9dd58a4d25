"""How much mail somebody's settings mean, told from what happened to them in the last four weeks."""

from datetime import timedelta

from django.utils import timezone

from kmnet.core.mail import CATEGORIES, get_kind
from kmnet.core.models import MailChoice, OutgoingMail
from kmnet.core.models.mail import BUNDLE, MailState

from .models import Member
from .models.profile import DigestRhythm

How = MailChoice.How
LOOKED_BACK = timedelta(days=28)
MOST_ROWS = 3000
# What was held back because of a choice would have come with another one; whatever else was held back would not.
CHOSEN = ("switched off by the receiver", "left to the digest", "mail is paused")
DIGESTS_A_WEEK = {DigestRhythm.DAILY: 7, DigestRhythm.WEEKLY: 1, DigestRhythm.MONTHLY: 1 / 4}


def mails_a_week(member: Member, hows: dict[str, str], bundle_minutes: int) -> float:
    """With these settings (how, for each category that can be chosen, and the digest as the profile has it). Digests at
    most, since an empty one is not sent; codes and proofs that somebody asks for at the sign-in are not counted; a pause
    is left out of account. One query."""
    now, delay = timezone.now(), timedelta(minutes=bundle_minutes)
    rows = (
        OutgoingMail.objects.filter(member=member, created_at__gt=now - LOOKED_BACK)
        .exclude(kind=BUNDLE)
        .exclude(state=MailState.FAILED)
        .order_by("created_at")
        .values_list("kind", "created_at", "state", "reason")[:MOST_ROWS]
    )
    count, full_until = 0, None
    for key, at, state, reason in rows:
        if state == MailState.WITHHELD and not reason.startswith(CHOSEN):
            continue
        how, can_wait = _how_of(key, hows)
        if how == How.BUNDLED and can_wait:
            if full_until is None or at > full_until:
                count, full_until = count + 1, at + delay
        elif how in (How.AT_ONCE, How.BUNDLED):
            count += 1
    here_for = min(LOOKED_BACK, max(now - member.joined_at, timedelta(days=7)))
    return count / (here_for / timedelta(days=7)) + _digests(member, hows)


def _how_of(key: str, hows: dict) -> tuple[str, bool]:
    """How a mail of this kind comes now, and whether it can come with others."""
    try:
        kind = get_kind(key)
    except LookupError:  # of an app that is no more
        return How.NEVER, False
    category = CATEGORIES.get(kind.category)
    if category is None or category.fixed:
        return (How.NEVER if category and category.key == "sign_in" else How.AT_ONCE), False
    if category.key == "digest":
        return How.NEVER, False
    return hows[category.key], kind.bundles


def _digests(member: Member, hows: dict) -> float:
    if hows["digest"] == How.NEVER:
        return 0
    rhythm = member.profile.digest
    return len(member.profile.digest_days) if rhythm == DigestRhythm.DAYS else DIGESTS_A_WEEK.get(rhythm, 0)
