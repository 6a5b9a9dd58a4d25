"""Which kinds of mail there are, and what people can choose of them. The apps register their kinds in hooks.py."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from kmnet.core.models.mail import MailChoice

How = MailChoice.How
AT_ONCE, BUNDLED, DIGEST, NEVER = How.AT_ONCE, How.BUNDLED, How.DIGEST, How.NEVER
ANYHOW = (AT_ONCE, BUNDLED, DIGEST, NEVER)


@dataclass(frozen=True)
class Category:
    """A row of the settings page: what somebody hears of, and in which ways they can choose to.

    usual: how it reaches whoever has chosen nothing. hows: what can be chosen. fixed: it cannot be switched off, goes out
    at once, and waits for no quiet hours and no pause. on_site: it also shows among the notifications on kmnet.
    waits: it is held during quiet hours; what comes at an hour of its own is not.
    """

    key: str
    label: str
    hint: str
    usual: How = AT_ONCE
    hows: tuple[How, ...] = ANYHOW
    fixed: bool = False
    on_site: bool = True
    waits: bool = True


def _fixed(key: str, label: str, hint: str, *, on_site: bool = True) -> Category:
    return Category(key, label, hint, AT_ONCE, (AT_ONCE,), fixed=True, on_site=on_site, waits=False)


CATEGORIES: dict[str, Category] = {
    category.key: category
    for category in (
        Category("reply", _("Replies to what I wrote"), _("Somebody answers your question or post")),
        Category("mention", _("Somebody mentions me"), _("Somebody writes your name with an @")),
        Category(
            "messages",
            _("Private messages"),
            _("The first one that you have not read"),
            hows=(AT_ONCE, BUNDLED, NEVER),
        ),
        Category("accepted", _("My answer was chosen"), _("It settled somebody’s question")),
        Category(
            "could_answer",
            _("A question that I could answer"),
            _("Matched to what you can help with, or your turn as a host"),
        ),
        Category(
            "watched",
            _("New posts in threads that I follow"),
            _("The first one that is unread"),
            usual=BUNDLED,
        ),
        Category(
            "every_post",
            _("New posts in spaces and tags that I follow"),
            _("Every new thread there, and what is written in it"),
            usual=BUNDLED,
        ),
        Category(
            "event_reminders",
            _("Reminders before an event"),
            _("A day and an hour before it begins"),
            hows=(AT_ONCE, NEVER),
            on_site=False,
            waits=False,
        ),
        Category(
            "new_resources",
            _("New resources in the library"),
            _("What fits the searches that you have saved"),
            on_site=False,
        ),
        Category("newcomers", _("Newcomers to greet"), _("Somebody has joined whom you could welcome")),
        Category(
            "looking_after",
            _("What I look after in the library"),
            _("Its link is broken, somebody hands you a resource, or a moderator has looked at yours"),
            usual=BUNDLED,
        ),
        Category(
            "groups",
            _("Groups: invitations, and requests to join"),
            _("Somebody invites you, or asks to join a group that you lead"),
            hows=(AT_ONCE, BUNDLED, NEVER),
        ),
        Category(
            "kept",
            _("Reminders of what I keep for later"),
            _("On the day that you have set"),
            hows=(AT_ONCE, NEVER),
            on_site=False,
        ),
        Category(
            "thanks",
            _("Once a month: how many people I helped"),
            _("Members said that what you wrote helped them"),
            hows=(AT_ONCE, NEVER),
        ),
        Category(
            "digest",
            _("The digest"),
            _("What you have not read, in the minutes that you have"),
            hows=(AT_ONCE, NEVER),
            on_site=False,
            waits=False,
        ),
        _fixed(
            "offers",
            _("Places at events"),
            _("An offer ends at a set time, so these always come, and at once"),
            on_site=False,
        ),
        _fixed(
            "event_changes",
            _("Changes of an event"),
            _("It is moved, cancelled or changed, or its organisers write to those who come"),
            on_site=False,
        ),
        _fixed(
            "sign_in",
            _("Signing in and your account"),
            _("Codes, proofs of your address, and what happens to your account"),
            on_site=False,
        ),
    )
}


class Withhold(Exception):
    """Raised by compose: this mail is not to be sent, for the reason given (it is stored on the row)."""


@dataclass(frozen=True)
class Attachment:
    filename: str
    content: bytes
    content_type: str


@dataclass(frozen=True)
class Line:
    """The same news in a few words, for a mail that holds several pieces. `about` ("thread:12") tells which of them
    belong together; they stand under each other."""

    headline: str
    words: str
    url: str
    about: str = ""


@dataclass
class MailContent:
    """What compose returns. The context goes to the three templates of the kind."""

    context: dict = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    reply_to: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    line: Line | None = None  # for what can be bundled
    category: str = ""  # where it is not the kind's
    # Instead of the templates, where thousands of letters differ in little: gets the whole context, gives subject, text
    # and HTML whose rules are inlined.
    write: Callable[[dict], tuple[str, str, str]] | None = None
    from_name: str = ""  # "Maren de Wit" is shown as "Maren de Wit (kmnet)"; the address stays ours


@dataclass(frozen=True)
class MailKind:
    """`template` "discussions/email/reply" means reply_subject.txt, reply_message.txt and reply_message.html there.

    `compose` gets the row at the moment of sending and reads everything afresh by the ids in `mail.refs`; it asks
    again whether the receiver may see the thing, and raises Withhold where not.

    `bundles`: several of them can go out as one mail (compose then gives a `line`); what does not goes out at once, also
    to those who want the category bundled. `prepare`, for bulk: gets up to SLICE rows that are about to be sent, with
    their members, and gives for each row's pk what compose then finds in `mail.prepared`, at most a minute later; None
    there means that compose must ask for everything itself (also where prepare failed).
    """

    key: str
    label: str
    template: str
    compose: Callable[..., MailContent]
    category: str | None = None
    bulk: bool = False
    bundles: bool = False
    prepare: Callable[[list], dict[int, object]] | None = None
    reaches_leavers: bool = False  # also goes to somebody whose account is about to be deleted
    why: str = ""  # the sentence that says why they got it; compose may give a better one in the context

    @property
    def list_category(self) -> Category | None:
        """The category, where it can be switched off: then the mail is list mail, with the headers of RFC 8058."""
        category = CATEGORIES.get(self.category)
        return None if category is None or category.fixed else category


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
