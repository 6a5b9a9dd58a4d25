"""What can be done by mail: answering things (by a reply address), and writing to a mailbox such as ask@."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import models


@dataclass(frozen=True)
class Attachment:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Reply:
    """One mail by a member, read: what a purpose or a mailbox is given to act upon."""

    member: models.Model
    text: str  # in their words only
    cut: str = ""  # quotations and signature, as they came
    subject: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    target: models.Model | None = None  # what is answered; None at a mailbox
    submit_key: UUID | None = None  # the same for every try with this mail: a deed that knows it is done once
    authenticated: bool = True  # the receiving server found that the sender's domain vouches for it
    answers: models.Model | None = None  # the OutgoingMail that it answers, where that is known
    detail: str = ""  # of a mailbox: what stands behind the “+”


@dataclass(frozen=True)
class Done:
    """What came of it. `tell`: a sentence for the member, where a page would have shown one ("A moderator looks ...");
    `url`: where it stands; `note`: why it is held, of what waits for a moderator."""

    result: models.Model | None = None
    tell: str = ""
    url: str = ""
    held: bool = False


class Refused(Exception):
    """It cannot be done, for a reason that has a name (kmnet.core.inbound.refusals) and perhaps a sentence of its own,
    in the member's language. The member gets a mail with it, and their words back."""

    def __init__(self, code: str, sentence: str = ""):
        super().__init__(code)
        self.code, self.sentence = code, str(sentence)


@dataclass(frozen=True)
class ReplyPurpose:
    """`handle` runs in the transaction that marks the mail as done; it asks what the page would ask, and raises Refused.
    `may_see(member, target)`: whether a mail that refuses may lead there."""

    key: str
    handle: Callable[[Reply], Done]
    needs_words: bool = True
    may_see: Callable[[object, models.Model], bool] = lambda _member, _target: False


@dataclass(frozen=True)
class Mailbox:
    """`name`@our domain, for members. `handle` as for ReplyPurpose; whether the sender is proven stands in the Reply."""

    name: str
    handle: Callable[[Reply], Done]


_purposes: dict[str, ReplyPurpose] = {}
_mailboxes: dict[str, Mailbox] = {}
_notice_handlers: list[Callable] = []


def register_purpose(purpose: ReplyPurpose) -> None:
    _purposes[purpose.key] = purpose


def get_purpose(key: str) -> ReplyPurpose | None:
    return _purposes.get(key)


def register_mailbox(mailbox: Mailbox) -> None:
    _mailboxes[mailbox.name] = mailbox


def get_mailbox(name: str) -> Mailbox | None:
    return _mailboxes.get(name)


def register_notice_handler(handler: Callable) -> None:
    """`handler(received) -> bool`: is this mail (a ReceivedMail) a notice of non-delivery or a complaint that you have
    noted? It runs in the transaction that marks it as done."""
    if handler not in _notice_handlers:
        _notice_handlers.append(handler)


def notice_handlers() -> list[Callable]:
    return list(_notice_handlers)
