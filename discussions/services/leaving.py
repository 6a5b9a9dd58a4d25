"""What becomes of a member's words when their account is deleted. Part of that transaction."""

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import erasing
from kmnet.core.models import Activity
from members.models import Member

from ..models import OwedReply, Post, PostFile, PostVersion, Thread, written_by
from ..permissions import is_author
from ..tags import TAGS_IN_USE
from .answers import FIELDS as ANSWER_FIELDS
from .files import doom_files
from .threads import count_thread, lock_thread, recount, slug_of


@transaction.atomic
def forget_author(*, member: Member, keep_words: bool) -> None:
    """Their posts stay, unsigned, or go; what they had replaced goes in either case. Locks the threads, by id.

    Where words go, a thread that holds only theirs goes as a whole. Elsewhere a post that others replied to, or that
    began the thread, becomes a stub; the others are deleted.
    """
    transaction.on_commit(lambda: cache.delete_many(TAGS_IN_USE.values()), robust=True)
    doom_files(PostFile.objects.filter(uploader=member, post=None))
    PostVersion.objects.filter(written_by(member, "post__")).delete()
    Post.objects.filter(written_by(member)).update(submit_key=None, is_authors_first=False)
    Thread.objects.filter(author=member).update(is_authors_first=False)
    # Replies by mail quote who wrote what they answer, by name.
    theirs = Post.objects.filter(written_by(member)).values("thread")
    Post.objects.filter(thread__in=theirs).exclude(cut_words="").update(cut_words="")
    OwedReply.objects.filter(post__author=member).delete()  # nobody is left to be answered
    if keep_words:
        return
    doom_files(PostFile.objects.filter(uploader=member))
    merged = Thread.objects.filter(written_by(member), merged_into__isnull=False)
    merged.update(title="", slug=F("kind"), excerpt="")  # what is left of these is an address
    for thread_id in (
        Post.objects.filter(written_by(member))
        .order_by("thread_id")
        .values_list("thread_id", flat=True)
        .distinct()
    ):
        _take_words(lock_thread(thread_id), member)
    erasing.forget_deeds(Activity.objects.filter(actor=member, verb__startswith="discussions."))


def _take_words(thread: Thread, member: Member) -> None:
    posts = Post.objects.filter(thread=thread)
    if not posts.exclude(written_by(member)).exists():
        erasing.forget_targets([thread, *posts])
        if thread.is_shown:
            count_thread(thread, -1)
        Thread.objects.filter(pk=thread.pk).update(last_post=None, accepted_post=None)
        thread.delete()
        return
    mine = posts.filter(written_by(member))
    while True:  # from the ends of the branches towards the root: what nobody replied to
        answered = Exists(Post.objects.filter(parent=OuterRef("pk")))
        ends = list(mine.exclude(number=1).exclude(heading__gt="").exclude(answered))
        if not ends:
            break
        erasing.forget_targets(ends)
        Post.objects.filter(pk__in=[post.pk for post in ends]).delete()
    stubs = mine.update(
        source="", html="", heading="", cut_words="", withdrawn_at=timezone.now(), edited_at=None
    )
    thread.refresh_from_db()
    if is_author(member, thread) and stubs and not thread.is_conversation:
        thread.title = (
            _("A question whose author has left")
            if thread.is_question
            else _("A conversation whose author has left")
        )
        thread.slug, thread.excerpt = slug_of(thread.title, thread.kind), ""
        thread.tags.clear()
        thread.save(update_fields=["title", "slug", "excerpt"])
    if thread.accepted_post_id and mine.filter(pk=thread.accepted_post_id).exists():
        thread.accepted_post = None
    if thread.accepted_post_id is None:
        thread.accepted_post = thread.accepted_at = thread.accepted_by = None
        thread.save(update_fields=ANSWER_FIELDS)
    recount(thread)
