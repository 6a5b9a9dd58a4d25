"""Asking without one's name: who may, under which name, and who may look behind it."""

import random
import re

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet

from kmnet.core.audit import record_act
from kmnet.core.language import language_of
from members.models import Member
from members.permissions import can_moderate
from members.services import nobody

from ..models import DiscussionSettings, Mask, Post, Thread
from .keeping_order import ReasonMissing

NAMES = re.findall(
    r"\w+",
    "Alder Ash Avocet Birch Bittern Cedar Chestnut Crane Curlew Dunlin Egret Elm Fern Finch Gannet Hazel Heron Ibis "
    "Juniper Kestrel Lapwing Larch Lark Linden Linnet Maple Martin Merlin Osprey Ouzel Pine Plover Poplar Puffin Quail "
    "Raven Redshank Reed Robin Rowan Sedge Siskin Sorrel Starling Stork Swift Tamarack Teal Tern Thistle Thrush Walnut "
    "Wheatear Whimbrel Willow Wren Yarrow Yew",
)


class NobodyToUnmask(Exception):
    """Asking without a name is offered only where two moderators are named who could look."""


def unmaskers() -> list[Member]:
    """The two whom the settings name, by name; none where it is not two who may moderate now."""
    found = DiscussionSettings.load()
    if found._state.adding:
        return []
    named = [member for member in found.unmaskers.order_by("name_key", "pk") if can_moderate(member)]
    return named if len(named) == 2 else []


def put_on(*, thread: Thread, author: Member) -> Mask:
    """A mask for the thread that this member is about to begin; before it is saved. Raises NobodyToUnmask."""
    if not unmaskers():
        raise NobodyToUnmask
    name = random.choice(NAMES)
    mask = Mask.objects.create(member=author, name=name)
    thread.mask, thread.mask_name = mask, name
    thread.author = nobody()
    return mask


def worn_in(thread: int, *, mask: int, author: int) -> QuerySet[Mask]:
    """The mask that this member has in the thread (of which `mask` is the one that it was begun under, 0 for none), also
    in one that their posts were moved to."""
    return Mask.objects.filter(
        Q(thread=thread) | Q(pk=mask) | Q(posts__thread=thread), member=author
    ).order_by("pk")


def wear(*, post: Post, thread: Thread, author: Member) -> None:
    """A post goes under the mask where its author has one in this thread; before it is saved."""
    put_under(worn_in(thread.pk, mask=thread.mask_id or 0, author=author.pk).first(), post=post)


def put_under(mask: Mask | None, *, post: Post) -> None:
    """The post is shown as that of whoever wears the mask; None: it stays what it is."""
    if mask is not None:
        post.mask, post.mask_name, post.author = mask, mask.name, nobody()
        post.language = language_of(
            post.source, expected=settings.LANGUAGE_CODE
        )  # not the writer's: that tells


def may_unmask(user) -> bool:
    """One of the two who are named, as long as they moderate."""
    return can_moderate(user) and user.pk in {member.pk for member in unmaskers()}


@transaction.atomic
def unmask(*, thread: Thread, actor: Member, reason: str) -> Member | None:
    """Who began the thread without their name; None where they have left. Logged with the reason before it is told.

    Raises PermissionDenied and ReasonMissing."""
    if not may_unmask(actor) or not thread.mask_id:
        raise PermissionDenied
    if not reason.strip():
        raise ReasonMissing
    record_act(actor=actor, verb="discussions.unmasked", target=thread, reason=reason)
    return thread.mask.member
