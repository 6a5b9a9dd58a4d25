"""Links that open an event in somebody's calendar on the web, filled in. The calendar's owner still presses Save.

Such an entry is a copy: it does not move with the event. The file and the invitation by mail do.
"""

from urllib.parse import quote, urlencode

from . import calendar
from .models import Event

# The long way, which private accounts take, has shown an empty page to those at work since 2023
# (InteractionDesignFoundation/add-event-to-calendar-docs#48, add2cal/add-to-calendar-button#412).
OUTLOOK_AT_WORK = "https://outlook.office.com/calendar/action/compose"
OUTLOOK_AT_HOME = "https://outlook.live.com/calendar/0/deeplink/compose"
LONGEST = 1500  # of the words in a link; browsers and proxies take about 2,000 characters in all


def _parts(event: Event) -> tuple[str, str, str]:
    entry = calendar.entry_of(event, calendar.mark_of(event))
    return entry.title, calendar.words(entry)[:LONGEST], entry.where


def google(event: Event) -> str:
    """Times in UTC, so that no side of a doubled hour is lost; shown there on the reader's clock."""
    title, words, where = _parts(event)
    times = "/".join(f"{moment:%Y%m%dT%H%M%SZ}" for moment in calendar.in_utc(event))
    asked = {"action": "TEMPLATE", "text": title, "dates": times, "details": words, "location": where}
    return _link("https://calendar.google.com/calendar/render", asked)


def outlook(event: Event, form: str = OUTLOOK_AT_WORK) -> str:
    """`form`: that of accounts from work or school, or of private ones."""
    title, words, where = _parts(event)
    starts, ends = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in calendar.in_utc(event))
    asked = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": title,
        "startdt": starts,
        "enddt": ends,
        "body": words,
        "location": where,
    }
    return _link(form, asked)


def _link(form: str, asked: dict) -> str:
    return f"{form}?{urlencode(asked, quote_via=quote)}"  # Outlook shows a plus as a plus, not as a space
