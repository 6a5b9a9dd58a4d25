"""Who may do what in discussions. An anonymous visitor may be passed everywhere; visible_to is the same as a filter."""

from collections.abc import Iterable
from enum import StrEnum

from django.db.models import Q

from members.models import Boundary, Member, is_convenor, is_in_group, may_read_group
from members.permissions import can_moderate, can_write, is_full_member

from .models import MayStart, Participant, Poll, Post, Readers, Space, Thread
from .models.private import seat_of


def can_host(user) -> bool:
    """Welcomes and answers for the community: hosts, moderators, admins."""
    return can_write(user) and (user.is_host or can_moderate(user))


def can_read_space(user, space: Space) -> bool:
    """The same rule as Space.objects.visible_to."""
    if space.readable_by == Readers.GROUP:
        return may_read_group(user, space.group_id)
    if space.readable_by == Readers.PEOPLE:
        return False
    return space.readable_by == Readers.PUBLIC or is_full_member(user)


def can_write_in(user, space: Space) -> bool:
    """May post here at all: in a group's space those in the group, as long as it is open."""
    if space.readable_by == Readers.PEOPLE:
        return False
    return can_write(user) and (space.readable_by != Readers.GROUP or is_in_group(user, space.group_id))


def can_start_thread(user, space: Space) -> bool:
    """Where only hosts begin threads, in a group's space its convenors do. The same rule as Space.objects.open_to."""
    if not can_write_in(user, space):
        return False
    if space.may_start == MayStart.MEMBERS:
        return True
    return is_convenor(user, space.group_id) if space.group_id else can_host(user)


def can_announce(user) -> bool:
    return can_host(user)


def can_view_thread(user, thread: Thread) -> bool:
    """The same rule as Thread.objects.readable_by. Needs the thread's space."""
    if thread.is_conversation:
        return seat_of(user, thread) is not None
    if thread.merged_into_id or not can_read_space(user, thread.space):
        return False
    return thread.is_shown or is_author(user, thread) or can_moderate(user)


def can_view_post(user, post: Post) -> bool:
    """May read the words; the same rule as Post.objects.readable_by. Needs the post's thread and its space."""
    if post.thread.is_conversation:  # in which a moderator is as anybody
        seat = seat_of(user, post.thread)
        return seat is not None and seat.covers(post.number) and (post.is_shown or is_author(user, post))
    if not can_view_thread(user, post.thread):
        return False
    return post.is_shown or is_author(user, post) or can_moderate(user)


def is_author(user, thing: Thread | Post) -> bool:
    """Wrote it, under their name or without it. The same rule as models.masked.written_by."""
    if not user.is_authenticated:
        return False
    return thing.author_id == user.pk or bool(thing.mask_id and thing.mask.member_id == user.pk)


def can_reply(user, thread: Thread) -> bool:
    return (
        can_write_in(user, thread.space)
        and can_view_thread(user, thread)
        and thread.is_shown
        and not thread.is_closed
    )


def can_edit_post(user, post: Post) -> bool:
    """One's own words, also those that a moderator has hidden, to mend them and ask again; nobody edits another's. In a
    conversation: who may write there."""
    return (
        may_write_at(user, post.thread)
        and is_author(user, post)
        and post.state != Post.State.DELETED
        and can_view_thread(user, post.thread)
    )


def may_write_at(user, thread: Thread) -> bool:
    """May write where this thread is: in its space; in a conversation to those who are there."""
    return can_write_message(user, thread) if thread.is_conversation else can_write_in(user, thread.space)


def can_delete_post(user, post: Post) -> bool:
    """One's own words, while they stand or wait; silenced members too, since the words are theirs."""
    return (
        is_full_member(user)
        and is_author(user, post)
        and post.state in (Post.State.VISIBLE, Post.State.HELD)
        and can_view_thread(user, post.thread)
    )


def can_undelete_post(user, post: Post) -> bool:
    """Its author, for ten minutes, where they may still write; also where the whole thread went meanwhile."""
    return may_write_at(user, post.thread) and is_author(user, post) and post.undo_until is not None


def can_view_history(user, post: Post) -> bool:
    """Whoever may read the post may read what it said before; of what was taken back or hidden nobody does."""
    return can_view_post(user, post) and post.is_shown


def can_choose_answer(user, thread: Thread) -> bool:
    """The asker, or a host."""
    return (
        thread.is_question
        and thread.is_shown
        and can_view_thread(user, thread)
        and can_write_in(user, thread.space)
        and (can_host(user) or (can_write(user) and is_author(user, thread)))
    )


def can_say_still_open(user, thread: Thread) -> bool:
    """The asker or a host: there are replies, and they do not answer it."""
    return (
        can_choose_answer(user, thread)
        and not thread.is_closed
        and thread.accepted_post_id is None
        and thread.reply_count > 0
    )


def can_accept_answer(user, post: Post) -> bool:
    return can_choose_answer(user, post.thread) and post.is_shown and not post.is_first


