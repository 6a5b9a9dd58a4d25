"""What several templates of events say."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import times
from ..exports import in_words

register = template.Library()


@register.filter
def city_of_clock(event) -> str:
    """“London”: the city by whose clock the page tells the event's time."""
    return times.when(event).city


@register.filter
def places_in_words(event) -> str:
    """“28 places left”, “All places are taken, 30 people wait”. Needs the counts of with_card()."""
    free = max(0, event.places - event.held_count)
    if free and not event.waiting_count:
        return ngettext("%(count)d place left", "%(count)d places left", free) % {"count": free}
    if not event.waiting_count:
        return _("all places are taken")
    return ngettext(
        "all places are taken, %(count)d person waits",
        "all places are taken, %(count)d people wait",
        event.waiting_count,
    ) % {"count": event.waiting_count}


register.filter("answer_in_words", in_words)


@register.filter
def ordinal(number: int) -> str:
    """7th; languages without such endings translate it as they say it."""
    tens, last = number % 100, number % 10
    if last == 1 and tens != 11:
        pattern = _("%(number)dst")
    elif last == 2 and tens != 12:
        pattern = _("%(number)dnd")
    elif last == 3 and tens != 13:
        pattern = _("%(number)drd")
    else:
        pattern = _("%(number)dth")
    return pattern % {"number": number}


@register.filter
def has_no_day(event) -> bool:
    """Over, called off, or postponed: nobody needs to keep its day free."""
    return event.is_over() or event.is_postponed or event.cancelled_at is not None
