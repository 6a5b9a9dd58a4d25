"""What a letter tells beside conversations: own places and coming events, what became of what somebody asked, new
resources, newcomers. Who may see which event and which resource the apps’ own querysets say, for a whole slice in one
statement (kmnet.core.fixed.each)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F
from taggit.models import Tag

from discussions.models import Kind, Thread
from events.models import Event, Registration
from kmnet.core.fixed import fixed
from kmnet.hub import home
from members.models import Member
from members.permissions import can_greet, is_full_member
from members.readers import kind_of, stand_in
from members.visibility import Shown, can_see_at
from resources.models import Resource

from .readers import Reader, Spellings, groups_of_others

PLACES, EVENTS, RESOURCES, NEWCOMERS, OUTCOMES = 3, 3, 5, 5, 3
NEWCOMERS_FOR_ALL = 3  # for whoever is no host, of those with whom they have something in common
CONSIDERED = 30
ASKED_WITHIN = timedelta(days=180)


@dataclass
class Found:
    """A resource, and the word for which it is shown to this reader; `asked`: they asked about it."""

    resource: Resource
    because: str = ""
    asked: bool = False


@dataclass
class Outcome:
    """What became of a thread that the reader began."""

    thread: Thread
    accepted: bool


@dataclass
class Others:
    """All of it for one reader, the best first."""

    places: list[Registration] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    resources: list[Found] = field(default_factory=list)
    newcomers: list[tuple[Member, Shown]] = field(default_factory=list)


@fixed
def places_ahead(kind, *, reader, address, now, after, until):
    """The member’s own registrations for what begins between the two moments."""
    return (
        home.places_of(stand_in(kind, reader, address), now)
        .filter(event__starts_at__gt=after, event__starts_at__lte=until)
        .select_related(None)
        .values_list("pk")[:PLACES]
    )


@fixed
def events_announced(kind, *, reader, address, since, until, now):
    return (
        Event.objects.for_digest(stand_in(kind, reader, address), since, until)
        .filter(starts_at__gt=now)
        .values_list("pk")[: EVENTS + PLACES]
    )


@fixed
def resources_added(kind, *, reader, since, until):
    return Resource.objects.for_digest(stand_in(kind, reader), since, until).values_list("pk")[:CONSIDERED]


def gather(readers: Iterable[Reader], now: datetime) -> dict[int, Others]:
    """By the pk of the run. The same number of statements for any number of readers of one kind."""
    readers = list(readers)
    found = {reader.run.pk: Others() for reader in readers}
    by_kind = defaultdict(list)
    for reader in readers:
        by_kind[kind_of(reader.member)].append(reader)
    places, events, resources = defaultdict(list), defaultdict(list), defaultdict(list)
    for kind, some in by_kind.items():
        of = {
            "reader": [reader.pk for reader in some],
            "address": [reader.member.email for reader in some],
            "since": [reader.run.since for reader in some],
            "until": [reader.run.until for reader in some],
            "now": [now] * len(some),
            "after": [max(now, reader.run.ahead_from) for reader in some],
            "ahead": [reader.run.ahead_until for reader in some],
        }
        who = [of["reader"], of["address"]]
        window = {"since": of["since"], "until": of["until"]}
        for sink, rows in (
            (
                places,
                places_ahead.each(
                    kind, reader=who[0], address=who[1], now=of["now"], after=of["after"], until=of["ahead"]
                ),
            ),
            (events, events_announced.each(kind, reader=who[0], address=who[1], **window, now=of["now"])),
            (resources, resources_added.each(kind, reader=who[0], **window)),
        ):
            for place, pk in rows:
                sink[some[place].run.pk].append(pk)
    _events(found, places, events)
    asked = _outcomes(readers, found)
    _resources({reader.run.pk: reader for reader in readers}, found, resources, asked)
    _newcomers(readers, found, now)
    return found


def _all(lists: dict[int, list[int]]) -> list[int]:
    return list({pk for some in lists.values() for pk in some})


def _events(found: dict[int, Others], places: dict, events: dict) -> None:
    rows = Registration.objects.filter(pk__any_of=_all(places)).select_related("event")
    own = {one.pk: one for one in rows} if places else {}
    known = {one.pk: one for one in Event.objects.filter(pk__any_of=_all(events))} if events else {}
    for run, others in found.items():
        others.places = sorted(
            (own[pk] for pk in places.get(run, ()) if pk in own),
            key=lambda one: (one.event.starts_at, one.event_id),
        )
        taken = {one.event_id for one in others.places}
        coming = (known[pk] for pk in events.get(run, ()) if pk in known and pk not in taken)
        others.events = sorted(coming, key=lambda one: (one.starts_at, one.pk))[:EVENTS]


def _outcomes(readers: list[Reader], found: dict[int, Others]) -> dict[int, dict[str, str]]:
    """An answer that somebody else chose, an end that somebody else put. Gives of each run what its reader asked about
    lately: names of tags by their slugs."""
    if not readers:
        return {}
    since = min(reader.run.since for reader in readers)
    early = min(since, readers[0].run.until - ASKED_WITHIN)
    shown = Thread.objects.shown().filter(merged_into__isnull=True, last_post_at__gt=early)
    shown = shown.exclude(kind=Kind.CONVERSATION).select_related("space").annotate(behind=F("mask__member"))
    own: dict[int, list[Thread]] = defaultdict(list)
    masks = [pk for reader in readers for pk in reader.following.masks]
    rows = list(shown.filter(author__any_of=[reader.pk for reader in readers], mask__isnull=True))
    rows += list(shown.filter(mask__any_of=masks)) if masks else []
    for thread in rows:
        own[thread.behind or thread.author_id].append(thread)
    tags = {pk for threads in own.values() for thread in threads for pk in thread.tag_ids}
    names = {tag.pk: tag for tag in Tag.objects.filter(pk__any_of=list(tags))} if tags else {}
    asked = {}
    for reader in readers:
        run, mine = reader.run, own.get(reader.pk, ())
        if reader.for_others:
            mine = [thread for thread in mine if not thread.mask_id]
        asked[run.pk] = {
            names[pk].slug: names[pk].name
            for thread in mine
            if thread.is_question and thread.created_at > run.until - ASKED_WITHIN
            for pk in thread.tag_ids
            if pk in names
        }
        found[run.pk].outcomes = [
            outcome
            for thread in sorted(mine, key=lambda one: one.pk)
            if thread.space_id in reader.spaces and (outcome := what_became_of(thread, reader))
        ]
    return asked


def what_became_of(thread: Thread, reader: Reader) -> Outcome | None:
    run = reader.run
    if thread.accepted_at and run.since < thread.accepted_at <= run.until:
        return Outcome(thread, True) if thread.accepted_by_id != reader.pk else None
    if thread.closed_at and run.since < thread.closed_at <= run.until and thread.accepted_at is None:
        return Outcome(thread, False)
    return None


def _resources(readers: dict[int, Reader], found: dict[int, Others], lists: dict, asked: dict) -> None:
    """Those about what the reader asked first, then those about what they care for, then the others, newest first."""
    if not lists:
        return
    rows = Resource.objects.filter(pk__any_of=_all(lists)).defer(
        "csl", "search", "description", "description_html"
    )
    known = {one.pk: one for one in rows.prefetch_related("terms", "tags")}
    spellings = Spellings()
    words = {
        pk: {
            slug: word.name
            for word in (*one.terms.all(), *one.tags.all())
            for slug in spellings.of(word.name, word.slug)
        }
        for pk, one in known.items()
    }
    for run, pks in lists.items():
        if "new_resources" in readers[run].refused:
            continue
        ranked = []
        for place, pk in enumerate(pk for pk in pks if pk in known):
            about = words[pk]
            asks = sorted(asked.get(run, {}).keys() & about.keys())
            likes = sorted(readers[run].likes & about.keys())
            because = asked[run][asks[0]] if asks else about[likes[0]] if likes else ""
            ranked.append(((-len(asks), -len(likes), place), Found(known[pk], because, bool(asks))))
        found[run].resources = [one for _rank, one in sorted(ranked, key=lambda pair: pair[0])]


def _newcomers(readers: list[Reader], found: dict[int, Others], now: datetime) -> None:
    """For hosts whoever nobody has greeted yet; for all others those with whom they have something in common."""
    if not readers:
        return
    since = min(reader.run.since for reader in readers)
    arrived = list(
        Member.objects.full()
        .filter(profile__is_listed=True, joined_at__gt=now - home.ARRIVED_WITHIN, onboarded_at__gt=since)
        .filter(greeting__isnull=True)
        .select_related("profile")
        .prefetch_related(
            "profile__interests", "profile__frameworks", "profile__can_help", "profile__looking_for"
        )
        .order_by("-joined_at", "-pk")[:200]
    )
    if not arrived:
        return
    groups, spellings = groups_of_others(member.pk for member in arrived), Spellings()
    words = {
        member.pk: {
            part: {
                slug
                for word in getattr(member.profile, part).all()
                for slug in spellings.of(word.name, word.slug)
            }
            for part in ("interests", "frameworks", "can_help", "looking_for")
        }
        for member in arrived
    }
    for reader in readers:
        if not is_full_member(reader.member) or "newcomers" in reader.refused:
            continue
        run, greets = reader.run, can_greet(reader.member)
        for member in arrived:
            if member.pk == reader.pk or member.pk in reader.unwanted:
                continue
            if not run.since < member.onboarded_at <= run.until:
                continue
            level = reader.level_to(member.pk, groups[member.pk])
            if not greets and not any(
                can_see_at(level, member.profile, part) and not reader.likes.isdisjoint(slugs)
                for part, slugs in words[member.pk].items()
            ):
                continue
            found[run.pk].newcomers.append((member, Shown(member.profile, level)))
            if len(found[run.pk].newcomers) == (NEWCOMERS if greets else NEWCOMERS_FOR_ALL):
                break
