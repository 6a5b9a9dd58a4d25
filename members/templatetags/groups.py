from django import template
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kmnet.core.templatetags.kmnet import join_names

register = template.Library()


@register.simple_tag
def people_line(standings, reader, total):
    """“You, Luciana, Samina and 4 more”: first names, the reader first."""
    people = [row.member for row in standings]
    names = [_("You")] if reader in people else []
    names += [format_html("<bdi>{}</bdi>", person.get_short_name()) for person in people if person != reader]
    more = total - len(people)
    if more > 0:
        names.append(ngettext("%(count)d more", "%(count)d more", more) % {"count": more})
    return join_names(names)
