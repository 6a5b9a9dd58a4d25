"""Every write of this app. Each locks the thread's row first; who holds it numbers, counts and decides alone."""

from .answers import accept_answer, say_still_open, unaccept_answer
from .bookmarks import drop_bookmark, keep_post, remind_of_kept
from .conversations import (
    CannotReach,
    CannotWrite,
    WrongNumber,
    add_person,
    delete_deserted,
    leave_conversation,
    mute_conversation,
    send_message,
    start_conversation,
    unmute_conversation,
)
from .drafts import DraftRefused, Sent, drop_draft, save_draft, texts_of
from .files import as_markdown, keep_file
from .held import tell_of_long_held
from .keeping_order import (
    ReasonMissing,
    close_thread,
    hide_post,
    hide_reported_post,
    pin_thread,
    release_post,
    reopen_thread,
    restore_post,
    slow_thread,
    unpin_thread,
)
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
from .masks import NobodyToUnmask, may_unmask, unmask, unmaskers
from .moving import CannotMove, merge_thread, move_thread, split_thread
from .polls import (
    AlreadyVoted,
    PollClosed,
    PollWanted,
    change_options,
    close_due_polls,
    close_poll,
    vote,
)
from .posts import (
    ChangedMeanwhile,
    ThreadClosed,
    WrittenMeanwhile,
    add_reply,
    edit_post,
    start_thread,
    state_of,
)
from .reactions import set_reaction
from .reading import forget_reader, mark_all_read, mark_posts_read, mark_unread_from
from .spaces import open_group_space, seed_spaces
from .taking_back import delete_post, undelete_post, wipe_taken_back
from .thanks import months_of, set_quiet_thanks, tell_of_thanks

__all__ = [
    "NobodyToUnmask",
    "may_unmask",
    "unmask",
    "unmaskers",
    "AlreadyVoted",
    "CannotMove",
    "CannotReach",
    "CannotWrite",
    "ChangedMeanwhile",
    "DraftRefused",
    "LimitReached",
    "PollClosed",
    "PollWanted",
    "ReasonMissing",
    "Sent",
    "ThreadClosed",
    "WrittenMeanwhile",
    "WrongNumber",
    "accept_answer",
    "add_person",
    "add_reply",
    "as_markdown",
    "change_options",
    "close_due_polls",
    "close_poll",
    "close_thread",
    "delete_deserted",
    "delete_post",
    "drop_bookmark",
    "drop_draft",
    "edit_post",
    "forget_author",
    "forget_reader",
    "hide_post",
    "keep_file",
    "hide_reported_post",
    "keep_post",
    "leave_conversation",
    "mark_all_read",
    "mark_posts_read",
    "mark_unread_from",
    "merge_thread",
    "months_of",
    "move_thread",
    "mute_conversation",
    "open_group_space",
    "pin_thread",
    "release_post",
    "remind_of_kept",
    "reopen_thread",
    "restore_post",
    "save_draft",
    "say_still_open",
    "seed_spaces",
    "send_message",
    "set_quiet_thanks",
    "set_reaction",
    "set_space_level",
    "set_tag_level",
    "set_watch",
    "slow_thread",
    "split_thread",
    "start_conversation",
    "start_thread",
    "state_of",
    "tell_of_long_held",
    "tell_of_thanks",
    "texts_of",
    "unaccept_answer",
    "undelete_post",
    "unmute_conversation",
    "unpin_thread",
    "unset_space_level",
    "unset_tag_level",
    "unset_watch",
    "vote",
    "wipe_taken_back",
]
