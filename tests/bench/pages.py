"""The main pages, by the names of their addresses. One that cannot be found is reported, not left out."""

from dataclasses import dataclass

from django.urls import reverse

from events.models import Event
from members.models import Member
from resources.models import Resource


@dataclass
class Page:
    label: str
    address: str
    signed_in: bool = True
    most_times_bare: int | None = None  # PRODUCT.md states it for some


def main_pages(*, viewer: Member, threads: dict) -> list[Page]:
    long, twenty = threads["long"], threads["twenty"]
    event = Event.objects.visible_to(viewer).order_by("pk").last()
    resource = Resource.objects.visible_to(viewer).order_by("pk").first()
    return [
        Page("home", reverse("hub:home")),
        Page("threads", reverse("discussions:index"), most_times_bare=10),
        Page("threads of a space", reverse("discussions:space", args=[long.space.slug])),
        Page("thread of 20 posts", twenty.get_absolute_url(), most_times_bare=12),
        Page("long thread, first page", long.get_absolute_url(), most_times_bare=12),
        Page(
            "long thread, deep",
            f"{long.get_absolute_url()}?post={long.last_number * 4 // 5}",
            most_times_bare=12,
        ),
        Page("directory", reverse("members:directory")),
        Page("directory, recently active", reverse("members:directory") + "?sort=active"),
        Page("directory, three facets", reverse("members:directory") + "?team=solo&country=NL&language=en"),
        Page("directory, words", reverse("members:directory") + "?q=evidence+uptake"),
        Page("directory, a name", reverse("members:directory") + "?q=ada+ber"),
        Page("countries", reverse("members:countries")),
        Page("profile", viewer.get_absolute_url()),
        Page("events", reverse("events:index")),
        Page("event", event.get_absolute_url()),
        Page("library", reverse("resources:index")),
        Page("resource", resource.get_absolute_url()),
        Page("search", reverse("hub:search") + "?q=evidence+practice", most_times_bare=12),
        Page("notifications", reverse("hub:notifications")),
        Page("landing, as a guest", reverse("hub:home"), signed_in=False),
        Page("event, as a guest", event.get_absolute_url(), signed_in=False),
        Page("library, as a guest", reverse("resources:index"), signed_in=False),
    ]
