"""What we answer to a mail that came in: why it could not be taken, with the sender's own words; or what became of it."""

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.utils.html import linebreaks
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kmnet.core import mail as outbox
from kmnet.core.mail import MailContent, MailKind, Withhold
from kmnet.core.models import ReceivedMail, ReplyAddress

from . import registry
from .addresses import LOCAL_PART
from .reading import read
from .refusals import REFUSALS

LONGEST = 20_000  # characters of their words that are given back; more would be cut by their mail program
State = ReceivedMail.State


def find(mail) -> ReceivedMail:
    received = ReceivedMail.objects.select_related("member").filter(pk=mail.refs.get("received")).first()
    if received is None:
        raise Withhold("the mail that it answers is gone")
    return received


def compose_rejected(mail) -> MailContent:
    """The named reason, what to do, and what they wrote: no word is lost."""
    received = find(mail)
    if received.state != State.REJECTED:
        raise Withhold("the mail that it answers was taken meanwhile")
    refusal = REFUSALS[received.reason]
    theirs = read(bytes(received.raw))
    given_back = wrote_it(received) and not mail.is_preview
    words = theirs.body.words[:LONGEST] if given_back else ""
    sentence = received.note if received.reason != "error" else ""
    context = {
        "subject_line": theirs.subject if wrote_it(received) else "",
        "sentence": sentence or refusal.sentence,
        "advice": refusal.advice,
        "words": words,
        "words_html": mark_safe(linebreaks(words, autoescape=True)),
        "url": "" if mail.is_preview else place_of(received),
        "why": _("You get this because you wrote to kmnet by mail."),
    }
    return MailContent(context=context, headers=answering(theirs.message_id))


def compose_receipt(mail) -> MailContent:
    """It was taken, and there is something to say about it."""
    received = find(mail)
    context = {
        "sentence": mail.refs.get("tell", ""),
        "url": settings.SITE_URL + mail.refs["url"] if mail.refs.get("url") and not mail.is_preview else "",
        "why": _("You get this because you wrote to kmnet by mail."),
    }
    return MailContent(context=context, headers=answering(received.message_id))


def answering(message_id: str) -> dict[str, str]:
    """Marked as written by a machine, so that no other machine answers; and shown below what it answers."""
    headers = {"Auto-Submitted": "auto-replied"}
    if message_id.isascii() and message_id.startswith("<") and " " not in message_id:
        headers |= {"In-Reply-To": message_id, "References": message_id}
    return headers


def wrote_it(received: ReceivedMail) -> bool:
    """Their domain vouches for it, or it came to a reply address that only they were given. Else anybody may have put
    their address into From, to have words of their own delivered by us."""
    return bool(received.authenticated) or own_address(received) is not None


def own_address(received: ReceivedMail) -> ReplyAddress | None:
    """The reply address that it came to, if that is its sender's."""
    local = received.recipient.rpartition("@")[0]
    if received.member_id is None or not local.startswith(LOCAL_PART):
        return None
    token = local.removeprefix(LOCAL_PART)
    return ReplyAddress.objects.filter(token=token, member=received.member_id).first()


def place_of(received: ReceivedMail) -> str:
    """Where on the site it can be said instead; for the owner of the reply address only, and if they may see it now."""
    address = own_address(received)
    if address is None:
        return ""
    model = ContentType.objects.get_for_id(address.target_type_id).model_class()
    target = model._base_manager.filter(pk=address.target_id).first() if model else None
    purpose = registry.get_purpose(address.purpose)
    if target is None or purpose is None or not purpose.may_see(received.member, target):
        return ""
    return settings.SITE_URL + address_of(target)


def address_of(target) -> str:
    whole = getattr(target, "get_absolute_url", None)
    return whole() if whole else getattr(target, "event", None) and target.event.get_absolute_url() or ""


outbox.register(
    MailKind(
        "core.inbound_rejected",
        gettext_lazy("By mail: it could not be taken"),
        "core/email/inbound_rejected",
        compose_rejected,
        reaches_leavers=True,
    )
)
outbox.register(
    MailKind(
        "core.inbound_receipt",
        gettext_lazy("By mail: what became of it"),
        "core/email/inbound_receipt",
        compose_receipt,
    )
)
