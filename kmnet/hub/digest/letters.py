"""The words of a letter, and what core's outbox asks for: many prepared together, and one composed."""

from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from kmnet.core import tokens
from kmnet.core.mail import MailContent, Withhold
from kmnet.core.mail.message import render
from kmnet.hub import words
from kmnet.hub.models import DigestRun
from kmnet.hub.schedule import DAILY, DAYS, MONTHLY, NEVER
from members import mail_links

from .slices import Plan, Slice

MARK_READ_FOR = timedelta(days=90)
MOST_COUNTED = 3
OF_MEMBER = (
    "email", "name", "language", "time_zone", "status", "is_active", "is_staff", "is_superuser", "is_moderator",
    "is_organiser", "is_host", "address_proven_at", "joined_at", "keeps_away",
)  # fmt: skip
OF_PROFILE = ("digest", "digest_weekday", "digest_days", "digest_minutes")


def runs_of(mails) -> dict[int, DigestRun]:
    """The runs that these mails are about, by their pk."""
    only = ("period", "since", "until", "due_at", "ahead_from", "ahead_until", "member")
    runs = DigestRun.objects.filter(pk__any_of=[mail.refs["run"] for mail in mails])
    return {
        run.pk: run
        for run in runs.select_related("member__profile").only(
            *only,
            *(f"member__{name}" for name in OF_MEMBER),
            *(f"member__profile__{name}" for name in OF_PROFILE),
        )
    }


def prepare(mails: list) -> dict[int, Slice]:
    """For MailKind.prepare: one slice for them all."""
    runs = runs_of(mails)
    wanted = [run for run in runs.values() if run.member.profile.digest != NEVER]
    made = Slice(wanted)
    return {mail.pk: made for mail in mails}


def compose_digest(outgoing) -> MailContent:
    """The letter of one run: as it was prepared with others a moment ago, or else by itself."""
    pk, made = outgoing.refs["run"], outgoing.prepared
    if made is None or outgoing.is_preview or not made.holds(pk, outgoing.member):
        run = runs_of([outgoing]).get(pk)
        if run is None:
            raise Withhold("its window is gone")
        if run.member.profile.digest == NEVER:
            raise Withhold("the member wants no digest any more")
        made = Slice([run], for_others=outgoing.is_preview)
    plan = made.plans[pk]
    if plan.is_empty:
        raise Withhold("nothing new")
    return MailContent(write=lambda context: write(made, plan, context))


def write(made: Slice, plan: Plan, context: dict) -> tuple[str, str, str]:
    """Subject, text and HTML, in the language and zone of the reader, which are active."""
    member, today = plan.reader.member, timezone.localtime()
    summary, has_threads = summary_of(plan), any(plan.choice.talks)
    next_due = made.next_due.get(member.pk)
    day = date_format(today, gettext("l j F"))
    if has_threads:
        minutes = words.reading_time(plan.minutes)
        day = gettext("%(day)s. %(minutes)s; nothing here runs out.") % {"day": day, "minutes": minutes}
    values = {
        "title_line": f"{words.greeting(today, member.get_short_name())} {summary}.",
        "summary": summary,
        "date_line": day,
        "next_line": gettext("The next letter comes on %(day)s, if there is something new.")
        % {"day": date_format(timezone.localtime(next_due), gettext("l j F"))}
        if next_due
        else "",
        "mark_read_url": settings.SITE_URL
        + reverse(
            "hub:digest_read",
            args=[tokens.make("digest-read", lifetime=MARK_READ_FOR, run=plan.reader.run.pk)],
        ),
        "why": why_digest(member.profile),
        "less_often_url": mail_links.less_often_url(member),
        "pause_url": mail_links.pause_url(member),
        **{name: context[name] for name in ("settings_url", "unsubscribe_url", "stop_all_url")},
    }
    sections = made.print(plan, context)
    html, text = made.press.letter(
        values, sections, context, has_threads, plan.choice.more, next_due is not None
    )
    subject_line = waiting_for(made.askers(plan)) or summary
    return render("hub/email/digest_subject.txt", {"subject_line": subject_line}, escaped=False), text, html


# --- sentences -------------------------------------------------------------------------------------------------------
def _counted(plan: Plan) -> list[tuple[int, str]]:
    choice, others = plan.choice, plan.others
    questions, replies = len(choice.questions), len(choice.replies)
    talks, events = len(choice.followed) + len(choice.rest), len(others.places) + len(others.events)
    resources, newcomers = len(others.resources) + plan.more_resources, len(others.newcomers)
    outcomes = len(others.outcomes)
    return [
        (
            questions,
            ngettext(
                "%(count)s question you could answer", "%(count)s questions you could answer", questions
            ),
        ),
        (replies, ngettext("%(count)s reply to you", "%(count)s replies to you", replies)),
        (talks, ngettext("%(count)s conversation", "%(count)s conversations", talks)),
        (events, ngettext("%(count)s event", "%(count)s events", events)),
        (resources, ngettext("%(count)s new resource", "%(count)s new resources", resources)),
        (newcomers, ngettext("%(count)s newcomer", "%(count)s newcomers", newcomers)),
        (
            outcomes,
            ngettext("word of %(count)s thread of yours", "word of %(count)s threads of yours", outcomes),
        ),
    ]


def summary_of(plan: Plan) -> str:
    """“Two questions you could answer, one reply to you.” What is not there is not counted; three counts are a sentence."""
    parts = [phrase % {"count": words.in_words(count)} for count, phrase in _counted(plan) if count]
    return capfirst(gettext(", ").join(parts[:MOST_COUNTED]))


def waiting_for(names: list[str]) -> str:
    """The subject, where people wait for somebody like the reader."""
    if not names:
        return ""
    if len(names) == 1:
        return gettext("%(name)s is waiting for someone like you") % {"name": names[0]}
    if len(names) == 2:
        return gettext("%(one)s and %(other)s are waiting for someone like you") % {
            "one": names[0],
            "other": names[1],
        }
    return gettext("%(one)s, %(other)s and others are waiting for someone like you") % {
        "one": names[0],
        "other": names[1],
    }


def why_digest(profile) -> str:
    """“You asked for this letter on Tuesdays and Fridays.”"""
    if profile.digest == DAILY:
        return gettext("You asked for this letter every morning, when there is something new for you.")
    if profile.digest == MONTHLY:
        return gettext("You asked for this letter once a month, when there is something new for you.")
    days = sorted(profile.digest_days) if profile.digest == DAYS else [profile.digest_weekday]
    names = [str(words.WEEKDAYS[day]) for day in days]
    listed = names[0]
    if len(names) > 1:
        listed = gettext("%(some)s and %(last)s") % {
            "some": gettext(", ").join(names[:-1]),
            "last": names[-1],
        }
    return gettext("You asked for this letter on %(days)s, when there is something new for you.") % {
        "days": listed
    }
