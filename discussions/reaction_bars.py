"""What hangs on a post, drawn by plain tags: a page has up to a hundred posts, and an include for each is dear."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from kmnet.core.addresses import address
from kmnet.core.pure import pure
from kmnet.core.templatetags.kmnet import icon

from .models import Reaction

ICONS = {Reaction.Kind.THANKS: "heart", Reaction.Kind.ME_TOO: "metoo", Reaction.Kind.TRIED: "tool"}
KINDS = tuple(ICONS)


def bar(post, *, csrf_token, signed_in: bool) -> SafeString:
    counts = tuple(post.reaction_counts.get(kind) for kind in KINDS)
    mine = tuple(kind in post.my_reactions for kind in KINDS)
    html = bar_html(counts, mine, post.may_react, signed_in)
    return mark_safe(  # safe already; what is put in are two numbers and a token of letters and digits
        html.replace("{pk}", str(post.pk))
        .replace("{number}", str(post.number))
        .replace("{token}", str(csrf_token))
    )


@pure(maxsize=2000)
def bar_html(counts: tuple, mine: tuple, may_react: bool, signed_in: bool) -> SafeString:
    """The bar with room for what differs from post to post; nothing that people wrote is in it."""
    who = ""
    if signed_in and any(counts):
        who = format_html(
            '<a class="react" href="{}">{}<span class="sr-only"> {}</span></a>',
            address_of("discussions:reactions"),
            _("Who"),
            _("reacted to post %(number)s") % {"number": "{number}"},
        )
    if not may_react:
        shown = format_html_join(
            "",
            '<span class="react">{}{} <b>{}</b></span>',
            (
                (icon(ICONS[kind]), kind.label, count)
                for kind, count in zip(KINDS, counts, strict=True)
                if count
            ),
        )
        return format_html('<div class="reactions__all">{}{}</div>', shown, who) if shown else mark_safe("")
    buttons = format_html_join(
        "", "{}", ((button(kind, count, own),) for kind, count, own in zip(KINDS, counts, mine, strict=True))
    )
    to = address_of("discussions:react")
    return format_html(
        '<form class="reactions__all" method="post" action="{}" hx-post="{}" hx-target="this" hx-swap="outerHTML">'
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">{}{}</form>',
        to,
        to,
        "{token}",
        buttons,
        who,
    )


def button(kind, count: int | None, mine: bool) -> SafeString:
    """Says what it will do, so that pressing twice is pressing once. Its id keeps the focus after a swap."""
    return format_html(
        '<button class="react" id="{}-{}" type="submit" name="set" value="{}" aria-pressed="{}">{}{}{}</button>',
        kind.value,
        "{pk}",
        f"{kind.value}:{'off' if mine else 'on'}",
        "true" if mine else "false",
        icon(ICONS[kind]),
        kind.label,
        format_html(" <b>{}</b>", count) if count else "",
    )


def address_of(name: str) -> str:
    """With room for the number."""
    return address(name, 0).replace("/0/", "/{pk}/")


def menu_lines(post, token: str) -> str:
    """Lines of a post's menu: keep it, and “this helped me”, which only its giver sees."""
    html = menu_html(post.is_kept, post.may_react, post.helped_me)
    return html.replace("{pk}", str(post.pk)).replace("{token}", token)


@pure(maxsize=50)
def menu_html(is_kept: bool, may_thank: bool, helped_me: bool) -> SafeString:
    keep = format_html(
        '<a href="{}">{}{}</a>',
        address_of("discussions:keep"),
        icon("bookmark"),
        _("Kept for later") if is_kept else _("Keep for later"),
    )
    if not may_thank:
        return keep
    thank = format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button type="submit" name="set" value="{}" aria-pressed="{}">{}{}</button></form>',
        address_of("discussions:helped"),
        "{token}",
        "off" if helped_me else "on",
        "true" if helped_me else "false",
        icon("check" if helped_me else "heart"),
        _("This helped me (only you see this)"),
    )
    return format_html("{}{}", keep, thank)
