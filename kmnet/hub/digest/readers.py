"""Those who read the letters of a slice, and all that decides what they are told."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db.models import IntegerField, Value
from django.utils.text import slugify
from taggit.models import Tag

from discussions.models import Following, Mention, Post, Readers, ReadState, Space, Thread
from discussions.models.reading import Owed
from kmnet.core.models import Activity, MailChoice, OutgoingMail, Term
from kmnet.core.models.mail import MailState
from kmnet.core.vocabulary import expand
from kmnet.hub.models import DigestRun
from members.models import Boundary, GroupMember, Member, Profile, SeenBy
from members.models.group import IN_IT
from members.permissions import is_full_member

LISTS = {"can_help": Tag, "looking_for": Tag, "interests": Term, "frameworks": Term}


@dataclass
class Reader:
    """One member and the window of their digest."""

    run: DigestRun
    pk: int  # of the member
    following: Following
    owed: Owed
    spaces: frozenset[int] = frozenset()  # readable
    unwanted: frozenset[int] = frozenset()  # whose words they do not want to see
    blockers: frozenset[int] = frozenset()  # who keep them away
    groups: frozenset[int] = frozenset()  # in which they are, and that are open
    groups_read: dict[int, bool] = field(default_factory=dict)  # in which they are, open or not
    helps: frozenset[str] = frozenset()  # slugs of what they can help with, in all spellings
    likes: frozenset[str] = frozenset()  # of all that they said about themselves
    mailed: set[int] = field(
        default_factory=set
    )  # posts that came, or are about to come, by a mail of their own
    mailed_threads: set[int] = field(default_factory=set)  # of which the first post did
    mentioned: set[int] = field(default_factory=set)  # posts that name them
    # Markers, by thread. Where there is one, it tells all; where not, `owed` does: the rule of ThreadQuerySet.unread_by.
    read: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()  # categories of which they want no mail
    for_others: bool = (
        False  # somebody else looks at it: nothing of groups, or of what they asked without their name
    )

    @property
    def member(self) -> Member:
        return self.run.member

    @property
    def minutes(self) -> int:
        return self.run.member.profile.digest_minutes

    def level_to(self, member_id: int, their_groups: Iterable[int]) -> SeenBy:
        """How much they see of that member: the same rule as members.visibility.level_to."""
        if member_id == self.pk:
            return SeenBy.ME
        if not is_full_member(self.member) or member_id in self.blockers:
            return SeenBy.PUBLIC
        return SeenBy.GROUPS if not self.groups.isdisjoint(their_groups) else SeenBy.MEMBERS


class Spellings:
    """The slugs of all that means the same as a word; each word is looked up once in a slice."""

    def __init__(self):
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def of(self, name: str, slug: str) -> frozenset[str]:
        found = self._known.get((name, slug))
        if found is None:
            words = {slugify(word) for word in (*expand(name), name)}
            found = self._known[name, slug] = frozenset(words | {slug})
        return found


def meet(runs: Iterable[DigestRun], thread_ids: list[int], *, for_others: bool = False) -> dict[int, Reader]:
    """The readers by the pk of their run, for threads that have news. Runs come with member and profile."""
    runs = list(runs)
    members = list({run.member_id: run.member for run in runs}.values())
    ids = [member.pk for member in members]
    followings = Following.of_many(members, thread_ids)
    reads = groups_read(ids)
    spaces = list(Space.objects.exclude(readable_by=Readers.PEOPLE))
    unwanted, blockers = boundaries(ids)
    helps, likes = _wishes(members)
    since = min((run.since for run in runs), default=None)
    (mailed, mailed_threads), mentioned = _mailed(ids, since), _mentions(ids, since)
    read, refused = _markers(ids, thread_ids), _refused(ids)
    found = {}
    for run in runs:
        pk, full = run.member_id, is_full_member(run.member)
        following, owed = followings[pk]
        mine = reads[pk] if full and not for_others else {}
        found[run.pk] = Reader(
            run,
            pk,
            following,
            owed,
            spaces=frozenset(space.pk for space in spaces if _may_read(space, full, mine)),
            unwanted=unwanted[pk],
            blockers=blockers[pk],
            groups=frozenset(group for group, is_open in reads[pk].items() if is_open),
            groups_read=reads[pk],
            helps=helps[pk],
            likes=likes[pk],
            mailed=mailed[pk],
            mailed_threads=mailed_threads[pk],
            mentioned=mentioned[pk],
            read=read[pk],
            refused=refused[pk],
            for_others=for_others,
        )
    return found


def _may_read(space: Space, full: bool, groups: dict[int, bool]) -> bool:
    """The same rule as Space.objects.visible_to."""
    if space.readable_by == Readers.GROUP:
        return space.group_id in groups
    return space.readable_by == Readers.PUBLIC or (full and space.readable_by == Readers.MEMBERS)


def groups_read(ids: list[int]) -> dict[int, dict[int, bool]]:
    """The groups that these members are in, each with whether it is open: groups_read_by and groups_of."""
    found = defaultdict(dict)
    rows = GroupMember.objects.filter(member__any_of=ids, standing__in=IN_IT)
    for member, group, closed_at in rows.values_list("member", "group", "group__closed_at"):
        found[member][group] = closed_at is None
    return found


def groups_of_others(ids: Iterable[int]) -> dict[int, set[int]]:
    """The open groups that each of these is in."""
    found = defaultdict(set)
    rows = GroupMember.objects.in_it().filter(member__any_of=list(ids))
    for member, group in rows.values_list("member", "group"):
        found[member].add(group)
    return found


def boundaries(ids: list[int]) -> tuple[dict, dict]:
    """Whom each of these keeps away, and who blocks them."""
    unwanted, blockers = defaultdict(set), defaultdict(set)
    for owner, other in Boundary.objects.filter(owner__any_of=ids).values_list("owner", "other"):
        unwanted[owner].add(other)
    for owner, other in Boundary.objects.blocks().filter(other__any_of=ids).values_list("owner", "other"):
        blockers[other].add(owner)
    return _frozen(unwanted), _frozen(blockers)


def _frozen(sets: dict[int, set]) -> dict[int, frozenset]:
    return defaultdict(frozenset, {pk: frozenset(found) for pk, found in sets.items()})


def _wishes(members: list[Member]) -> tuple[dict, dict]:
    """What each can help with, and all that they said they care for, as slugs."""
    of_profile = {member.profile.pk: member.pk for member in members}
    legs = [
        getattr(Profile, name)
        .through.objects.filter(profile__any_of=list(of_profile))
        .annotate(leg=Value(place, output_field=IntegerField()))
        .order_by()
        .values_list("profile", model._meta.model_name, "leg")
        for place, (name, model) in enumerate(LISTS.items())
    ]
    rows = list(legs[0].union(*legs[1:], all=True))
    kinds = list(LISTS.values())
    words = {
        model: {
            one.pk: (one.name, one.slug)
            for one in model.objects.filter(
                pk__any_of=list({pk for _p, pk, leg in rows if kinds[leg] is model})
            )
        }
        for model in (Tag, Term)
    }
    spellings, helps, likes = Spellings(), defaultdict(set), defaultdict(set)
    for profile, pk, leg in rows:
        slugs = spellings.of(*words[kinds[leg]][pk])
        likes[of_profile[profile]] |= slugs
        if leg == 0:
            helps[of_profile[profile]] |= slugs
    return _frozen(helps), _frozen(likes)


def _mailed(ids: list[int], since: datetime | None) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """Posts that went to each of them by a mail of their own, or are about to, and threads that did so as a whole, that is
    by their first post: the digest does not repeat them."""
    posts, threads = defaultdict(set), defaultdict(set)
    if since is None:
        return posts, threads
    rows = OutgoingMail.objects.filter(
        member__any_of=ids,
        kind__startswith="discussions.",
        state__in=(MailState.SENT, MailState.WAITING),
        created_at__gt=since,
        refs__has_key="activity",
    ).values_list("member", "refs__activity")
    rows = list(rows)
    types = ContentType.objects.get_for_models(Post, Thread)
    deeds = Activity.objects.filter(
        pk__any_of=list({deed for _member, deed in rows}), target_type__in=types.values()
    )
    about = {pk: (kind, target) for pk, kind, target in deeds.values_list("pk", "target_type", "target_id")}
    for member, deed in rows:
        if deed in about:
            kind, target = about[deed]
            posts[member].add(target) if kind == types[Post].pk else threads[member].add(target)
    return posts, threads


def _mentions(ids: list[int], since: datetime | None) -> dict[int, set[int]]:
    found = defaultdict(set)
    rows = Mention.objects.filter(member__any_of=ids, at__gt=since) if since else ()
    for member, post in rows and rows.values_list("member", "post"):
        found[member].add(post)
    return found


def _refused(ids: list[int]) -> dict[int, frozenset[str]]:
    found = defaultdict(set)
    rows = MailChoice.objects.filter(member__any_of=ids, how=MailChoice.How.NEVER)
    for member, category in rows.values_list("member", "category"):
        found[member].add(category)
    return _frozen(found)


def _markers(ids: list[int], thread_ids: list[int]) -> dict[int, dict[int, list]]:
    found = defaultdict(dict)
    rows = ReadState.objects.filter(member__any_of=ids, thread__any_of=thread_ids)
    for member, thread, numbers in rows.values_list("member", "thread", "numbers"):
        found[member][thread] = numbers
    return found
