"""Private conversations of two to eight people: begun, written in, joined, left, muted; and deleted once all have left."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kmnet.core import activity, erasing, jobs
from kmnet.core.models import Flag
from members.models import Member
from members.permissions import can_contact, can_write
from members.services.introductions import lock_members

from ..models import (
    DiscussionSettings,
    Kind,
    Participant,
    Post,
    PostFile,
    Readers,
    ReadState,
    Space,
    Thread,
    ThreadWatch,
)
from ..permissions import Silence, can_mute, seats_of, why_silent
from . import drafts, limits
from .files import doom_files
from .limits import DAY, LimitReached, check_may_reply, check_may_start, when
from .posts import keep_along, new_post, sent_before
from .threads import lock_thread, publish

MOST = 8  # people
SLUG = "conversations"
HOUR = timedelta(hours=1)


class WrongNumber(Exception):
    """A conversation has two to eight people."""


class CannotWrite(Exception):
    """Nothing can be written there; `why` is a permissions.Silence."""

    def __init__(self, why: Silence):
        super().__init__(why)
        self.why = why


class CannotReach(Exception):
    """These `people` cannot be written to, or brought in. Why not is told to nobody."""

    def __init__(self, people: list[Member]):
        super().__init__(", ".join(person.name for person in people))
        self.people = people


def space_of_conversations() -> Space:
    """The one space in which they all stand, and which nobody sees; made where it is missing. Two at once make one."""
    return Space.objects.get_or_create(
        readable_by=Readers.PEOPLE,
        defaults={"slug": SLUG, "name": _("Private conversations"), "icon": "lock"},
    )[0]


def talk_of(people: Iterable[int]) -> Thread | None:
    """The conversation in which exactly these people (ids) are now; of several the latest."""
    ids = sorted(set(people))
    here = Participant.objects.staying().filter(thread=OuterRef("pk"))
    talks = Thread.objects.filter(kind=Kind.CONVERSATION)
    for pk in ids:
        talks = talks.filter(Exists(here.filter(member=pk)))
    talks = talks.annotate(here=ArraySubquery(here.order_by("member").values("member")))
    return talks.filter(here=ids).latest_first().first()


@transaction.atomic
def start_conversation(
    *,
    author: Member,
    people: Iterable[Member],
    source: str,
    submit_key: UUID | None = None,
    sent: drafts.Sent | None = None,
) -> Post:
    """The first message to these people; where exactly they talk already, the next one there. `sent`: the draft that it
    was; it goes.

    Of two who begin the same conversation at once the second writes into that of the first. Locks the set of people,
    then (by id) their rows. Raises WrongNumber, CannotReach, CannotWrite, LimitReached, PermissionDenied for who may
    not write.
    """
    people = {person.pk: person for person in people} | {author.pk: author}
    if not 2 <= len(people) <= MOST:
        raise WrongNumber
    if not can_write(author):
        raise PermissionDenied
    ids = sorted(people)
    hold_people(ids)
    earlier = sent_before(author, submit_key)
    if earlier is not None:
        return earlier
    present = talk_of(ids)
    if present is not None:
        return send_message(author=author, thread=present, source=source, submit_key=submit_key, sent=sent)
    people = lock_members(*ids)
    refuse_unreachable(author, [person for pk, person in people.items() if pk != author.pk])
    now = timezone.now()
    space = space_of_conversations()
    check_may_start(author, space)
    check_hour(author)
    try:
        with transaction.atomic():
            thread = Thread.objects.create(
                space=space,
                kind=Kind.CONVERSATION,
                title="",
                slug=Kind.CONVERSATION,
                author=author,
                created_at=now,
                last_post_at=now,
            )
            Participant.objects.bulk_create(
                [Participant(thread=thread, member_id=pk, joined_at=now) for pk in ids]
            )
            # Without a marker, what was said to be read in all of the spaces would count here too.
            ReadState.objects.bulk_create([ReadState(thread=thread, member_id=pk) for pk in ids])
            post = new_post(author=author, source=source, submit_key=submit_key)
            post.thread = thread
            publish(thread, post, at=now)
            keep_along(post, writer=author, sent=sent)
    except IntegrityError:  # the same form, sent to other people at the same moment
        earlier = sent_before(author, submit_key)
        if earlier is None:
            raise
        return earlier
    return post


def hold_people(ids: list[int]) -> None:
    """Until the end of the transaction nobody else begins a conversation of exactly these people. Comes before all
    other locks: where there is one already, its thread is locked next, and members' rows come after threads."""
    with connection.cursor() as cursor:
        name = f"conversation:{','.join(map(str, ids))}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def check_hour(author: Member) -> None:
    """Raises LimitReached where this message would be one too many within an hour."""
    most = DiscussionSettings.load().messages_per_hour
    written = Post.objects.filter(author=author, published_at__gt=timezone.now() - HOUR)
    written = written.filter(thread__kind=Kind.CONVERSATION).order_by("-published_at")
    times = list(written.values_list("published_at", flat=True)[:most])
    if len(times) >= most:
        until = times[-1] + HOUR
        said = ngettext(
            "You have written %(count)d message within an hour, the most for one person.",
            "You have written %(count)d messages within an hour, the most for one person.",
            most,
        )
        raise LimitReached(f"{said % {'count': most}} {go_on(author, until)}", until)


def check_may_bring_in(actor: Member) -> None:
    """Raises LimitReached for one more person than the conversations that they may begin in a day; the caller has locked
    the actor's row."""
    most = limits.allowance(actor).conversations
    brought = Participant.objects.filter(added_by=actor, joined_at__gt=timezone.now() - DAY)
    times = list(brought.order_by("-joined_at").values_list("joined_at", flat=True)[:most])
    if len(times) >= most:
        until = (times[-1] if times else timezone.now()) + DAY
        said = ngettext(
            "You have brought in %(count)d person within 24 hours, the most for you.",
            "You have brought in %(count)d people within 24 hours, the most for you.",
            most,
        )
        raise LimitReached(f"{said % {'count': most}} {go_on(actor, until)}", until)


