"""From a row of the outbox to the message on the wire, made at the moment of sending."""

import logging
import re
import uuid
import zoneinfo
from contextlib import ExitStack
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import cache, partial

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from kmnet.core import activity, bounces, inbound
from kmnet.core.models import Activity, CommunitySettings
from kmnet.core.models.mail import BUNDLE
from kmnet.core.text import clean_line, clean_text

from . import bundles, holding, links
from .choices import wants
from .holding import Later, zone_named
from .kinds import CATEGORIES, Category, MailContent, MailKind, Withhold, get_kind

logger = logging.getLogger(__name__)

SUBJECT_LENGTH = 180  # longer ones are cut by mail programs anyway
TOO_LARGE = 100_000  # Gmail hides what comes after


class Message(EmailMultiAlternatives):
    def message(self, **kwargs):
        """Django folds what is long before its first word, which leaves a header that starts with an empty line; some
        readers lose the rest, such as the link of List-Unsubscribe. Lines may have 998 characters."""
        made = super().message(**kwargs)
        made.policy = made.policy.clone(max_line_length=998)
        # What looks as if it were encoded would be read as something else.
        if not self.subject.isascii() or "=?" in self.subject:
            made.replace_header("Subject", Header(self.subject, "utf-8", header_name="Subject").encode())
        made.as_bytes = partial(as_bytes, made)
        return made


def as_bytes(made, unixfrom: bool = False, linesep: str = "\n") -> bytes:
    """What the message says of itself, for the one form that nearly all of ours have (text and HTML, nothing attached) at
    a tenth of the price; a digest goes to a hundred thousand."""
    plain = type(made).as_bytes
    if unixfrom or made.get_content_type() != "multipart/alternative":
        return plain(made, unixfrom, linesep)
    if made.get_boundary() is None:
        made.set_boundary(f"==={uuid.uuid4().hex}===")
    parts, boundary = made.get_payload(), made.get_boundary()
    pieces = [_headers(made)]
    for part in parts:
        payload = part.get_payload()
        if part.get_content_maintype() != "text" or not isinstance(payload, str) or boundary in payload:
            return plain(made, unixfrom, linesep)
        pieces.append(f"\n--{boundary}\n{_headers(part)}\n{payload}")
    pieces.append(f"\n--{boundary}--\n")
    text = "".join(pieces)
    if any(len(line) > 998 for line in text.split("\n")):  # the library folds it
        return plain(made, unixfrom, linesep)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines.replace("\n", linesep).encode("utf-8", "surrogateescape")


def _headers(part) -> str:
    return "".join(f"{name}: {value}\n" for name, value in part.raw_items())


def build_message(mail) -> EmailMultiAlternatives:
    """The whole message. Raises Withhold where it is not to be sent, Later where not now."""
    kind = get_kind(mail.kind)
    refuse_unwanted(mail, kind)
    with ExitStack() as stack:
        stack.enter_context(translation.override(language_of(mail)))
        stack.enter_context(timezone.override(zone_of(mail)))
        if kind.key == BUNDLE:
            _row, kind, content = bundles.letter(mail, refuse_unwanted)
        else:
            content = kind.compose(mail)
        context = full_context(mail, kind, content)
        subject, text, html = (content.write or partial(write, kind))(context)
        subject, text = clean_line(subject), clean_text(text).strip() + "\n"
        headers = headers_of(mail, kind, context, content)
    reply_to = content.reply_to or context["community"].contact_email or inbound.no_reply_address()
    message = Message(
        subject=shorten(subject),
        body=re.sub(r"\n{3,}", "\n\n", text),
        from_email=sender(content.from_name),
        to=[clean_line(mail.member.email if mail.member_id else mail.address)],
        reply_to=[clean_line(reply_to)] if reply_to else None,
        headers=headers,
    )
    message.mail_id = mail.pk  # of the row; for whoever takes it to the mail server
    if len(html) > TOO_LARGE:
        logger.warning("mail %s of kind %s is %s bytes long", mail.pk, mail.kind, len(html))
    message.attach_alternative(html, "text/html")
    for attachment in content.attachments:
        message.attach(clean_line(attachment.filename), attachment.content, attachment.content_type)
    return message


def write(kind: MailKind, context: dict) -> tuple[str, str, str]:
    """Subject, text and HTML by the templates of the kind."""
    subject = clean_line(render(f"{kind.template}_subject.txt", context, escaped=False))
    text = render(f"{kind.template}_message.txt", context, escaped=False)
    html = render(f"{kind.template}_message.html", {**context, "subject": subject}, escaped=True)
    return subject, text, harmless(inliner().inline(clean_text(html)))


