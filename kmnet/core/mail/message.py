"""From a row of the outbox to the message on the wire, made at the moment of sending."""

import logging
import re
import zoneinfo
from contextlib import ExitStack
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import cache

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from kmnet.core import activity, inbound
from kmnet.core.models import Activity, CommunitySettings
from kmnet.core.text import clean_line, clean_text

from . import links
from .choices import wants
from .kinds import CATEGORIES, MailContent, MailKind, Withhold, get_kind

logger = logging.getLogger(__name__)

SUBJECT_LENGTH = 180  # longer ones are cut by mail programs anyway
TOO_LARGE = 100_000  # Gmail hides what comes after


class Message(EmailMultiAlternatives):
    def message(self, **kwargs):
        """Django folds what is long before its first word, which leaves a header that starts with an empty line; some
        readers lose the rest, such as the link of List-Unsubscribe. Lines may have 998 characters."""
        made = super().message(**kwargs)
        made.policy = made.policy.clone(max_line_length=998)
        if not self.subject.isascii():
            made.replace_header("Subject", Header(self.subject, "utf-8", header_name="Subject").encode())
        return made


def build_message(mail) -> EmailMultiAlternatives:
    """The whole message. Raises Withhold where it is not to be sent."""
    kind = get_kind(mail.kind)
    refuse_unwanted(mail, kind)
    with ExitStack() as stack:
        stack.enter_context(translation.override(language_of(mail)))
        stack.enter_context(timezone.override(zone_of(mail)))
        content = kind.compose(mail)
        context = full_context(mail, kind, content)
        subject = clean_line(render(f"{kind.template}_subject.txt", context, escaped=False))
        text = clean_text(render(f"{kind.template}_message.txt", context, escaped=False)).strip() + "\n"
        html = render(f"{kind.template}_message.html", {**context, "subject": subject}, escaped=True)
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
    html = harmless(inliner().inline(clean_text(html)))
    if len(html) > TOO_LARGE:
        logger.warning("mail %s of kind %s is %s bytes long", mail.pk, mail.kind, len(html))
    message.attach_alternative(html, "text/html")
    for attachment in content.attachments:
        message.attach(clean_line(attachment.filename), attachment.content, attachment.content_type)
    return message


def refuse_unwanted(mail, kind: MailKind) -> None:
    """Nobody gets what they may not have any more, or have switched off."""
    member = mail.member
    if member is not None:
        if member.status in ("suspended", "erased"):
            raise Withhold(f"the member is {member.status}")
        if member.status == "leaving" and not kind.reaches_leavers:
            raise Withhold("the member is leaving")
        if kind.list_category is not None and not is_proven(member):
            raise Withhold("the member has not proven their address")
    if not wants(kind.category, member_id=mail.member_id, address=mail.address):
        raise Withhold(f"switched off by the receiver: {kind.category}")
    if member is not None and "activity" in mail.refs:
        deed = Activity.objects.filter(pk=mail.refs["activity"]).first()
        if deed is not None and deed.actor_id != member.pk and not activity.those_told(deed, {member.pk}):
            raise Withhold("the receiver does not want to hear of it")


def is_proven(member) -> bool:
    """List mail goes only to addresses that somebody has proven to be theirs."""
    return member.emailaddress_set.filter(email__iexact=member.email, verified=True).exists()


def language_of(mail) -> str:
    return mail.member.language if mail.member_id else mail.language


def zone_of(mail) -> zoneinfo.ZoneInfo:
    """The receiver's zone; of a guest the one they gave, else the community's."""
    name = mail.member.time_zone if mail.member_id else mail.refs.get("time_zone")
    try:
        return zoneinfo.ZoneInfo(name or CommunitySettings.load().time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def full_context(mail, kind: MailKind, content: MailContent) -> dict:
    """What every template may count on, and what compose gave."""
    context = {
        "recipient": mail.member,
        "language": translation.get_language(),
        "is_rtl": translation.get_language_bidi(),
        "site_url": settings.SITE_URL,
        "community": CommunitySettings.load(),
        "why": kind.why or _("You get this because of something that you did or asked for at kmnet."),
        "settings_url": links.settings_url(mail) if mail.member_id or kind.list_category else "",
        "unsubscribe_url": links.unsubscribe_url(mail, kind.category) if kind.list_category else "",
        "category": kind.category,
        "category_label": CATEGORIES[kind.category].label if kind.category else "",
    }
    context |= content.context
    if inbound.is_reply_address(content.reply_to or ""):
        context.setdefault("reply_line", _("Your words go straight into the discussion."))
    else:
        context.pop("reply_line", None)
    return context


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
    if kind.list_category:
        headers["List-Id"] = f"{kind.category} <{kind.category.replace('_', '-')}.{settings.MAIL_DOMAIN}>"
        headers["List-Unsubscribe"] = f"<{context['unsubscribe_url']}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers | {name: clean_line(str(value)) for name, value in content.headers.items()}


def sender(name: str) -> str:
    """Our address, with the name of the person who wrote in front where there is one."""
    ours, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    # Mail servers drop or misread senders with these in their names; an address in a name would also deceive.
    name = re.sub(r'[@:;,"<>()\[\]\\]', " ", name)
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
