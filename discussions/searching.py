"""What search finds in discussions: one hit per thread, by the post in it that fits best."""

from django.contrib.postgres.search import SearchHeadline, SearchRank
from django.db.models import F
from django.utils.translation import gettext as _

from kmnet.core.fixed import planned_anew
from kmnet.core.search import CONFIG, Lexemes, SearchHit, SearchPage, SearchText
from kmnet.core.text import excerpt
from members.readers import kind_of, stand_in

from .models import Post

MARKS = ("\ue000", "\ue001")  # what the template makes <mark> of
# Of a word that is everywhere, the newest posts are enough: Postgres then walks back from the latest id, and for words
# that are rare it asks the index of words. Sorting by another column would make it fetch all that fit.
CONSIDERED = 200


def newest(viewer, words: str):
    found = Post.objects.visible_to(viewer).published().filter(search=Lexemes(words))
    ranked = found.annotate(rank=SearchRank(F("search"), Lexemes(words))).order_by("-pk")
    return ranked.values_list("pk", "thread_id", "rank")[:CONSIDERED]


@planned_anew
def newest_for(kind, *, reader, words):
    return newest(stand_in(kind, reader), words)


@planned_anew
def shown(*, words, posts):
    headline = SearchHeadline(
        "source",
        Lexemes(words),
        config=CONFIG,
        start_sel=MARKS[0],
        stop_sel=MARKS[1],
        max_words=32,
        min_words=16,
    )
    found = Post.objects.filter(pk__any_of=posts).select_related("author", "thread__space")
    return found.defer("html", "search").annotate(headline=headline)


def search(text: SearchText, viewer, limit: int) -> SearchPage:
    """The threads that fit best among what this person may see."""
    if not text:
        return SearchPage()
    if viewer.is_authenticated:
        rows = newest_for(kind_of(viewer), reader=viewer.pk, words=text.lexemes)
    else:
        rows = list(newest(viewer, text.lexemes))
    best: dict[int, tuple[float, int]] = {}
    for pk, thread_id, rank in rows:
        if thread_id not in best or rank > best[thread_id][0]:
            best[thread_id] = (rank, pk)
    wanted = [pk for _rank, pk in sorted(best.values(), reverse=True)[:limit]]
    posts = {post.pk: post for post in shown(words=text.lexemes, posts=wanted)} if wanted else {}
    hits = [hit(posts[pk], viewer) for pk in wanted if pk in posts]
    return SearchPage(hits, len(best))


def hit(post: Post, viewer) -> SearchHit:
    thread, unwanted = post.thread, getattr(viewer, "unwanted", ())
    if thread.accepted_post_id:
        state = _("answered")
    elif thread.waits_for_an_answer:
        state = _("no answer yet")
    else:
        state = ""
    parts = (thread.space.name, post.author.name, state)
    return SearchHit(
        url=thread.get_absolute_url() if post.is_first else thread.url_of(post.number),
        title=_("Words of somebody you ignore") if thread.author_id in unwanted else thread.title,
        snippet="" if post.author_id in unwanted else excerpt(post.headline, 280),
        meta=" · ".join(part for part in parts if part),
        at=post.published_at,
    )