def refuse_unwanted(mail, kind: MailKind) -> None:
    """Nobody gets what they may not have any more, or have switched off. Raises Withhold, or Later in quiet hours."""
    if returned := bounces.refusal(mail, kind.category):
        raise Withhold(returned)
    member = mail.member
    if member is not None:
        if member.status in ("suspended", "erased"):
            raise Withhold(f"the member is {member.status}")
        if member.status == "leaving" and not kind.reaches_leavers:
            raise Withhold("the member is leaving")
        if kind.list_category is not None:
            refuse_unwished(mail, kind.category)
    elif not wants(kind.category, address=mail.address):
        raise Withhold(f"switched off by the receiver: {kind.category}")
    if member is not None and "activity" in mail.refs:
        deed = Activity.objects.filter(pk=mail.refs["activity"]).first()
        if deed is not None and deed.actor_id != member.pk and not activity.those_told(deed, {member.pk}):
            raise Withhold("the receiver does not want to hear of it")


def refuse_unwished(mail, category: str) -> None:
    """List mail goes only to addresses that somebody has proven to be theirs, and as they want it at this moment."""
    now = timezone.now()
    is_proven, wish = holding.standing(mail.member, category)
    if not is_proven:
        raise Withhold("the member has not proven their address")
    if reason := wish.refusal(now):
        raise Withhold(reason)
    if wish.not_before(now) > now and not mail.is_preview:
        raise Later(wish.not_before(now))


def language_of(mail) -> str:
    return mail.member.language if mail.member_id else mail.language


def zone_of(mail) -> zoneinfo.ZoneInfo:
    """The receiver's zone; of a guest the one they gave, else the community's."""
    return zone_named(mail.member.time_zone if mail.member_id else mail.refs.get("time_zone"))


def full_context(mail, kind: MailKind, content: MailContent) -> dict:
    """What every template may count on, and what compose gave."""
    category = list_category(kind, content)
    key = category.key if category else ""
    context = {
        "recipient": mail.member,
        "language": translation.get_language(),
        "is_rtl": translation.get_language_bidi(),
        "site_url": settings.SITE_URL,
        "community": CommunitySettings.load(),
        "why": kind.why or _("You get this because of something that you did or asked for at kmnet."),
        "settings_url": links.settings_url(mail) if mail.member_id or category else "",
        "unsubscribe_url": links.unsubscribe_url(mail, key) if category else "",
        "stop_all_url": links.stop_all_url(mail) if category else "",
        "switch_url": links.switch_url(mail, key) if category else "",
        "category": content.category or kind.category,
        "category_label": category.label if category else "",
    }
    context |= content.context
    if inbound.is_reply_address(content.reply_to or ""):
        context.setdefault("reply_line", _("Your words go straight into the discussion."))
    else:
        context.pop("reply_line", None)
    return context


def list_category(kind: MailKind, content: MailContent) -> Category | None:
    """What can be switched off so that such a mail comes no more; None where it always comes."""
    return CATEGORIES[content.category] if content.category else kind.list_category


def render(template: str, context: dict, *, escaped: bool) -> str:
    """Text is not escaped, HTML is; the ending alone does not tell Django."""
    return get_template(template).template.render(Context(context, autoescape=escaped))


def headers_of(mail, kind: MailKind, context: dict, content: MailContent) -> dict[str, str]:
    headers = {
        "Date": format_datetime(timezone.now()),
        "Message-ID": mail.message_id,  # the row's own: a repeated delivery can be told by it
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": translation.get_language(),
    }
    category = list_category(kind, content)
    # For the statistics that the big providers show to the sender: kinds, and nobody's name or number.
    headers["Feedback-ID"] = f"{kind.key}:{category.key if category else 'needed'}:{settings.MAIL_DOMAIN}"
    if category:
        headers["List-Id"] = f"{category.key} <{category.key.replace('_', '-')}.{settings.MAIL_DOMAIN}>"
        headers["List-Unsubscribe"] = f"<{context['unsubscribe_url']}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers | {name: clean_line(str(value)) for name, value in content.headers.items()}


def sender(name: str) -> str:
    """Our address, with the name of the person who wrote in front where there is one."""
    ours, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    # Mail servers drop or misread senders with these in their names; an address in a name would also deceive.
    name = re.sub(r'[@:;,"<>()\[\]\\]|=\?|\?=', " ", name)
    name = shorten(clean_line(name), 60)
    return formataddr((f"{name} ({ours})" if name and ours else name or ours, address), charset="utf-8")


def shorten(line: str, length: int = SUBJECT_LENGTH) -> str:
    if len(line) <= length:
        return line
    return line[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;:.-") + "…"


@cache
def inliner() -> css_inline.CSSInliner:
    """Mail programs drop style sheets, so rules go to their elements; @media rules (dark, narrow) stay as they are."""
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_REMOTE = re.compile(r"""\bsrc\s*=\s*["']?+\s*+(?!cid:)""", re.IGNORECASE)
_LOCAL_LINK = re.compile(r"""(\bhref=["'])/(?!/)""")


def harmless(html: str) -> str:
    """No picture is fetched when the mail is opened: that tells its server who reads. Our own links get our address."""

    def alternative(match: re.Match) -> str:
        if not _REMOTE.search(match[0]):
            return match[0]
        alt = _ALT.search(match[0])
        return (alt[1] or alt[2] or "") if alt else ""

    return _LOCAL_LINK.sub(rf"\1{escape(settings.SITE_URL)}/", _IMAGE.sub(alternative, html))
