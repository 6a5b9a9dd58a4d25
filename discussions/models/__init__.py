"""Spaces, threads, posts, what each member has read of them, and what hangs on them."""

from .files import PostFile
from .following import Mention, SpaceLevel, TagLevel
from .keeping import Bookmark, Draft
from .levels import Following
from .masked import written_by
from .moved import MovedPost
from .numbers import NumbersField
from .polls import Poll, PollOption, Vote
from .post import HeldFor, Post, PostVersion
from .private import Mask, Participant
from .promise import AskedToAnswer, OwedReply
from .reactions import QuietThanks, Reaction, ThanksMonth
from .reading import CaughtUp, Level, Owed, ReadState, ThreadWatch
from .settings import DiscussionSettings
from .space import MayStart, Readers, Space
from .taking_back import UNDO, grace
from .thread import Kind, Thread

__all__ = [
    "UNDO",
    "AskedToAnswer",
    "Bookmark",
    "CaughtUp",
    "DiscussionSettings",
    "Draft",
    "HeldFor",
    "Following",
    "Kind",
    "Level",
    "Mask",
    "MayStart",
    "Mention",
    "MovedPost",
    "NumbersField",
    "Owed",
    "OwedReply",
    "Participant",
    "Poll",
    "PollOption",
    "Post",
    "PostFile",
    "PostVersion",
    "QuietThanks",
    "Reaction",
    "ReadState",
    "Readers",
    "Space",
    "SpaceLevel",
    "TagLevel",
    "ThanksMonth",
    "Thread",
    "ThreadWatch",
    "Vote",
    "written_by",
    "grace",
]
