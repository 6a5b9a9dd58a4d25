"""Pages of a thread: a stretch of posts in branch order, found by index from any post, and how they nest on the page."""

from dataclasses import dataclass, field

from django.db.models import Q, Subquery

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


def _forwards(posts, start: Q) -> PostPage:
    found = list(posts.filter(start).in_branches()[: SIZE + 1])
    page = PostPage(posts=found[:SIZE])
    if len(found) > SIZE:
        page.next_after = page.posts[-1].number
    if page.posts and not page.posts[0].is_first:
        page.previous_before = page.posts[0].number
    return page


def _path_of(thread: Thread, number: int) -> Subquery:
    return Subquery(Post.objects.filter(thread=thread, number=number).values("path")[:1])


def first_page(thread: Thread) -> PostPage:
    return _forwards(Post.objects.with_page().filter(thread=thread).on_pages(), Q())


def page_after(thread: Thread, number: int) -> PostPage:
    posts = Post.objects.with_page().filter(thread=thread).on_pages()
    return _forwards(posts, Q(path__gt=_path_of(thread, number)))


def page_before(thread: Thread, number: int) -> PostPage:
    """The page that ends just above this post; near the beginning, the first page whole."""
    posts = Post.objects.with_page().filter(thread=thread).on_pages()
    found = list(posts.filter(path__lt=_path_of(thread, number)).order_by("-path")[: SIZE + 1])
    if len(found) <= SIZE:
        return first_page(thread)
    shown = found[:SIZE][::-1]
    return PostPage(posts=shown, next_after=shown[-1].number, previous_before=shown[0].number)


def page_with(thread: Thread, number: int) -> PostPage:
    """The page on which this post stands: the first one if it is there, else one that starts a little above it."""
    posts = Post.objects.filter(thread=thread).on_pages()
    above = list(
        posts.filter(path__lt=_path_of(thread, number))
        .order_by("-path")
        .values_list("path", flat=True)[:SIZE]
    )
    if len(above) < SIZE:
        return first_page(thread)
    return _forwards(
        Post.objects.with_page().filter(thread=thread).on_pages(), Q(path__gte=above[BEFORE - 1])
    )


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
