"""What the frame around every page shows: the main ways, the bell, and the account menu, which apps add to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _


class MainWay(NamedTuple):
    key: str
    label: str
    short: str  # on the phone's bar
    href: str
    icon: str
    app: str
    for_guests: bool = True


# Addresses are stable (they are in mails), so they stand here in full: no reversing on every page.
MAIN_WAYS = (
    MainWay("home", _("Home"), _("Home"), "/", "home", "hub"),
    MainWay("discussions", _("Discussions"), _("Discuss"), "/discussions/", "talk", "discussions"),
    MainWay("events", _("Events"), _("Events"), "/events/", "calendar", "events"),
    MainWay("library", _("Library"), _("Library"), "/library/", "library", "resources"),
    MainWay("people", _("People"), _("People"), "/members/", "people", "members", for_guests=False),
)
WAYS_OF_GUESTS = tuple(way for way in MAIN_WAYS if way.for_guests)


@dataclass(frozen=True)
class MenuItem:
    """One line of the account menu, for those for whom `shown_to(member)` is true."""

    label: str
    href: str
    shown_to: Callable[[object], bool]
    order: int = 50


_items: dict[str, MenuItem] = {}


def register_menu_item(item: MenuItem) -> None:
    """From an app's hooks.py. The same address twice is one line."""
    _items[item.href] = item


def menu_for(member) -> tuple[str, ...]:
    """The addresses of this member's lines."""
    items = sorted(_items.values(), key=lambda item: item.order)
    return tuple([item.href for item in items if item.shown_to(member)])


def menu_lines(addresses: tuple[str, ...]) -> list[MenuItem]:
    return [_items[href] for href in addresses]


# --- the bell --------------------------------------------------------------------------------------------------------
BELL_PATH = "/notifications/bell/"  # asked by the page itself while it is open: nobody's visit, nobody's act
MOST_COUNTED = 100  # the bell says “99+”

_counters: list[Callable[[int], int]] = []


def register_bell(count: Callable[[int], int]) -> None:
    """From the hooks of the app whose list the bell leads to: `count(member_id)`, how many things are new, at most
    MOST_COUNTED. One query: every page asks."""
    _counters[:] = [count]


def things_unread(member_id: int) -> int:
    """How many things are new to this member, at most MOST_COUNTED."""
    return _counters[0](member_id) if _counters else 0


def bell_figure(count: int) -> str:
    """What stands on the bell."""
    return "99+" if count >= MOST_COUNTED else str(count) if count else ""


def bell_label(count: int) -> str:
    """What the bell is called."""
    if not count:
        return gettext("Notifications")
    words = ngettext("Notifications, %(counter)s new", "Notifications, %(counter)s new", count)
    return words % {"counter": bell_figure(count)}


NAMED_PATHS = {"/", "/notifications/", "/search/", *(way.href for way in MAIN_WAYS)}


def named_path(request) -> str:
    """The path where the frame has a link to this very page; "" elsewhere."""
    return request.path if request.path in NAMED_PATHS else ""


def current_way(request) -> str:
    """Which of the main ways this page belongs to; "" for none (settings, search, notifications)."""
    match = getattr(request, "resolver_match", None)
    if match is None:
        return ""
    path = request.path_info
    for way in MAIN_WAYS:
        if way.app == match.app_name and (
            path == way.href or (way.href != "/" and path.startswith(way.href))
        ):
            return way.key
    return ""