def can_report_post(user, post: Post) -> bool:
    return can_write(user) and not is_author(user, post) and can_view_post(user, post)


def has_standing_words(post: Post) -> bool:
    """Readers see its words: neither hidden nor held, not taken back, not taken along by an author who left."""
    return post.is_shown and post.deleted_at is None and post.withdrawn_at is None


def can_react_to_post(user, post: Post) -> bool:
    """Whoever may write here, to words of others that all may read; hanging.py asks the same for a page.

    Whom the author blocks may, too: a no would tell them; the author does not hear of it."""
    return (
        can_write_in(user, post.thread.space)
        and post.thread.is_shown
        and can_view_post(user, post)
        and has_standing_words(post)
        and not is_author(user, post)
    )


def can_keep_post(user, post: Post) -> bool:
    """Kept for oneself: whatever one may read, as long as its words stand; silenced members too."""
    return bool(
        user.is_authenticated and user.is_active and has_standing_words(post) and can_view_post(user, post)
    )


def can_hide_post(user, post: Post) -> bool:
    return can_moderate(user)


def can_keep_order(user, thread: Thread) -> bool:
    """Split, merge, move, close, pin and slow down: moderators; in a group's space its convenors too, and of the
    moderators those who are in the group. Nobody in private conversations. Needs the thread's space."""
    space = thread.space
    if space.readable_by == Readers.PEOPLE or not can_view_thread(user, thread):
        return False
    if can_moderate(user):
        return True
    return bool(space.group_id) and can_write_in(user, space) and is_convenor(user, space.group_id)


def can_close_thread(user, thread: Thread) -> bool:
    return can_keep_order(user, thread)


def can_watch_thread(user, thread: Thread) -> bool:
    """Silenced members read and hear, too."""
    return bool(user.is_authenticated and user.is_active and can_view_thread(user, thread))


def can_vote(user, poll: Poll) -> bool:
    """Whoever may write where it is asked, its author too. Whether it is still open is told apart: that is a 409."""
    thread = poll.thread
    return can_write_in(user, thread.space) and thread.is_shown and can_view_thread(user, thread)


def can_see_results(poll: Poll) -> bool:
    """Whoever sees the poll, or nobody, its author included, until it has closed."""
    return poll.results == Poll.Results.ALWAYS or not poll.is_open()


def can_see_votes(user, poll: Poll, *, has_voted: bool) -> bool:
    """Who chose what: in a named poll, for members who have shown their own choice, or once it has closed. In an
    anonymous one nobody, ever."""
    if poll.is_anonymous or not can_see_results(poll):
        return False
    return is_full_member(user) and can_view_thread(user, poll.thread) and (has_voted or not poll.is_open())


def can_close_poll(user, poll: Poll) -> bool:
    """Whoever asked, or a moderator."""
    thread = poll.thread
    if not (can_view_thread(user, thread) and can_write_in(user, thread.space)):
        return False
    return is_author(user, thread) or can_moderate(user)


def can_change_poll(user, poll: Poll) -> bool:
    """Other answers to choose from: whoever asked, before anybody has voted."""
    thread = poll.thread
    return is_author(user, thread) and can_view_thread(user, thread) and can_write_in(user, thread.space)


# --- conversations ---------------------------------------------------------------------------------------------------
class Silence(StrEnum):
    """Why somebody cannot write in a conversation."""

    READER = "reader"  # silenced: reads only
    LEFT = "left"
    ALONE = "alone"  # nobody else is there any more
    APART = "apart"  # one of two blocks the other, or is away: which of it is told to nobody


def why_silent(user, seats: Iterable[Participant]) -> Silence | None:
    """Why this person cannot write to those who have these seats (each with its member), or None if they can.

    Of two people a block, by whichever of them, ends it both ways. Among more it does not: the words of the one are
    folded away for the other, who hears nothing of them.
    """
    here = [seat for seat in seats if not seat.has_left]
    if all(seat.member_id != user.pk for seat in here):
        return Silence.LEFT
    if not can_write(user):
        return Silence.READER
    others = [seat.member for seat in here if seat.member_id != user.pk]
    if not others:
        return Silence.ALONE
    if not any(is_full_member(other) for other in others):
        return Silence.APART
    return Silence.APART if len(others) == 1 and are_apart(user, others[0]) else None


def are_apart(one: Member, other: Member) -> bool:
    """Does one of the two block the other?"""
    between = Q(owner=one.pk, other=other.pk) | Q(owner=other.pk, other=one.pk)
    return Boundary.objects.blocks().filter(between).exists()


def can_write_message(user, thread: Thread) -> bool:
    return why_silent(user, seats_of(thread)) is None


def seats_of(thread: Thread) -> list[Participant]:
    """Everybody's who ever took part, each with its member; in the order in which they came."""
    return list(thread.participants.select_related("member").order_by("joined_at", "pk"))


def can_mute(user, thread: Thread) -> bool:
    """Whoever is in it; a silenced member too."""
    seat = seat_of(user, thread)
    return thread.is_conversation and seat is not None and not seat.has_left
