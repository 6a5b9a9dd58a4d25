"""Pages of a thread: a stretch of posts in branch order, found by index from any post, and how they nest on the page."""

from dataclasses import dataclass, field

from django.db.models import Q, Subquery

from kmnet.core.fixed import fixed
from members.models import Member

from .models import Post, Thread

SIZE = 20
BEFORE = 3  # posts shown above the one that a link leads to
DEEPEST = 3  # levels of indentation; replies further down say whom they answer


@dataclass
class PostPage:
    """Posts in branch order, and the numbers from which the neighbouring pages start."""

    posts: list[Post] = field(default_factory=list)
    next_after: int | None = None
    previous_before: int | None = None

    @property
    def is_first(self) -> bool:
        return self.previous_before is None

    @property
    def is_last(self) -> bool:
        return self.next_after is None


@dataclass
class Item:
    """One post as it stands on the page. `closes` holds one entry per level that ends after it."""

    post: Post
    level: int = 0
    opens: bool = False
    closes: range = range(0)
    says_to_whom: bool = False
    shown: bool = True
    is_new: bool = False
    starts_news: bool = False


class Branches:
    """Each post before its replies: one range of the index on paths."""

    query = ""
    order = ("path",)

    @staticmethod
    def _path(thread: int, number: int) -> Subquery:
        return Subquery(Post.objects.filter(thread=thread, number=number).values("path")[:1])

    @classmethod
    def after(cls, thread: int, number: int, *, inclusive: bool = False) -> Q:
        return Q(**{"path__gte" if inclusive else "path__gt": cls._path(thread, number)})

    @classmethod
    def before(cls, thread: int, number: int) -> Q:
        return Q(path__lt=cls._path(thread, number))


class Time:
    """As they were published; what came from another thread stands where it was written."""

    query = "order=time&"
    order = ("published_at", "number")

    @staticmethod
    def _moment(thread: int, number: int):
        return Subquery(Post.objects.filter(thread=thread, number=number).values("published_at")[:1])

    @classmethod
    def after(cls, thread: int, number: int, *, inclusive: bool = False) -> Q:
        at, step = cls._moment(thread, number), "number__gte" if inclusive else "number__gt"
        return Q(published_at__gte=at) & (Q(published_at__gt=at) | Q(**{step: number}))

    @classmethod
    def before(cls, thread: int, number: int) -> Q:
        at = cls._moment(thread, number)
        return Q(published_at__lte=at) & (Q(published_at__lt=at) | Q(number__lt=number))


Way = type[Branches] | type[Time]


def _turned(way: Way) -> list[str]:
    return [f"-{name}" for name in way.order]


def _posts(thread: int):
    return Post.objects.filter(thread=thread).on_pages().defer("source", "search", "heading")


@fixed
def _from_an_end(way: Way, backwards: bool, *, thread):
    return _posts(thread).order_by(*(_turned(way) if backwards else way.order))[: SIZE + 1]


@fixed
def _behind(way: Way, inclusive: bool, *, thread, number):
    found = _posts(thread).filter(way.after(thread, number, inclusive=inclusive))
    return found.order_by(*way.order)[: SIZE + 1]


@fixed
def _before(way: Way, *, thread, number):
    return _posts(thread).filter(way.before(thread, number)).order_by(*_turned(way))[: SIZE + 1]


@fixed
def _numbers_before(way: Way, *, thread, number):
    found = Post.objects.filter(thread=thread).on_pages().filter(way.before(thread, number))
    return found.order_by(*_turned(way)).values_list("number", flat=True)[:SIZE]


def _forwards(found: list[Post], *, is_first: bool) -> PostPage:
    page = PostPage(posts=found[:SIZE])
    if len(found) > SIZE:
        page.next_after = page.posts[-1].number
    if page.posts and not is_first:
        page.previous_before = page.posts[0].number
    return page


def _backwards(thread: Thread, found: list[Post], way: Way) -> PostPage:
    """The last page of these posts; near the beginning, the first page whole."""
    if len(found) <= SIZE:
        return first_page(thread, way)
    shown = found[:SIZE][::-1]
    return PostPage(posts=shown, previous_before=shown[0].number)


def first_page(thread: Thread, way: Way = Branches) -> PostPage:
    return _forwards(_from_an_end(way, False, thread=thread.pk), is_first=True)


def page_after(thread: Thread, number: int, way: Way = Branches) -> PostPage:
    return _forwards(_behind(way, False, thread=thread.pk, number=number), is_first=False)


def page_before(thread: Thread, number: int, way: Way = Branches) -> PostPage:
    """The page that ends just above this post."""
    page = _backwards(thread, _before(way, thread=thread.pk, number=number), way)
    if not page.is_first:
        page.next_after = page.posts[-1].number
    return page


def last_page(thread: Thread, way: Way = Branches) -> PostPage:
    return _backwards(thread, _from_an_end(way, True, thread=thread.pk), way)


def page_with(thread: Thread, number: int, way: Way = Branches) -> PostPage:
    """The page on which this post stands: the first one if it is there, else one that starts a little above it."""
    above = _numbers_before(way, thread=thread.pk, number=number)
    if len(above) < SIZE:
        return first_page(thread, way)
    found = _behind(way, True, thread=thread.pk, number=above[BEFORE - 1])
    return _forwards(found, is_first=False)


@fixed
def _answered(*, posts):
    return Post.objects.filter(pk__any_of=posts).only("thread", "number", "author", "mask", "mask_name")


@fixed
def members_with(*, ids):
    return Member.objects.filter(pk__any_of=ids)


def complete(thread: Thread, posts: list[Post]) -> list[Member]:
    """Gives each post its thread, its author, and the post that it answers with its author; two queries, whatever the
    number of posts. Returns the people of the thread, the latest first."""
    here = {post.pk: post for post in posts}
    missing = {post.parent_id for post in posts} - {None, *here}
    above = _answered(posts=sorted(missing)) if missing else []
    here |= {post.pk: post for post in above}
    people = {member.pk: member for member in members_with(ids=_ids_of(here.values(), thread.people))}
    for post in here.values():
        post.author = people[post.author_id]
    for post in posts:
        post.thread = thread
        if post.parent_id:
            post.parent = here[post.parent_id]
    return [people[pk] for pk in thread.people if pk in people]


def _ids_of(posts, ids) -> list[int]:
    return sorted({*(post.author_id for post in posts), *ids})


def in_line(posts: list[Post]) -> list[Item]:
    """In time order nothing nests; each reply to another one says whom it answers."""
    return [Item(post=post, says_to_whom=post.parent_id is not None) for post in posts]


def nest(posts: list[Post]) -> list[Item]:
    """How the posts nest on this page: a reply goes into its parent where that stands on the page, DEEPEST levels deep."""
    items: list[Item] = []
    levels: dict[int, int] = {}  # of posts on the page, by their own id
    for post in posts:
        above = levels.get(post.parent_id)
        level = 0 if above is None else min(above + 1, DEEPEST)
        levels[post.pk] = level
        says = post.parent_id is not None and (above is None or above == DEEPEST or level > 1)
        items.append(Item(post=post, level=level, says_to_whom=says))
    for item, follower in zip(items, [*items[1:], None], strict=True):
        next_level = follower.level if follower else 0
        item.opens = next_level > item.level
        item.closes = range(max(0, item.level - next_level))
    return items
