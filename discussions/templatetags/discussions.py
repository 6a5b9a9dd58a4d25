"""`{% load discussions %}`: what the pages of discussions draw without a template for each of many."""

from django import template
from django.utils.html import escape
from django.utils.safestring import mark_safe

from ..drawing import Posts
from ..rows import Rows, waiting_words

register = template.Library()
register.filter(waiting_words)


@register.simple_tag(takes_context=True)
def thread_rows(context, threads, space=None, heading="h3"):
    """{% thread_rows threads space=space %}: needs threads with_row() and listing.complete()."""
    return Rows(context.get("request"), space=space, heading=heading).html(threads)


@register.simple_tag(takes_context=True)
def draw_posts(context, items):
    """{% draw_posts items %}: posts as they nest. Needs what views/reading.py gives the page of a thread."""
    return Posts(context).html(items)


@register.simple_tag(takes_context=True)
def draw_first(context, item):
    """{% draw_first first %}: the post above all others."""
    return Posts(context).alone(item)


@register.simple_tag
def tag_links(names):
    """Tags as links to the lists of their threads."""
    rows = Rows(None)
    return mark_safe("".join(rows.tag(name) for name in names))


@register.simple_tag
def facet_boxes(boxes):
    """The boxes of the facets (listing.facet_boxes), each facet folded unless something in it is chosen."""
    return mark_safe("".join(_facet(box) for box in boxes))


def _facet(box) -> str:
    key, chosen = escape(box["key"]), box["chosen"]
    options = "".join(
        f'<label class="choice"><input type="checkbox" name="{key}" value="{escape(value)}"'
        f"{' checked' if value in chosen else ''}><span>{escape(label)}</span></label>"
        for value, label in box["options"].items()
    )
    return (
        f'<details class="disclose"{" open" if chosen else ""}><summary>{escape(box["label"])}</summary>'
        f'<fieldset class="facet"><legend class="sr-only">{escape(box["label"])}</legend>{options}</fieldset></details>'
    )
