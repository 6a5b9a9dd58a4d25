"""Cards of records, drawn by string work: a template for each of twenty took most of a list's time."""

from django.utils.html import conditional_escape as esc
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kmnet.core.pure import pure
from kmnet.core.templatetags.kmnet import icon

from .models import Resource, Visibility

DOT = '<span class="dot"></span>'


def card(resource: Resource) -> SafeString:
    """One record as a list item: needs its terms at hand, `found_in` where its words stand somewhere else, and
    `used_by` where members used it."""
    return _card(
        resource.get_absolute_url(),
        resource.title,
        str(resource.kind()),
        resource.kind_icon(),
        resource.summary,
        resource.creators_short,
        resource.year,
        resource.language,
        resource.language_name,
        resource.group_id is not None,
        resource.visibility == Visibility.MEMBERS,
        getattr(resource, "found_in", ""),
        getattr(resource, "used_by", 0),
    )


@pure(maxsize=2000)
def _card(
    href: str,
    title: str,
    kind: str,
    icon_name: str,
    summary: str,
    creators: str,
    year: int | None,
    language: str,
    language_name: str,
    for_group: bool,
    for_members: bool,
    found_in: str,
    used_by: int,
) -> SafeString:
    lang = f' lang="{esc(language)}"' if language not in ("en", "und") else ""
    parts = [
        f'<li class="card"><p class="kind">{icon(icon_name)}{esc(capfirst(kind))}</p>',
        f'<h3><a href="{esc(href)}" dir="auto"{lang}>{esc(title)}</a></h3>',
    ]
    if summary:
        parts.append(f'<p dir="auto">{esc(Truncator(summary).chars(220))}</p>')
    if found_in == "file":
        parts.append(f'<p class="meta">{icon("file")} {esc(_("These words stand in its file"))}</p>')
    elif found_in == "story":
        parts.append(f'<p class="meta">{icon("talk")} {esc(_("These words stand in a story about it"))}</p>')
    about = [f"<bdi>{esc(creators)}</bdi>"] if creators else []
    about += [str(year)] if year else []
    about += [esc(language_name)] if language != "en" else []
    if for_group:
        about.append(esc(_("For a group")))
    elif for_members:
        about.append(esc(_("Members only")))
    said = DOT.join(about)
    if used_by:
        words = ngettext("Used by %(count)s member", "Used by %(count)s members", used_by) % {
            "count": used_by
        }
        said += f"{'<br>' if said else ''}{esc(words)}"
    parts.append(f'<p class="meta">{said}</p></li>')
    return mark_safe("".join(parts))
