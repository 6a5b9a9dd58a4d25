"""What this app registers with core."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from kmnet.core import activity, contributions, group_contents, mail, moderation, sitemap, suggestions
from kmnet.core.models import Term
from kmnet.core.search import SearchHit, SearchPage, SearchSource, SearchText
from kmnet.core.search import register as register_source
from members.group_permissions import is_in

from . import found_mails, services
from .finding import best_of, helps_with
from .models import Collection, ImportBatch, Resource
from .permissions import can_add_resource

activity.register(activity.ActivityType("resources.added", "resources/activity/_added.html"))
activity.register(
    activity.ActivityType(
        "resources.file_refused",
        "resources/activity/_file_refused.html",
        lambda deed: [deed.target.added_by_id] if deed.target.added_by_id else [],
        official=True,
    )
)
activity.register(
    activity.ActivityType(
        "resources.list_not_saved",
        "resources/activity/_list_not_saved.html",
        lambda deed: [deed.target.member_id] if deed.target.state == ImportBatch.State.READY else [],
        official=True,
    )
)

moderation.register(
    moderation.Moderated(
        model=Resource,
        label=gettext_lazy("resource"),
        card_template="resources/_moderated.html",
        title=lambda resource: resource.title,
        url=lambda resource: resource.get_absolute_url(),
        author_id=lambda resource: resource.added_by_id,
        hide=services.hide_resource,
        restore=services.restore_resource,
        release=services.release_resource,
        held=lambda: Resource.objects.filter(state=Resource.State.HELD),
        told_id=lambda resource: resource.keeper_id or resource.added_by_id,
        visible_to=lambda user: Resource.objects.readable_by(user),
        is_private=lambda resource: resource.group_id is not None,
    )
)
moderation.register(
    moderation.Moderated(
        model=Collection,
        label=gettext_lazy("collection"),
        card_template="resources/_moderated_collection.html",
        title=lambda collection: collection.title,
        url=lambda collection: collection.get_absolute_url(),
        author_id=lambda collection: collection.owner_id,
        hide=services.hide_collection,
        restore=services.restore_collection,
        visible_to=lambda user: Collection.objects.visible_to(user),
        is_private=lambda collection: collection.group_id is not None,
    )
)
mail.register(
    mail.MailKind(
        "resources.new_found",
        gettext_lazy("New in the library for a saved search"),
        "resources/email/new_found",
        found_mails.compose_new_found,
        category="new_resources",
        bundles=True,
    )
)


# --- contributions ---------------------------------------------------------------------------------------------------
def added_by(member, viewer):
    return (
        Resource.objects.visible_to(viewer)
        .filter(added_by=member)
        .defer("search", "csl", "description", "description_html")
    )


def line(resource: Resource) -> contributions.Contribution:
    return contributions.Contribution(
        url=resource.get_absolute_url(),
        title=resource.title,
        at=resource.published_at,
        meta=" · ".join(filter(None, (gettext("Added to the library"), resource.creators))),
        icon="library",
    )


contributions.register(
    contributions.Contributions(
        key="resources",
        label=gettext_lazy("Resources"),
        position=30,
        rows_of=added_by,
        order=["-published_at", "-pk"],
        show=line,
    )
)


# --- search ----------------------------------------------------------------------------------------------------------
def search(text: SearchText, viewer, limit: int) -> SearchPage:
    """The best matches among what this person may see."""
    if not text:
        return SearchPage()
    rows = best_of(text, viewer, limit)
    hits = [
        SearchHit(
            url=resource.get_absolute_url(),
            title=resource.title,
            snippet=resource.summary,
            meta=" · ".join(
                str(part) for part in (resource.kind(), resource.creators_short, resource.year) if part
            ),
            at=resource.published_at,
        )
        for resource in rows
    ]
    return SearchPage(hits, rows[0].total if rows else 0)


register_source(SearchSource("library", gettext_lazy("Library"), 40, search))


def suggest(*, title, tags, viewer, limit) -> list[suggestions.Suggestion]:
    """What of the library may help whoever asks this."""
    return [
        suggestions.Suggestion(
            url=resource.get_absolute_url(),
            title=resource.title,
            meta=", ".join(str(part) for part in (resource.creators_short, resource.year) if part),
            shares=tuple(tag for tag in tags if tag in resource.tag_ids),
        )
        for resource in helps_with(title, tags=tags, viewer=viewer, limit=limit)
    ]


suggestions.register("library", suggest)


def of_group(group, viewer, limit: int) -> group_contents.Found:
    """The newest of what a group keeps; those who may add find the way to the form."""
    rows = Resource.objects.visible_to(viewer).filter(group=group).order_by("-published_at", "-pk")
    terms = Prefetch("terms", queryset=Term.objects.select_related("facet"))
    rows = rows.select_related("added_by").prefetch_related(terms).defer("search", "description_html")
    may_add = can_add_resource(viewer) and is_in(viewer, group)
    begin = (gettext("Add a resource"), f"{reverse('resources:add')}?by=hand&group={group.pk}")
    return group_contents.Found(rows=list(rows[:limit]), begin=begin if may_add else None)


group_contents.register(
    group_contents.GroupContents(
        key="library",
        label=gettext_lazy("Shared resources"),
        order=40,
        template="resources/_group_files.html",
        find=of_group,
        beside=True,
    )
)


def open_to_guests():
    return Resource.objects.visible_to(AnonymousUser()).only("pk", "slug", "updated_at")


def collections_open_to_guests():
    return Collection.objects.visible_to(AnonymousUser()).only("pk", "slug", "updated_at")


sitemap.register(sitemap.Mapped("library", open_to_guests, "updated_at"))
sitemap.register(sitemap.Mapped("collections", collections_open_to_guests, "updated_at"))
