"""What hangs on a post, drawn by plain tags: a page has up to a hundred posts, and an include for each is dear."""

from functools import cache

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from kmnet.core.templatetags.kmnet import icon

from ..models import Reaction
from ..permissions import has_standing_words

register = template.Library()

ICONS = {Reaction.Kind.THANKS: "heart", Reaction.Kind.ME_TOO: "metoo", Reaction.Kind.TRIED: "tool"}


@cache
def _route(name: str) -> tuple[str, str]:
    before, after = reverse(name, args=[0]).split("/0/")
    return f"{before}/", f"/{after}"


def address(name: str, pk: int) -> str:
    """reverse() for one number, looked up once."""
    before, after = _route(name)
    return f"{before}{pk}{after}"


@register.simple_tag(takes_context=True)
def reaction_bar(context, post):
    """{% reaction_bar post %}: the three reactions with their numbers, to press where the reader may; see hanging.py."""
    signed_in = context["user"].is_authenticated
    return bar(post, csrf_token=context.get("csrf_token") if signed_in else "", signed_in=signed_in)


def bar(post, *, csrf_token, signed_in: bool) -> SafeString:
    who = (
        format_html(
            '<a class="react" href="{}">{}<span class="sr-only"> {}</span></a>',
            address("discussions:reactions", post.pk),
            _("Who"),
            _("reacted to post %(number)s") % {"number": post.number},
        )
        if signed_in and post.reaction_counts
        else ""
    )
    if not post.may_react:
        shown = format_html_join(
            "",
            '<span class="react">{}{} <b>{}</b></span>',
            (
                (icon(sign), kind.label, post.reaction_counts[kind])
                for kind, sign in ICONS.items()
                if kind in post.reaction_counts
            ),
        )
        return format_html('<div class="reactions__all">{}{}</div>', shown, who) if shown else shown
    buttons = format_html_join("", "{}", ((button(post, kind),) for kind in ICONS))
    to = address("discussions:react", post.pk)
    return format_html(
        '<form class="reactions__all" method="post" action="{}" hx-post="{}" hx-target="this" hx-swap="outerHTML">'
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">{}{}</form>',
        to,
        to,
        csrf_token,
        buttons,
        who,
    )


def button(post, kind) -> SafeString:
    """Says what it will do, so that pressing twice is pressing once. Its id keeps the focus after a swap."""
    mine, count = kind in post.my_reactions, post.reaction_counts.get(kind)
    return format_html(
        '<button class="react" id="{}-{}" type="submit" name="set" value="{}" aria-pressed="{}">{}{}{}</button>',
        kind.value,
        post.pk,
        f"{kind.value}:{'off' if mine else 'on'}",
        "true" if mine else "false",
        icon(ICONS[kind]),
        kind.label,
        format_html(" <b>{}</b>", count) if count else "",
    )


@register.simple_tag(takes_context=True)
def keep_menu(context, post):
    """{% keep_menu post %}: lines of a post's menu: keep it, and “this helped me”, which only its giver sees."""
    if not context["user"].is_authenticated or not has_standing_words(post):
        return ""
    keep = format_html(
        '<a href="{}">{}{}</a>',
        address("discussions:keep", post.pk),
        icon("bookmark"),
        _("Kept for later") if post.is_kept else _("Keep for later"),
    )
    if not post.may_react:
        return keep
    thank = format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button type="submit" name="set" value="{}" aria-pressed="{}">{}{}</button></form>',
        address("discussions:helped", post.pk),
        context.get("csrf_token"),
        "off" if post.helped_me else "on",
        "true" if post.helped_me else "false",
        icon("check" if post.helped_me else "heart"),
        _("This helped me (only you see this)"),
    )
    return format_html("{}{}", keep, thank)
