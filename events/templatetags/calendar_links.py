"""Where “Add to calendar” leads."""

from django import template

from .. import calendar_links, feeds

register = template.Library()


@register.filter
def google_calendar(event) -> str:
    return calendar_links.google(event)


@register.filter
def outlook_at_work(event) -> str:
    return calendar_links.outlook(event)


@register.filter
def outlook_at_home(event) -> str:
    return calendar_links.outlook(event, calendar_links.OUTLOOK_AT_HOME)


@register.filter
def webcal(url: str) -> str:
    """The same address, for the program that the reader's device keeps calendars in."""
    return f"webcal://{url.partition('://')[2]}"


@register.simple_tag
def public_feed() -> str:
    return webcal(feeds.public_url())
