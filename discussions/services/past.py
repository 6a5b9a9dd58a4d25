"""What somebody wrote before, as far as it matters to a reply of theirs: one question, asked under the thread's lock."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Subquery
from django.utils import timezone

from kmnet.core.fixed import fixed
from members.models import Member

from ..models import Mask, Post, Thread
from .limits import DAY, allowance, by, written_since
from .masks import worn_in
from .promise import waiting_in
from .threads import appeared


@dataclass(frozen=True)
class Past:
    earlier: int | None  # the post that the same form made when it was sent the first time
    times: list[datetime]  # when their posts of the last 24 hours were written, as many as the limit allows
    mask_id: int | None  # what they wear in this thread
    has_appeared: bool  # something of theirs
    somebody_waits: bool  # for an answer to their first words, in this thread

    @property
    def mask(self) -> Mask | None:
        return Mask.objects.get(pk=self.mask_id) if self.mask_id else None


@fixed
def _past(most, *, author, thread, begun_under, submit_key, since):
    writer = Member(pk=author)
    earlier = by(writer, Post.objects.filter(submit_key=submit_key))
    return Member.objects.filter(pk=author).values_list(
        Subquery(earlier.values("pk")[:1]),
        ArraySubquery(written_since(writer, since, most=most)),
        Subquery(worn_in(thread, mask=begun_under, author=author).values("pk")[:1]),
        Exists(appeared(author)),
        Exists(waiting_in(thread)),
    )


def past_of(author: Member, thread: Thread, *, submit_key: UUID | None) -> Past:
    """The caller holds the lock of the thread's row: two presses of one button come one after the other."""
    [row] = _past(
        allowance(author).posts,
        author=author.pk,
        thread=thread.pk,
        begun_under=thread.mask_id or 0,
        submit_key=submit_key or uuid4(),  # which no post has
        since=timezone.now() - DAY,
    )
    return Past(*row)
