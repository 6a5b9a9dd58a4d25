"""The one rule about posts that their authors took back.

Such a post is in the state "deleted", so it is `shown()` to nobody: it counts as no reply and is in no list, search, mail,
digest or contribution. While replies to it stand, a stub keeps its place; else it is `gone` from the page too, and a
thread of which nothing is left is in that state itself. For UNDO its author may have it back; then a task wipes the words
and what they replaced, unless somebody has reported it and nobody has looked. Numbers stay what they are.
"""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from kmnet.core.models.moderation import Hideable

UNDO = timedelta(minutes=10)


def grace() -> timedelta:
    """For so long after it appeared, an edit leaves no trace, and mails about the post wait."""
    return timedelta(minutes=settings.POST_GRACE_MINUTES)


class State(models.TextChoices):
    """Those of Hideable, and one more."""

    VISIBLE = "visible", _("visible")
    HELD = "held", _("held until a moderator has looked")
    HIDDEN = "hidden", _("hidden")  # by moderators only
    DELETED = "deleted", _("taken back")  # by its author


class MayBeTakenBack(Hideable):
    """A Hideable with the state "deleted"."""

    State = State

    state = models.CharField(_("state"), max_length=8, choices=State, default=State.VISIBLE)

    class Meta:
        abstract = True
