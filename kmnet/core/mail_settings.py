"""What the page of mail settings is made of, since more than one app has something to say there.

The floor knows the short list of guests (views_mail); the members' app registers the page of members, and apps above
register parts that stand below its form, such as how closely one follows what.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse


@dataclass(frozen=True)
class Part:
    """A part of the page for whoever is signed in. Its template gets `here`, what `context(request)` gives."""

    key: str
    template: str
    context: Callable[[HttpRequest], dict]
    order: int = 50


MemberPage = Callable[[HttpRequest, int], HttpResponse | None]

_parts: dict[str, Part] = {}
_pages: list[MemberPage] = []


def register_part(part: Part) -> None:
    """From an app's hooks; the same key again takes its place."""
    _parts[part.key] = part


def register_page(page: MemberPage) -> None:
    """`page(request, member_id)`: the settings of this member for whoever comes with their signed link."""
    _pages[:] = [page]


def parts(request: HttpRequest) -> list[dict]:
    """All parts with what they show, in their order."""
    found = sorted(_parts.values(), key=lambda part: part.order)
    return [{"key": part.key, "template": part.template, "here": part.context(request)} for part in found]


def page_by_link(request: HttpRequest, member_id: int) -> HttpResponse | None:
    """The page of this member; None where there is no such member (any more)."""
    return _pages[0](request, member_id) if _pages else None
