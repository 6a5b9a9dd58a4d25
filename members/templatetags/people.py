"""The two parts of the directory of which a page has many: options and cards. Built as text: as templates, they took
most of the page's time. {% load people %}"""

from collections.abc import Iterable

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kmnet.core.templatetags.kmnet import avatar, icon

from ..finding.counts import Facet, Option
from ..finding.people import Person
from ..visibility import Shown

register = template.Library()


@register.simple_tag
def facet_fields(facets: Iterable[Facet]) -> SafeString:
    """{% facet_fields finding.facets %}: a fieldset each, the rarer options behind “More”."""
    more = escape(pgettext("options", "More"))
    return mark_safe("".join(_fieldset(facet, more) for facet in facets))


def _fieldset(facet: Facet, more: str) -> str:
    legend = escape(facet.label)
    html = f"<fieldset><legend>{legend}</legend>{_options(facet.key, facet.first)}"
    if rest := facet.more:
        html += (
            f'<details class="disclose"><summary>{more}<span class="sr-only">: {legend}</span></summary>'
            f"{_options(facet.key, rest)}</details>"
        )
    return f"{html}</fieldset>\n"


def _options(key: str, options: Iterable[Option]) -> str:
    return "".join(
        f'<label class="choice"><input type="checkbox" id="f-{key}-{option.number}" name="{key}" '
        f'value="{escape(option.value)}"{" checked" if option.chosen else ""}>'
        f'<span dir="auto">{escape(option.label)}</span><span class="n">{escape(option.count)}</span></label>'
        for option in options
    )


@register.simple_tag(takes_context=True)
def people_cards(context, people: Iterable[Person]) -> SafeString:
    """{% people_cards finding.people %}: an item of a list for each."""
    words = {
        "can_help": escape(_("Can help with:")),
        "looking_for": escape(_("Looks for help with:")),
        "alone": escape(_("Only one in the team")),
    }
    request = context["request"]
    return mark_safe("".join(_card(person, request, words) for person in people))


def _card(person: Person, request, words: dict[str, str]) -> str:
    shown, member = person.shown, person.shown.member
    name = escape(member.name)
    headline = shown.headline
    return (
        f'<li class="person">\n{avatar(member, "lg", member.picture_for(request, 96))}\n<div>'
        f'<h3><a href="{escape(member.get_absolute_url())}"><bdi>{name}</bdi></a></h3>'
        f"{_paragraph(headline)}"
        f'<p class="meta">{_meta(shown)}</p>{_why(person)}</div>\n{_topics(shown, words)}</li>\n'
    )


def _paragraph(text: str) -> str:
    return f'<p dir="auto">{escape(text)}</p>' if text else ""


def _meta(shown: Shown) -> str:
    """What they do, where they are and what time it is there, the languages: as far as each is shown."""
    line, place, now, languages = shown.line, shown.place, shown.now, shown.languages
    where = [f'<span dir="auto">{escape(place)}</span>'] if place else []
    if now:
        where.append(escape(_("%(time)s there") % {"time": now.strftime("%H:%M")}))
    html = f'<span dir="auto">{escape(line)}</span><br>' if line else ""
    html += ", ".join(where)
    if languages:
        html += ('<span class="dot"></span>' if where else "") + escape(", ".join(languages))
    return html


def _why(person: Person) -> str:
    """Why they stand at this place of the list."""
    reasons = []
    if person.help_you:
        reasons.append(_("Could help you with %(topics)s") % {"topics": ", ".join(person.help_you)})
    if person.you_help:
        reasons.append(_("You could help with %(topics)s") % {"topics": ", ".join(person.you_help)})
    return "".join(f'<p class="why">{icon("hand")}<span>{escape(reason)}</span></p>' for reason in reasons)


def _topics(shown: Shown, words: dict[str, str]) -> str:
    items = [
        f'<li><span class="tag tag--{look}"><span class="sr-only">{words[what]} </span>'
        f"<bdi>{escape(tag.name)}</bdi></span></li>"
        for what, look in (("can_help", "can"), ("looking_for", "seek"))
        for tag in getattr(shown, what)
    ]
    if shown.works_alone:
        items.append(f'<li><span class="badge">{words["alone"]}</span></li>')
    if not items:
        return ""
    label = escape(_("%(name)s, topics") % {"name": shown.member.name})
    return f'<ul class="tags" aria-label="{label}">{" ".join(items)}</ul>\n'
