"""The main pages, by the names of their addresses. One that cannot be found is reported, not left out."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from discussions.models import Thread
from events.models import Event
from members.models import Member
from resources.models import Resource


@dataclass
class Page:
    """`by`: the name of the demo account that looks, or nobody. `most_times_bare`: where PRODUCT.md states it."""

    label: str
    address: str
    by: str = "member"
    most_times_bare: int | None = None


REPLY = Page("posting a reply", "", most_times_bare=15)


def reply_address(long: Thread) -> str:
    """Of a thread of some length that is neither the longest nor the one of twenty posts."""
    other = Thread.objects.select_related("space").filter(
        pk__gt=long.pk + 1, closed_at=None, space__group=None
    )
    return reverse(
        "discussions:reply", args=[(found := other.order_by("pk")[0]).space.slug, found.pk, found.slug]
    )


def main_pages(*, viewer: Member, long: Thread) -> list[Page]:
    """The long thread is the first that was loaded, the one of twenty posts the second."""
    twenty = (
        Thread.objects.select_related("space").filter(pk__gt=long.pk, last_number=20).order_by("pk").first()
    )
    event = Event.objects.visible_to(viewer).order_by("pk").last()
    public = Event.objects.visible_to(AnonymousUser()).order_by("pk").last()
    resource = Resource.objects.visible_to(viewer).order_by("pk").first()
    threads, path = reverse("discussions:index"), long.get_absolute_url()
    tag = long.tags.order_by("pk").values_list("name", flat=True)[0].replace(" ", "+")
    return [
        Page("home", reverse("hub:home")),
        Page("threads", threads, most_times_bare=10),
        Page("threads of a space", reverse("discussions:space", args=[long.space.slug])),
        Page("threads, unread", f"{threads}?show=unread"),
        Page("threads, all unread", f"{threads}?show=unread", by="organiser"),
        Page("threads, unanswered", f"{threads}?show=unanswered"),
        Page("threads, watching", f"{threads}?show=watching"),
        Page("threads, mine", f"{threads}?show=mine"),
        Page("threads, with a tag", f"{threads}?tag={tag}"),
        Page("threads, as a guest", threads, by="", most_times_bare=3),
        Page("thread of 20 posts", twenty.get_absolute_url(), most_times_bare=12),
        Page("thread of 20, as a guest", twenty.get_absolute_url(), by="", most_times_bare=3),
        Page("long thread, first page", path, most_times_bare=12),
        Page("long thread, middle", f"{path}?post={long.last_number // 2}", most_times_bare=12),
        Page("long thread, last page", f"{path}?post={long.last_number}", most_times_bare=12),
        Page("directory", reverse("members:directory")),
        Page("directory, recently active", reverse("members:directory") + "?sort=active"),
        Page("directory, three facets", reverse("members:directory") + "?team=solo&country=NL&language=en"),
        Page("directory, words", reverse("members:directory") + "?q=evidence+practice"),
        Page("directory, a name", reverse("members:directory") + "?q=ada+ber"),
        Page("countries", reverse("members:countries")),
        Page("profile", viewer.get_absolute_url()),
        Page("events", reverse("events:index")),
        Page("event", event.get_absolute_url()),
        Page("library", library := reverse("resources:index")),
        Page("library, words", f"{library}?q=evidence+practice"),
        Page("library, a common word", f"{library}?q=practice"),
        Page("library, rare words", f"{library}?q=contribution+ledger"),
        Page("library, one facet", f"{library}?type=research-paper"),
        Page("library, three facets", f"{library}?type=research-paper&setting=primary-care&language=fr"),
        Page("library, facets and words", f"{library}?type=review&time=15&language=en&q=practice"),
        Page("library, a typo", f"{library}?q=brokerign+evidnce"),
        Page("library, most used", f"{library}?sort=used"),
        Page("library, shortest", f"{library}?sort=shortest&type=guide"),
        Page("library, what did not work", f"{library}?stories=did-not-work"),
        Page("library, with a PDF", f"{library}?format=pdf"),
        Page("library, saved", reverse("resources:saved")),
        Page("collections", reverse("resources:collections")),
        Page("resource", resource.get_absolute_url()),
        Page("search", reverse("hub:search") + "?q=evidence+practice", most_times_bare=12),
        Page("notifications", reverse("hub:notifications")),
        Page("landing, as a guest", reverse("hub:home"), by=""),
        Page("event, as a guest", public.get_absolute_url(), by=""),
        Page("library, as a guest", reverse("resources:index"), by=""),
        Page("library, words, as a guest", f"{library}?q=evidence+practice", by=""),
        Page("library, three facets, as a guest", f"{library}?type=review&time=15&language=en", by=""),
    ]
