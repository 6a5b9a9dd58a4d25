"""What is registered about creators who are members: they are told, and their profile shows what they made."""

from django.utils.translation import gettext, gettext_lazy

from kmnet.core import activity, contributions
from members.models import Member

from .models import Resource
from .permissions import can_view_resource


def named(deed) -> list[int]:
    """Those who were named, as far as they may see the record and their link is still there."""
    links = deed.target.creator_links.filter(declined=False, member__in=deed.data.get("members", []))
    members = Member.objects.full().filter(pk__in=links.values("member"))
    return [member.pk for member in members if can_view_resource(member, deed.target)]


activity.register(activity.ActivityType("resources.named", "resources/activity/_named.html", audience=named))


def made_by(member, viewer):
    return (
        Resource.objects.visible_to(viewer)
        .filter(creator_links__member=member, creator_links__declined=False)
        .defer("search", "csl", "description", "description_html")
    )


def line(resource: Resource) -> contributions.Contribution:
    return contributions.Contribution(
        url=resource.get_absolute_url(),
        title=resource.title,
        at=resource.published_at,
        meta=" · ".join(str(part) for part in (gettext("Creator"), resource.year) if part),
        icon="library",
    )


contributions.register(
    contributions.Contributions(
        key="made",
        label=gettext_lazy("Made or written"),
        position=29,
        rows_of=made_by,
        order=["-published_at", "-pk"],
        show=line,
    )
)
