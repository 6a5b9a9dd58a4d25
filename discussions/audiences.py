"""Who is told of what. Asked when the telling begins, so it leaves out whoever may no longer see the thing."""

from django.db.models import Q
from django.utils import timezone

from kmnet.core.models import Activity
from members.models import GroupMember, Member, Status
from members.models.group import IN_IT

from .models import Post, Thread, ThreadWatch


def readers_of(thread: Thread, ids: set[int]) -> set[int]:
    """Those of these members who may see the thread now and have not muted it."""
    if not thread.is_shown:
        return set()
    members = Member.objects.filter(pk__in=ids, is_active=True)
    if thread.space.is_public:
        members = members.filter(status__in=(Status.PENDING, Status.ACTIVE, Status.SILENCED))
    else:
        members = members.filter(pk__in=Member.objects.full().values("pk"))
    if thread.space.group_id:
        inside = GroupMember.objects.filter(group=thread.space.group_id, standing__in=IN_IT)
        members = members.filter(pk__in=inside.values("member"))
    muted = ThreadWatch.objects.filter(thread=thread, level=ThreadWatch.Level.MUTED)
    return set(members.exclude(pk__in=muted.values("member")).values_list("pk", flat=True))


def of_message(activity: Activity) -> set[int]:
    """Those who are in the conversation now and may read this message, but for those who have muted it."""
    post = find_post(activity)
    return listeners_of(post.thread, post.number) - {post.author_id} if post else set()


def of_bringing_in(activity: Activity) -> set[int]:
    """Whoever was brought into the conversation, if they are there still."""
    thread = Thread.objects.filter(pk=activity.target_id).first()
    return listeners_of(thread, thread.last_number + 1) & {activity.data["member"]} if thread else set()


def listeners_of(thread: Thread, number: int) -> set[int]:
    """Full members who take part in a conversation, read this number of it and have not muted it for now."""
    seats = thread.participants.staying().filter(first_number__lte=number)
    muted = ThreadWatch.objects.filter(thread=thread, level=ThreadWatch.Level.MUTED)
    muted = muted.filter(Q(until__isnull=True) | Q(until__gt=timezone.now()))
    members = Member.objects.full().filter(pk__in=seats.values("member"))
    return set(members.exclude(pk__in=muted.values("member")).values_list("pk", flat=True))


def writer_of(thing: Thread | Post) -> int | None:
    """The id of whoever wrote it, also without their name. For telling them; never for showing."""
    return thing.mask.member_id if thing.mask_id else thing.author_id


def of_long_held(activity: Activity) -> set[int]:
    """Hosts, and the moderators who can let it appear."""
    able = Member.objects.full().filter(status=Status.ACTIVE)
    return set(able.filter(Q(is_host=True) | Q(is_moderator=True)).values_list("pk", flat=True))


def find_post(activity: Activity) -> Post | None:
    posts = Post.objects.shown().select_related("thread__space", "parent")
    return posts.filter(pk=activity.target_id).first()


def of_reply(activity: Activity) -> set[int]:
    """The one who began the thread, the one who is answered, and those who watch."""
    post = find_post(activity)
    if post is None:
        return set()
    watching = ThreadWatch.objects.filter(thread=post.thread_id, level=ThreadWatch.Level.WATCHING)
    ids = {writer_of(post.thread), *watching.values_list("member_id", flat=True)}
    if post.parent is not None:
        ids.add(writer_of(post.parent))
    return readers_of(post.thread, ids - {writer_of(post)})


def of_asked(activity: Activity) -> set[int]:
    """Those who were chosen for this asking, as long as the thread waits for a reply."""
    thread = Thread.objects.shown().filter(pk=activity.target_id).select_related("space").first()
    if thread is None or thread.first_reply_at is not None:
        return set()
    return readers_of(thread, set(activity.data.get("members", ())))


def of_accepted_answer(activity: Activity) -> set[int]:
    """The one who gave the answer, unless they chose it themselves."""
    post = find_post(activity)
    if post is None:
        return set()
    chooser = writer_of(post.thread) if activity.actor_id == post.thread.author_id else activity.actor_id
    return readers_of(post.thread, {writer_of(post)} - {chooser})


def of_reactions(activity: Activity) -> set[int]:
    """Whoever wrote it, also behind another name."""
    post = Post.objects.shown().select_related("thread__space", "mask").filter(pk=activity.target_id).first()
    writer = None if post is None else writer_of(post)
    return readers_of(post.thread, {writer}) if writer else set()


def of_thanks(activity: Activity) -> set[int]:
    """The author, and nobody else; the giver is unknown here."""
    return set(Member.objects.full().filter(pk=activity.target.author_id).values_list("pk", flat=True))
