"""Who is told of what: decided here and nowhere else. Asked when the telling begins, so it leaves out whoever may no
longer see the thing. Precedence: mention, reply, accepted (a deed of its own), watching, every post; each person once per
post."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils import timezone

from kmnet.core.models import Activity, MailChoice, Notification, OutgoingMail
from kmnet.core.models.mail import MailState
from members.models import Boundary, GroupMember, Member, Status
from members.models.group import IN_IT

from .models import Level, Mask, OwedReply, Post, ReadState, Thread, ThreadWatch
from .models.levels import levels_of, who_may_watch


class Reason(StrEnum):
    """Why somebody is told of a post; the first that fits."""

    MENTION = "mention"
    REPLY = "reply"
    WATCHING = "watching"  # the thread itself
    EVERY_POST = "every post"  # its space, or one of its tags


@dataclass(frozen=True)
class Telling:
    member_id: int
    reason: Reason


def told_about(post: Post) -> list[Telling]:
    """Everybody who is told of this post, each once, by who comes first.

    Whoever is mentioned; whoever is answered; whoever began the thread or watches it, one of its tags, or its space.
    Each as closely as they follow the thread (models.levels): muted hears nothing, also when mentioned; what passes
    “normal” is a mention and an answer to oneself. Nobody hears of their own post, or of what they may not see. Those
    who keep the writer away are left out where the deed is told (kmnet.core.activity.those_told), those who do so with
    a writer without their name by those_who_hear.

    Needs the post's thread with space and mask, its parent with its mask, its mask.
    """
    thread = post.thread
    began_by, writer = writer_of(thread), writer_of(post)
    answered = None if post.leads else writer_of(post.parent) if post.parent else began_by
    mentioned = set(post.mentions.values_list("member_id", flat=True))
    ids = who_may_watch(thread) | mentioned | {began_by, answered}
    if thread.space.default_level == Level.WATCHING:
        ids |= set(Member.objects.full().values_list("pk", flat=True))
    ids = those_who_see(thread, ids - {writer, None})
    chose_it = set(
        thread.watches.filter(member__in=ids, level=Level.WATCHING).values_list("member_id", flat=True)
    )
    tellings = []
    for pk, level in sorted(levels_of(thread, ids, began_by=began_by).items()):
        if level == Level.MUTED:
            continue
        if pk in mentioned:
            tellings.append(Telling(pk, Reason.MENTION))
        elif pk == answered or (pk == began_by and level == Level.WATCHING):
            tellings.append(Telling(pk, Reason.REPLY))
        elif level == Level.WATCHING:
            tellings.append(Telling(pk, Reason.WATCHING if pk in chose_it else Reason.EVERY_POST))
    return tellings


def those_who_see(thread: Thread, ids: set[int]) -> set[int]:
    """Those of these members who may see the thread now."""
    if not thread.is_shown or not ids:
        return set()
    members = Member.objects.filter(pk__in=ids, is_active=True)
    if thread.space.is_public:
        members = members.filter(status__in=(Status.PENDING, Status.ACTIVE, Status.SILENCED))
    else:
        members = members.filter(pk__in=Member.objects.full().values("pk"))
    if thread.space.group_id:
        inside = GroupMember.objects.filter(group=thread.space.group_id, standing__in=IN_IT)
        members = members.filter(pk__in=inside.values("member"))
    return set(members.values_list("pk", flat=True))


def readers_of(thread: Thread, ids: set[int]) -> set[int]:
    """Those of these members who may see the thread now and have not muted it, its tags or its space."""
    seen = those_who_see(thread, ids)
    if not seen:
        return set()
    levels = levels_of(thread, seen, began_by=writer_of(thread))
    return {pk for pk, level in levels.items() if level != Level.MUTED}


def has_muted(member_id: int, thread: Thread) -> bool:
    return levels_of(thread, {member_id}, began_by=writer_of(thread))[member_id] == Level.MUTED


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


WRITTEN = ("discussions.mentioned", "discussions.replied")
TELLING = (*WRITTEN, "discussions.asked")  # deeds that tell of a post
LOOKED_BACK = timedelta(days=90)  # for a mail about something that is unread still


def those_who_hear(deed: Activity, ids: set[int]) -> set[int]:
    """Nobody hears of what somebody wrote, asked or chose without their name whom they block or ignore, and nobody is told
    why. (Such a deed carries the account of nobody, whom nobody blocks.)"""
    if deed.verb in WRITTEN:
        masks = Mask.objects.filter(posts=deed.target_id)
    elif deed.verb == "discussions.asked":
        masks = Mask.objects.filter(pk__in=Thread.objects.filter(pk=deed.target_id).values("mask"))
    elif deed.verb == "discussions.accepted":
        asked = Thread.objects.filter(posts=deed.target_id, author=deed.actor_id)
        masks = Mask.objects.filter(pk__in=asked.values("mask"))
    else:
        return ids
    away = Boundary.objects.filter(other__in=masks.values("member"), owner__in=ids)
    return ids - set(away.values_list("owner_id", flat=True))


def of_long_held(activity: Activity) -> set[int]:
    """Hosts, and the moderators who can let it appear."""
    able = Member.objects.full().filter(status=Status.ACTIVE)
    return set(able.filter(Q(is_host=True) | Q(is_moderator=True)).values_list("pk", flat=True))


def find_post(activity: Activity) -> Post | None:
    posts = Post.objects.shown().select_related("thread__space", "thread__mask", "parent__mask", "mask")
    return posts.filter(pk=activity.target_id).first()


def told_before(post: Post) -> set[int]:
    """Who has a notification of this post already. Locks the post: of two deeds that tell of it at once, one waits."""
    Post.objects.select_for_update(no_key=True, of=("self",)).filter(pk=post.pk).first()
    about = Q(activity__target_type=ContentType.objects.get_for_model(Post), activity__target_id=post.pk)
    if post.leads:
        about |= Q(
            activity__target_type=ContentType.objects.get_for_model(Thread),
            activity__target_id=post.thread_id,
        )
    told = Notification.objects.filter(about, activity__verb__in=TELLING)
    return set(told.values_list("recipient_id", flat=True))


def of_reply(activity: Activity) -> set[int]:
    """Those told because they are answered, or follow; who is mentioned hears of that."""
    post = find_post(activity)
    if post is None:
        return set()
    reasons = {telling.member_id: telling.reason for telling in told_about(post)}
    ids = {pk for pk, reason in reasons.items() if reason != Reason.MENTION}
    if ids:
        ids -= told_before(post)
    following = {pk for pk in ids if reasons[pk] == Reason.WATCHING}
    return ids - told_and_unread(post, following) if following else ids


def told_and_unread(post: Post, ids: set[int]) -> set[int]:
    """Those of these members who were told of something in the thread and have not read it: they know that there is news,
    and come back to all of it. Two queries, and four more where some of them want nothing on the site."""
    thread = post.thread
    posts, threads = ContentType.objects.get_for_models(Post, Thread).values()
    earlier = Post.objects.filter(thread=thread).exclude(pk=post.pk)
    about = Q(activity__target_type=posts, activity__target_id__in=earlier.values("pk"))
    about |= Q(activity__target_type=threads, activity__target_id=thread.pk)
    unread = Notification.objects.unread().filter(about, recipient__in=ids, activity__verb__in=TELLING)
    told = set(unread.values_list("recipient_id", flat=True))
    hushed = MailChoice.objects.filter(member__in=ids - told, category="watched", site=False)
    return told | mailed_and_unread(thread, earlier, set(hushed.values_list("member_id", flat=True)))


def mailed_and_unread(thread: Thread, earlier, ids: set[int]) -> set[int]:
    """The same by their mail, for those who are not told on the site."""
    if not ids:
        return set()
    mails = OutgoingMail.objects.filter(
        member__in=ids,
        kind__startswith="discussions.",
        state__in=(MailState.WAITING, MailState.SENT),
        created_at__gt=timezone.now() - LOOKED_BACK,
    )
    mailed = [(pk, deed) for pk, deed in mails.values_list("member_id", "refs__activity") if deed]
    posts = ContentType.objects.get_for_model(Post)
    deeds = Activity.objects.filter(pk__in={deed for _pk, deed in mailed}, target_type=posts)
    deeds = deeds.filter(target_id__in=earlier.values("pk"), verb__in=TELLING)
    post_of = dict(deeds.values_list("pk", "target_id"))
    number_of = dict(Post.objects.filter(pk__in=post_of.values()).values_list("pk", "number"))
    states = {state.member_id: state for state in ReadState.objects.filter(thread=thread, member__in=ids)}
    return {
        pk
        for pk, deed in mailed
        if deed in post_of and not (pk in states and states[pk].has(number_of[post_of[deed]]))
    }


def of_mention(activity: Activity) -> set[int]:
    """Those whom this writing, or this edit, named for the first time in the post."""
    post = find_post(activity)
    if post is None:
        return set()
    named = set(activity.data.get("members", ()))
    ids = {t.member_id for t in told_about(post) if t.reason == Reason.MENTION and t.member_id in named}
    return ids - told_before(post) if ids else ids


def of_new_thread(activity: Activity) -> set[int]:
    """Those who watch its space or one of its tags; whoever has chosen something for the thread itself knows it."""
    posts = Post.objects.shown().select_related("thread__space", "thread__mask", "mask")
    post = posts.filter(thread=activity.target_id, number=1).first()
    if post is None:
        return set()
    post.parent = None
    ids = {telling.member_id for telling in told_about(post) if telling.reason != Reason.MENTION}
    ids -= (
        set(post.thread.watches.filter(member__in=ids).values_list("member_id", flat=True)) if ids else set()
    )
    return ids - told_before(post) if ids else ids


def mail_kinds(activity: Activity, ids: set[int]) -> dict[int, str]:
    """Who follows gets another kind of mail, which can be switched off by itself, than who is answered."""
    post = find_post(activity)
    reasons = {t.member_id: t.reason for t in told_about(post)} if post and ids else {}
    kinds = {
        Reason.REPLY: "discussions.reply",
        Reason.WATCHING: "discussions.watched",
        Reason.EVERY_POST: "discussions.post",
    }
    return {pk: kinds[reasons[pk]] for pk in ids if reasons.get(pk) in kinds}


def of_asked(activity: Activity) -> set[int]:
    """Those who were chosen for this asking, as long as the thread, or the post in it, waits for a reply."""
    clocks = OwedReply.objects.owed().select_related("thread__space")
    is_post = activity.target_type.model == "post"
    about = Q(post=activity.target_id) if is_post else Q(post=None, thread=activity.target_id)
    clock = clocks.filter(about).first()
    return readers_of(clock.thread, set(activity.data.get("members", ()))) if clock else set()


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
