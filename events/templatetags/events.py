"""What several templates of events say."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import times
from ..exports import in_words
from ..models import Way

register = template.Library()


@register.filter
def city_of_clock(event) -> str:
    """“London”: the city by whose clock the page tells the event's time."""
    return times.when(event).city


@register.filter
def places_in_words(event) -> str:
    """“28 places left”, “all places are taken, 30 people wait”; of a hybrid event for each way by itself, since a queue
    for the room says nothing of the places online. Empty without a limit. Needs the counts of with_card()."""
    held, waiting = event.held_count, event.waiting_count
    if len(event.ways) == 1:
        return _of_one_list(event.places, held, waiting)
    room_held, room_waiting = event.room_held_count, event.room_waiting_count
    lists = (
        (_("in the room: %(places)s"), event.places_of(Way.ROOM), room_held, room_waiting),
        (_("online: %(places)s"), event.places_of(Way.ONLINE), held - room_held, waiting - room_waiting),
    )
    said = ((pattern, _of_one_list(*numbers)) for pattern, *numbers in lists)
    return "; ".join(pattern % {"places": words} for pattern, words in said if words)


def _of_one_list(places: int | None, held: int, waiting: int) -> str:
    if not places:
        return ""
    free = max(0, places - held)
    if free and not waiting:
        return ngettext("%(count)d place left", "%(count)d places left", free) % {"count": free}
    if not waiting:
        return _("all places are taken")
    return ngettext(
        "all places are taken, %(count)d person waits",
        "all places are taken, %(count)d people wait",
        waiting,
    ) % {"count": waiting}


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