def go_on(author: Member, until: datetime) -> str:
    return _("You can go on %(when)s.") % {"when": when(author, until)}


def refuse_unreachable(author: Member, others: Iterable[Member]) -> None:
    away = [person for person in others if not can_contact(author, person)]
    if away:
        raise CannotReach(away)


@transaction.atomic
def send_message(
    *,
    author: Member,
    thread: Thread,
    source: str,
    submit_key: UUID | None = None,
    sent: drafts.Sent | None = None,
) -> Post:
    """One more message. Locks the conversation. The same submit_key again gives the message sent before. `sent`: the
    draft that it was; it goes.

    Raises CannotWrite, LimitReached, PermissionDenied for whom the conversation is not there.
    """
    thread = lock_thread(thread.pk)
    earlier = sent_before(author, submit_key)
    if earlier is not None:
        return earlier
    seats = seats_of(thread)
    if not thread.is_conversation or all(seat.member_id != author.pk for seat in seats):
        raise PermissionDenied
    why = why_silent(author, seats)
    if why is not None:
        raise CannotWrite(why)
    check_may_reply(author, thread)
    check_hour(author)
    post = new_post(author=author, source=source, submit_key=submit_key)
    post.thread = thread
    publish(thread, post, at=timezone.now())
    keep_along(post, writer=author, sent=sent)
    return post


@transaction.atomic
def add_person(*, actor: Member, thread: Thread, member: Member) -> Participant:
    """Somebody more, who reads what is written from now on. Twice is once. Locks the conversation, then both members.

    Whoever has left is not brought back by others: they can be written to anew. Raises WrongNumber for the ninth,
    CannotReach, CannotWrite, LimitReached, PermissionDenied for whom the conversation is not there.
    """
    thread = lock_thread(thread.pk)
    seats = {seat.member_id: seat for seat in seats_of(thread)}
    if not thread.is_conversation or actor.pk not in seats:
        raise PermissionDenied
    why = why_silent(actor, seats.values())
    if why is not None:
        raise CannotWrite(why)
    seat = seats.get(member.pk)
    if seat is not None and not seat.has_left:
        return seat
    if sum(not seat.has_left for seat in seats.values()) >= MOST:
        raise WrongNumber
    member = lock_members(actor.pk, member.pk)[member.pk]
    if seat is not None:
        raise CannotReach([member])
    refuse_unreachable(actor, [member])
    check_may_bring_in(actor)
    seat = Participant.objects.create(
        thread=thread, member=member, added_by=actor, first_number=thread.last_number + 1
    )
    # What came before is not theirs to read, so it must not count as unread.
    ReadState.objects.create(member=member, thread=thread, numbers=[(1, thread.last_number + 1)])
    activity.record("discussions.brought_in", actor=actor, target=thread, data={"member": member.pk})
    return seat


@transaction.atomic
def leave_conversation(*, member: Member, thread: Thread) -> None:
    """They read what was written until now, and nothing later; nobody brings them back. Twice is once. Locks it."""
    thread = lock_thread(thread.pk)
    seat = Participant.objects.filter(thread=thread, member=member).first()
    if not thread.is_conversation or seat is None:
        raise PermissionDenied
    if seat.has_left:
        return
    seat.left_at, seat.left_number = timezone.now(), thread.last_number
    seat.save(update_fields=["left_at", "left_number"])
    ThreadWatch.objects.filter(thread=thread, member=member).delete()
    activity.mark_read(member=member, targets=[thread, *thread.posts.only("pk", "thread")])


@transaction.atomic
def mute_conversation(*, member: Member, thread: Thread, until: datetime | None = None) -> None:
    """No word of it, for good or until then. They go on reading it, and see what is unread."""
    if not can_mute(member, thread):
        raise PermissionDenied
    ThreadWatch.objects.update_or_create(
        thread=thread, member=member, defaults={"level": ThreadWatch.Level.MUTED, "until": until}
    )


@transaction.atomic
def unmute_conversation(*, member: Member, thread: Thread) -> None:
    """They hear of it again."""
    if not can_mute(member, thread):
        raise PermissionDenied
    ThreadWatch.objects.filter(thread=thread, member=member).delete()


def delete_deserted(*, limit: int = 200) -> int:
    """Delete the conversations that everybody has left; return how many. Any number of workers may run it at once.

    One of which something is reported, and not yet decided, stays until it is.
    """
    here = Participant.objects.staying().filter(thread=OuterRef("pk"))
    deserted = Thread.objects.filter(kind=Kind.CONVERSATION).exclude(Exists(here))

    def delete(pk) -> bool:
        thread = Thread.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
        if thread is None or thread.participants.staying().exists() or is_reported(thread):
            return False
        delete_conversation(thread)
        return True

    ids = list(deserted.order_by("pk").values_list("pk", flat=True)[:limit])
    return jobs.each(ids, delete, what="deserted conversation")


def is_reported(thread: Thread) -> bool:
    about = Flag.objects.filter(target_type=ContentType.objects.get_for_model(Post), state=Flag.State.OPEN)
    return about.filter(target_id__in=thread.posts.values("pk")).exists()


def delete_conversation(thread: Thread) -> None:
    """It goes, with all that hangs on it. The caller holds its row."""
    erasing.forget_targets([thread, *thread.posts.only("pk", "thread")])
    doom_files(PostFile.objects.filter(post__thread=thread))
    Thread.objects.filter(pk=thread.pk).update(last_post=None)
    thread.delete()
