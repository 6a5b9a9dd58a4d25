"""What a newcomer could do next: answer a question, meet a person, come to an event; and their introduction, begun."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from taggit.models import Tag

from discussions.models import Kind, Readers, Space, Thread
from discussions.permissions import can_start_thread
from events.models import Event
from kmnet.core.vocabulary import expand
from members.models import Member, Profile, SeenBy, blockers_of, unread_by
from members.visibility import Shown, seen

from . import home

PEOPLE_LOOKED_AT = 5


@dataclass
class Meeting:
    """Somebody to meet, and why: they could help, could be helped, or are new too."""

    shown: Shown
    why: str = ""
    topics: tuple[str, ...] = ()

    @property
    def member(self) -> Member:
        return self.shown.member


@dataclass
class NextSteps:
    question: Thread | None = None
    meeting: Meeting | None = None
    event: Event | None = None


def next_steps(member: Member) -> NextSteps:
    """Three at most, as the profile suggests; each may be missing in a young community."""
    now = timezone.now()
    _tags, slugs = home.tags_of(member)
    return NextSteps(
        question=home.open_questions(member, slugs, now).exclude(author__in=unread_by(member)).first(),
        meeting=somebody_to_meet(member),
        event=coming_event(member, now),
    )


def coming_event(member: Member, now) -> Event | None:
    return (
        Event.objects.visible_to(member)
        .upcoming(now)
        .filter(cancelled_at__isnull=True, rehearsal_of__isnull=True, starts_at__gt=now)
        .first()
    )


def spellings(tags) -> set[str]:
    """The slugs of these tags and of all their synonyms."""
    return {slugify(word) for tag in tags for word in (*expand(tag.name), tag.name)} | {
        tag.slug for tag in tags
    }


def somebody_to_meet(member: Member) -> Meeting | None:
    """Whoever could help with what they look for; else whom they could help; else another newcomer."""
    others = (
        Member.objects.listed_for(member)
        .exclude(pk=member.pk)
        .exclude(pk__in=blockers_of(member))
        .exclude(pk__in=unread_by(member))
    )
    for why, mine, theirs in (("helps", "looking_for", "can_help"), ("seeks", "can_help", "looking_for")):
        tags = list(Tag.objects.filter(**{f"{_reverse(mine)}__member": member}))
        if tags and (found := _match(others, member, theirs, spellings(tags))):
            return Meeting(Shown.to(member, found.profile), why, topics_of(found, theirs, spellings(tags)))
    newest = others.with_card(member).filter(onboarded_at__isnull=False).order_by("-joined_at", "-pk").first()
    return Meeting(Shown.to(member, newest.profile)) if newest else None


def _reverse(part: str) -> str:
    return {"can_help": "helpers", "looking_for": "seekers"}[part]


def _match(others: QuerySet, viewer: Member, part: str, slugs: set[str]) -> Member | None:
    """Only by what the viewer may see of them."""
    tagged = getattr(Profile, part).through.objects.filter(
        profile=OuterRef("profile__pk"), tag__slug__in=slugs
    )
    return (
        others.with_card(viewer)
        .filter(seen(viewer, part, "profile__"), Exists(tagged))
        .order_by("-last_seen_on", "name_key", "pk")
        .first()
    )


def topics_of(found: Member, part: str, slugs: set[str]) -> tuple[str, ...]:
    return tuple(tag.name for tag in getattr(found.profile, part).all() if tag.slug in slugs)[:3]


# --- the introduction ------------------------------------------------------------------------------------------------
def introductions_space(member: Member) -> Space | None:
    """Where this member may introduce themselves."""
    spaces = Space.objects.visible_to(member).filter(first_kind=Kind.INTRODUCTION)
    return next((space for space in spaces if can_start_thread(member, space)), None)


def introduction_of(member: Member) -> Thread | None:
    return (
        Thread.objects.visible_to(member)
        .filter(author=member, kind=Kind.INTRODUCTION)
        .select_related("space")
        .order_by("pk")
        .first()
    )


def draft_introduction(member: Member, space: Space) -> dict[str, str]:
    """A beginning out of what the readers of that space may see of the profile; nothing that is kept for fewer."""
    level = SeenBy.PUBLIC if space.readable_by == Readers.PUBLIC else SeenBy.MEMBERS
    shown = Shown(member.profile, level)
    lines = [_("Hello everybody, I have just joined.")]
    if shown.headline:
        lines.append(shown.headline)
    if shown.line:
        lines.append(_("I work as: %(line)s.") % {"line": shown.line.rstrip(".")})
    if shown.works_alone:
        lines.append(_("I am the only one here who does this."))
    offers = ", ".join(tag.name for tag in shown.can_help)
    if offers or shown.can_help_text:
        lines.append(_("I could help with: %(what)s") % {"what": _joined(offers, shown.can_help_text)})
    wishes = ", ".join(tag.name for tag in shown.looking_for)
    if wishes or shown.looking_for_text:
        lines.append(
            _("I would like help with: %(what)s") % {"what": _joined(wishes, shown.looking_for_text)}
        )
    name, place = member.get_short_name(), shown.place
    title = (
        _("Hello from %(name)s, %(place)s") % {"name": name, "place": place}
        if place
        else _("Hello, I am %(name)s") % {"name": name}
    )
    return {"title": title[:160], "body": "\n\n".join(lines)}


def _joined(words: str, sentence: str) -> str:
    return ". ".join(filter(None, (words, sentence)))
