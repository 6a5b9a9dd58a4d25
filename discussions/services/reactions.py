"""What readers say with one press. Each locks the post: one that is being hidden takes none, and counts are true."""

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max

from kmnet.core import activity
from kmnet.core.models import Activity, Notification
from members.models import Boundary, Member

from .. import audiences
from ..models import Post, Reaction
from ..permissions import can_react_to_post

REACTED = "discussions.reacted"


def lock_for_reaction(post: Post, member: Member) -> Post:
    """The post, locked until the transaction ends. PermissionDenied where this member may not react to it."""
    posts = Post.objects.select_for_update(of=("self",), no_key=True)
    post = posts.select_related("thread__space", "mask").get(pk=post.pk)
    if not can_react_to_post(member, post):
        raise PermissionDenied
    return post


@transaction.atomic
def set_reaction(*, member: Member, post: Post, kind: str, on: bool) -> None:
    """This reaction stands, or does not; twice is once. Locks the post. PermissionDenied, ValueError (no such kind).

    The writer is told in one notification per post, which counts on until it is read."""
    kind = Reaction.Kind(kind)
    post = lock_for_reaction(post, member)
    mine = Reaction.objects.filter(post=post, member=member, kind=kind)
    if on == mine.exists():
        return
    if on:
        Reaction.objects.create(post=post, member=member, kind=kind)
    else:
        mine.delete()
    tell_writer(post, by=member if on else None)


def tell_writer(post: Post, *, by: Member | None) -> None:
    """One line per post: as long as it is unread it counts who reacted since; without anybody left it goes.

    The caller holds the post's lock, or two would each begin a line."""
    writer = audiences.writer_of(post)
    if writer is None:
        return
    deed = _unread_line(post, writer)
    if deed is None and by is None:
        return
    since = deed.at if deed else None
    people = _who_reacted(post, writer, since)
    if deed is None:
        if by is not None and by.pk in people and audiences.readers_of(post.thread, {writer}):
            first = Reaction.objects.filter(post=post, member=by).order_by("-at").first()
            activity.record(REACTED, actor=by, target=post, data={"people": 1}, at=first.at)
        return
    if not people:
        deed.delete()
        return
    deed.actor_id, deed.data = people[-1], {"people": len(people)}
    deed.save(update_fields=["actor", "data"])


def _unread_line(post: Post, writer: int) -> Activity | None:
    """Not told yet, or told and not read."""
    posts = ContentType.objects.get_for_model(Post)
    about = Activity.objects.filter(target_type=posts, target_id=post.pk, verb=REACTED)
    deed = about.order_by("-at").first()
    if deed is None or deed.fanned_out_at is None:
        return deed
    unread = Notification.objects.unread().filter(activity=deed, recipient=writer)
    return deed if unread.exists() else None


def _who_reacted(post: Post, writer: int, since) -> list[int]:
    """Ids, the latest last; without those whom the writer keeps at a distance."""
    found = Reaction.objects.filter(post=post)
    if since:
        found = found.filter(at__gte=since)
    away = Boundary.objects.filter(owner=writer).values("other")
    people = (
        found.exclude(member__in=away).values("member").annotate(last=Max("at")).order_by("last", "member")
    )
    return list(people.values_list("member", flat=True))
