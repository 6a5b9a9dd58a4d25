"""Spaces, threads, posts, and what each member has read of them."""

from .numbers import NumbersField
from .post import Post, PostVersion
from .reading import ReadState, ThreadWatch
from .space import MayStart, Readers, Space
from .thread import Kind, Thread

__all__ = [
    "Kind",
    "MayStart",
    "NumbersField",
    "Post",
    "PostVersion",
    "ReadState",
    "Readers",
    "Space",
    "Thread",
    "ThreadWatch",
]
