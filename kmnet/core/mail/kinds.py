"""Which kinds of mail there are. The apps register theirs in hooks.py."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

# What a person can switch off. A kind without a category always goes out: sign-in, offers, changes of an event.
CATEGORIES = {
    "reply": _("Replies to what I wrote"),
    "mention": _("Somebody mentions me"),
    "watched": _("New posts in what I follow"),
    "messages": _("Private messages"),
    "could_answer": _("A question that I could answer"),
    "kept": _("Reminders of what I keep for later"),
    "thanks": _("Once a month: how many people I helped"),
    "event_reminders": _("Reminders before an event"),
    "new_resources": _("New resources in the library"),
    "digest": _("The digest"),
    "newcomers": _("Newcomers to greet"),
    "groups": _("Groups: invitations, and requests to join"),
}


class Withhold(Exception):
    """Raised by compose: this mail is not to be sent, for the reason given (it is stored on the row)."""


@dataclass(frozen=True)
class Attachment:
    filename: str
    content: bytes
    content_type: str


@dataclass
class MailContent:
    """What compose returns. The context goes to the three templates of the kind."""

    context: dict = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    reply_to: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    from_name: str = ""  # "Maren de Wit" is shown as "Maren de Wit (kmnet)"; the address stays ours


@dataclass(frozen=True)
class MailKind:
    """`template` "discussions/email/reply" means reply_subject.txt, reply_message.txt and reply_message.html there.

    `compose` gets the row at the moment of sending and reads everything afresh by the ids in `mail.refs`; it asks
    again whether the receiver may see the thing, and raises Withhold where not.
    """

    key: str
    label: str
    template: str
    compose: Callable[..., MailContent]
    category: str | None = None
    bulk: bool = False
    reaches_leavers: bool = False  # also goes to somebody whose account is about to be deleted
    why: str = ""  # the sentence that says why they got it; compose may give a better one in the context


_kinds: dict[str, MailKind] = {}


def register(kind: MailKind) -> None:
    if kind.category is not None and kind.category not in CATEGORIES:
        raise ValueError(f"mail kind {kind.key}: no category {kind.category!r}")
    if _kinds.get(kind.key, kind).template != kind.template:
        raise ValueError(f"mail kind {kind.key} is registered twice")
    _kinds[kind.key] = kind


def get_kind(key: str) -> MailKind:
    """LookupError where no app registered it."""
    return _kinds[key]


def all_kinds() -> list[MailKind]:
    return sorted(_kinds.values(), key=lambda kind: kind.key)
