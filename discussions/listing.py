"""A list of threads as its address asks for it: ?tag=…&stage=…&kind=question&person=ada&show=unanswered&sort=newest&after=…

All filters hold together; within a facet any of its chosen terms will do. A thread has the terms that its tags mean, by
the vocabulary as it is now: an admin's new synonym counts at once. A tag or a person that shows nowhere this reader may
look is as unknown as one that never was, and an unknown value is as if it were not there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.postgres.fields import ArrayField
from django.core.cache import cache
from django.db import connection, models
from django.db.models import Exists, Func, OuterRef, QuerySet
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from taggit.models import Tag

from kmnet.core.fixed import fixed, planned_anew
from kmnet.core.keyset import Page, first_page, paginate
from kmnet.core.text import clean_line
from kmnet.core.vocabulary import expand, terms_for
from members.models import Member, Status
from members.permissions import can_moderate, is_full_member
from members.readers import kind_of, stand_in
from members.services.nobody import NOBODY

from .models import Following, Kind, Owed, Space, Thread
from .pages import members_with

COUNTED = 100  # a tab says “99+” rather than count everything
MOST_TAGS = 5
SIZE = 20
FACETS = ("stage", "framework", "method", "challenge")
FACETS_CACHED = "discussions-facets"
ORDERS = {
    "latest": ["-last_post_at", "-pk"],
    "newest": ["-pk"],
    "waiting": ["pk"],
}
SORTS = {
    "latest": gettext_lazy("Latest activity"),
    "newest": gettext_lazy("Newest first"),
    "waiting": gettext_lazy("Oldest first"),
}
KINDS = {
    Kind.QUESTION: gettext_lazy("Questions"),
    Kind.DISCUSSION: gettext_lazy("Discussions"),
    Kind.INTRODUCTION: gettext_lazy("Introductions"),
    Kind.ANNOUNCEMENT: gettext_lazy("Announcements"),
    Kind.POLL: gettext_lazy("Polls"),
}


@dataclass(frozen=True)
class Facet:
    key: str
    label: str
    terms: dict[str, str]  # name by slug


def facets() -> list[Facet]:
    """Those of the vocabulary that threads have, kept for five minutes."""
    found = cache.get(FACETS_CACHED)
    if found is None:
        by_key: dict[str, Facet] = {}
        for term in terms_for("thread"):
            facet = by_key.setdefault(term.facet.key, Facet(term.facet.key, term.facet.label, {}))
            facet.terms[term.slug] = term.name
        found = [by_key[key] for key in FACETS if key in by_key]
        cache.set(FACETS_CACHED, found, 300)
    return found


def count_each(*lists: QuerySet) -> list[int]:
    """How many rows each has, counted up to COUNTED along its own order; one query for all."""
    parts, params = [], []
    for number, rows in enumerate(lists):
        sql, own = rows.values("pk")[:COUNTED].query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS list{number})")
        params.extend(own)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        return list(cursor.fetchone())


def said(count: int) -> str | int:
    return f"{COUNTED - 1}+" if count >= COUNTED else count


@fixed
def _spaces_of(kind, *, reader):
    return Space.objects.visible_to(stand_in(kind, reader))


PLAIN = {
    "all": lambda threads, reader: threads,
    "unanswered": lambda threads, reader: threads.unanswered(),
    "unread": lambda threads, reader: threads.unread_by(reader),
}


def _plain(show: str, reader, space, spaces) -> QuerySet[Thread]:
    threads = Thread.objects.filter(space__any_of=spaces) if spaces else Thread.objects.filter(space=space)
    return PLAIN[show](threads.seen_of(reader), reader).order_by(*ORDERS["latest"])


def _reader(kind, pk: int, since):
    reader = stand_in(kind, pk)
    reader.__dict__["_owed"] = Owed(since, {})
    return reader


@planned_anew
def _rows(kind, show, *, reader, since, space=None, spaces=None):
    reader = _reader(kind, reader, since)
    return _plain(show, reader, space, spaces).with_row(reader)[: SIZE + 1]


@fixed
def _some_waiting(kind, *, reader, space=None, spaces=None):
    return _plain("unanswered", stand_in(kind, reader), space, spaces).values("pk")[:COUNTED]


@planned_anew
def _some_unread(kind, *, reader, since, space=None, spaces=None):
    return _plain("unread", _reader(kind, reader, since), space, spaces).values("pk")[:COUNTED]


class Listing:
    """One look at the threads; `params` is request.GET."""

    def __init__(self, params, viewer, *, space: Space | None = None, path: str = ""):
        self.params, self.viewer, self.space, self.path = params, viewer, space, path

    # --- what is asked -----------------------------------------------------------------------------------------------
    @cached_property
    def spaces(self) -> list[Space]:
        if is_full_member(self.viewer):
            return _spaces_of(kind_of(self.viewer), reader=self.viewer.pk)
        return list(Space.objects.visible_to(self.viewer))

    @cached_property
    def seen(self) -> QuerySet[Thread]:
        """All that this reader may see, here."""
        ids = [self.space.pk] if self.space else [space.pk for space in self.spaces]
        return Thread.objects.in_spaces(ids, self.viewer)

    @cached_property
    def terms(self) -> dict[str, dict[str, str]]:
        """Chosen terms: name by slug, by facet."""
        found = {}
        for facet in facets():
            slugs = [slug for slug in dict.fromkeys(self.params.getlist(facet.key)) if slug in facet.terms]
            if slugs:
                found[facet.key] = {slug: facet.terms[slug] for slug in slugs}
        return found

    @cached_property
    def _tags(self) -> dict[str, list[Tag]]:
        """Tags by their folded name, as far as this reader sees them in use: those asked for, and those of the terms."""
        names = [clean_line(name[:100]).lower() for name in self.params.getlist("tag")[:MOST_TAGS]]
        words = {w.lower() for terms in self.terms.values() for name in terms.values() for w in expand(name)}
        sought = {name for name in (*names, *words) if name}
        if not sought:
            return {}
        everywhere = Thread.objects.in_spaces([space.pk for space in self.spaces], self.viewer)
        own = Func(
            OuterRef("pk"),
            template="ARRAY[%(expressions)s]",
            output_field=ArrayField(models.IntegerField()),
        )
        found: dict[str, list[Tag]] = {}
        rows = Tag.objects.annotate(lowered=Lower("name")).filter(lowered__in=sought)
        for tag in rows.filter(Exists(everywhere.filter(tag_ids__contains=own))).order_by("pk"):
            found.setdefault(tag.lowered, []).append(tag)
        return found

    @cached_property
    def tags(self) -> list[Tag]:
        found = {}
        for name in self.params.getlist("tag")[:MOST_TAGS]:
            for tag in self._tags.get(clean_line(name[:100]).lower(), ())[:1]:
                found[tag.pk] = tag
        return list(found.values())

    @cached_property
    def person(self) -> Member | None:
        """Who began the threads, if any of theirs shows to this reader."""
        handle = clean_line(self.params.get("person", "")[:40])
        if not handle:
            return None
        everywhere = Thread.objects.in_spaces([space.pk for space in self.spaces], self.viewer).shown()
        found = Member.objects.filter(handle=handle, status__in=(Status.ACTIVE, Status.SILENCED))
        return found.filter(Exists(everywhere.filter(author=OuterRef("pk")))).first()

    @cached_property
    def kind(self) -> str:
        stated = self.params.get("kind", "")
        return stated if stated in KINDS else ""

    @cached_property
    def show(self) -> str:
        stated = self.params.get("show", "all")
        return stated if stated in self.shows else "all"

    @cached_property
    def sort(self) -> str:
        stated = self.params.get("sort", "latest")
        return stated if stated in ORDERS else "latest"

    @property
    def is_narrowed(self) -> bool:
        return bool(self.tags or self.terms or self.person or self.kind)

    @cached_property
    def is_plain(self) -> bool:
        """What most members ask for most of the time, so that its SQL is made once: the beginning of a list without
        filters. Moderators see more, and who has caught up with single spaces has a line of their own for each."""
        if not self.viewer.is_authenticated or can_moderate(self.viewer) or self.is_narrowed:
            return False
        owed = Owed.to(self.viewer)
        return (
            self.sort == "latest"
            and self.show in PLAIN
            and not (self.params.get("after") or self.params.get("before"))
            and not (owed.in_space or owed.reopened)
        )

    @property
    def _since(self):
        return Owed.to(self.viewer).since

    @property
    def _whose(self) -> dict:
        if self.space:
            return {"reader": self.viewer.pk, "space": self.space.pk}
        return {"reader": self.viewer.pk, "spaces": [space.pk for space in self.spaces]}

    # --- what is found -----------------------------------------------------------------------------------------------
    @cached_property
    def narrowed(self) -> QuerySet[Thread]:
        """All filters but the tab’s."""
        found = self.seen
        if self.tags:
            found = found.filter(tag_ids__contains=[tag.pk for tag in self.tags])
        for terms in self.terms.values():
            words = {word.lower() for name in terms.values() for word in expand(name)}
            found = found.filter(
                tag_ids__overlap=[tag.pk for word in sorted(words) for tag in self._tags.get(word, ())]
            )
        if self.kind:
            found = found.filter(kind=self.kind)
        if self.person:
            found = found.filter(author=self.person)
        return found

    @cached_property
    def shows(self) -> dict:
        """What each tab shows."""
        shows = {
            "all": lambda: self.narrowed,
            "unanswered": lambda: self.narrowed.unanswered(),
            "open": lambda: self.narrowed.unsettled(),
        }
        if self.viewer.is_authenticated:
            shows |= {
                "unread": self._unread,
                "watching": lambda: self.narrowed.watched_by(self.viewer),
                "mine": lambda: self.narrowed.filter(Following.of(self.viewer).began()),
            }
        return shows

    def _unread(self) -> QuerySet[Thread]:
        ids = [self.space.pk] if self.space else [space.pk for space in self.spaces]
        return self.narrowed.unread_by(self.viewer, ids)

    @cached_property
    def pinned(self) -> list[Thread]:
        """On top of their space, where it is shown whole and from the beginning."""
        if not self.space or self.show != "all" or self.sort != "latest" or self.is_narrowed:
            return []
        return list(self.seen.pinned().with_row(self.viewer)[:5])

    @cached_property
    def page(self) -> Page:
        if self.is_plain and not self.pinned:
            rows = _rows(kind_of(self.viewer), self.show, since=self._since, **self._whose)
            page = first_page(rows, self.params, order=ORDERS["latest"], size=SIZE)
        else:
            rows = self.shows[self.show]()
            if self.pinned:
                rows = rows.exclude(pk__in=[thread.pk for thread in self.pinned])
            page = paginate(rows.with_row(self.viewer), self.params, order=ORDERS[self.sort], size=SIZE)
        if not page.previous_query:
            page.items = [*self.pinned, *page.items]
        complete(page.items, self.spaces)
        return page

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many wait for an answer, and are unread; up to COUNTED."""
        if self.is_plain:
            kind, whose = kind_of(self.viewer), self._whose
            return {
                "unanswered": _some_waiting.count(kind, **whose),
                "unread": _some_unread.count(kind, since=self._since, **whose),
            }
        latest = ORDERS["latest"]
        lists = {"unanswered": self.narrowed.unanswered().order_by(*latest)}
        if self.viewer.is_authenticated:
            lists["unread"] = self._unread().order_by(*latest)
        return dict(zip(lists, count_each(*lists.values()), strict=True))

    # --- the ways on -------------------------------------------------------------------------------------------------
    def address(self, **changes) -> str:
        """This page with some of its filters changed, from the first page on."""
        query = self.params.copy()
        for name in ("after", "before"):
            query.pop(name, None)
        for name, value in changes.items():
            if value:
                query.setlist(name, value if isinstance(value, list) else [value])
            else:
                query.pop(name, None)
        return f"?{query.urlencode()}" if query else self.path

    @property
    def tabs(self) -> list[dict]:
        labels = {"all": _("All"), "unanswered": _("Unanswered")}
        if self.viewer.is_authenticated:
            labels |= {"unread": _("Unread"), "watching": _("Watching"), "mine": _("Yours")}
        current = "unanswered" if self.show == "open" else self.show
        return [
            {
                "href": self.address(show=None if key == "all" else key),
                "label": label,
                "current": key == current,
                "count": said(self.counts[key]) if self.counts.get(key) else None,
            }
            for key, label in labels.items()
        ]

    @property
    def meanings(self) -> list[dict]:
        """The two meanings of “unanswered”, where that is shown."""
        if self.show not in ("unanswered", "open"):
            return []
        labels = {
            "unanswered": _("Waiting for a first answer, or still open"),
            "open": _("No chosen answer yet"),
        }
        return [
            {"href": self.address(show=key), "label": label, "current": key == self.show}
            for key, label in labels.items()
        ]

    @property
    def sorts(self) -> list[dict]:
        return [
            {
                "href": self.address(sort=None if key == "latest" else key),
                "label": label,
                "current": key == self.sort,
            }
            for key, label in SORTS.items()
        ]

    @property
    def chosen(self) -> list[dict]:
        """The filters in use, each with the address without it."""
        found = []
        if self.space:
            rest = self.address()
            found.append(
                {
                    "label": self.space.name,
                    "href": reverse("discussions:index") + (rest if rest.startswith("?") else ""),
                }
            )
        for tag in self.tags:
            left = [other.name for other in self.tags if other.pk != tag.pk]
            found.append({"label": tag.name, "href": self.address(tag=left)})
        for key, terms in self.terms.items():
            for slug, name in terms.items():
                found.append({"label": name, "href": self.address(**{key: [s for s in terms if s != slug]})})
        if self.kind:
            found.append({"label": KINDS[self.kind], "href": self.address(kind=None)})
        if self.person:
            label = _("started by %(name)s") % {"name": self.person.name}
            found.append({"label": label, "href": self.address(person=None)})
        return found

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form of the facets carries along besides its own boxes."""
        left_out = {*FACETS, "kind", "after", "before"}
        return [
            (key, value) for key, values in self.params.lists() for value in values if key not in left_out
        ]

    @property
    def facet_boxes(self) -> list[dict]:
        boxes = [
            {
                "key": facet.key,
                "label": facet.label,
                "options": facet.terms,
                "chosen": self.terms.get(facet.key, {}),
            }
            for facet in facets()
        ]
        kinds = {"key": "kind", "label": _("Kind"), "options": KINDS, "chosen": {self.kind} - {""}}
        return [kinds, *boxes]


@fixed
def _names_of(*, tags):
    return Tag.objects.filter(pk__any_of=tags).values_list("pk", "name")


def tag_names(ids: list[int]) -> list[str]:
    """In the order of the ids."""
    names = dict(_names_of(tags=sorted(ids))) if ids else {}
    return [names[pk] for pk in ids if pk in names]


def complete(threads: Iterable[Thread], spaces: Iterable[Space] = ()) -> None:
    """All that a row shows besides the thread’s own columns: its space, its author, who took part lately, its tags. Two
    queries for the whole list."""
    threads = list(threads)
    here = {space.pk: space for space in spaces}
    members = {pk for thread in threads for pk in (thread.author_id, *thread.people[:4])}
    members = {member.pk: member for member in members_with(ids=sorted(members))} if members else {}
    tags = {pk for thread in threads for pk in thread.tag_ids}
    tags = dict(_names_of(tags=sorted(tags))) if tags else {}
    for thread in threads:
        if thread.space_id in here:
            thread.space = here[thread.space_id]
        thread.author = members[thread.author_id]
        others = [members[pk] for pk in thread.people if pk in members]
        thread.latest_author = others[0] if others and thread.reply_count else None
        if thread.latest_author and thread.latest_author.pk == thread.author_id:
            thread.latest_author = thread.author  # who may have another name here
        named = [person for person in others if person.pk != thread.author_id and person.handle != NOBODY]
        thread.latest_people = named[:3]
        thread.tag_names = [tags[pk] for pk in thread.tag_ids if pk in tags]


def tag_in_use(viewer, pk: int) -> Tag | None:
    """The tag, if a thread that this person may see has it."""
    tag = Tag.objects.filter(
        pk=pk
    ).first()  # first: no list of ids may hold a number as large as an address can
    seen = tag and Thread.objects.visible_to(viewer).filter(tag_ids__contains=[pk]).exists()
    return tag if seen else None
