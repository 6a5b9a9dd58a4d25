"""The line under a list by which it is taken along: `{% load taking_along %}`."""

from django import template
from django.urls import reverse
from django.utils.formats import number_format

from ..formats import FORMATS, MAX_ROWS

register = template.Library()


@register.inclusion_tag("resources/_take_along.html")
def take_along(of, *args, query="", feed=""):
    """{% take_along "list" query=finder.question %}, {% take_along "collection" collection.pk %}, {% take_along "saved" %}.

    feed: the name of the address of its feed, where guests may see the list."""
    asked = f"?{query}" if query else ""
    references = "references" if of == "list" else f"{of}_references"
    return {
        "files": [
            (form.label, reverse(f"resources:{of}_export", args=[*args, key]) + asked)
            for key, form in FORMATS.items()
        ],
        "most": number_format(MAX_ROWS, force_grouping=True),
        "references": reverse(f"resources:{references}", args=args) + asked,
        "feed": reverse(f"library_feeds:{feed}", args=args) + asked if feed else "",
    }
