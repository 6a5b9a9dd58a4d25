"""Every write of this app. Each locks the thread's row first; who holds it numbers, counts and decides alone."""

from .answers import accept_answer, unaccept_answer
from .bookmarks import drop_bookmark, keep_post, remind_of_kept
from .keeping_order import ReasonMissing, close_thread, hide_post, release_post, reopen_thread, restore_post
from .leaving import forget_author
from .levels import (
    set_space_level,
    set_tag_level,
    set_watch,
    unset_space_level,
    unset_tag_level,
    unset_watch,
)
from .limits import LimitReached
from .polls import (
    AlreadyVoted,
    PollClosed,
    PollWanted,
    change_options,
    close_due_polls,
    close_poll,
    vote,
)
from .posts import ChangedMeanwhile, ThreadClosed, add_reply, edit_post, start_thread, state_of
from .reactions import set_reaction
from .reading import forget_reader, mark_all_read, mark_posts_read, mark_unread_from
from .spaces import open_group_space, seed_spaces
from .taking_back import delete_post, undelete_post, wipe_taken_back
from .thanks import months_of, set_quiet_thanks, tell_of_thanks

__all__ = [
    "vote",
    "close_poll",
    "close_due_polls",
    "change_options",
    "PollWanted",
    "PollClosed",
    "AlreadyVoted",
    "tell_of_thanks",
    "set_quiet_thanks",
    "remind_of_kept",
    "months_of",
    "keep_post",
    "drop_bookmark",
    "LimitReached",
    "ChangedMeanwhile",
    "ReasonMissing",
    "ThreadClosed",
    "accept_answer",
    "add_reply",
    "close_thread",
    "delete_post",
    "edit_post",
    "forget_author",
    "forget_reader",
    "hide_post",
    "mark_all_read",
    "mark_posts_read",
    "mark_unread_from",
    "open_group_space",
    "release_post",
    "reopen_thread",
    "restore_post",
    "seed_spaces",
    "set_reaction",
    "set_space_level",
    "set_tag_level",
    "set_watch",
    "start_thread",
    "state_of",
    "unaccept_answer",
    "unset_space_level",
    "unset_tag_level",
    "unset_watch",
    "undelete_post",
    "wipe_taken_back",
]
