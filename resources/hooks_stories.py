"""What the app registers with core about stories, versions and derivatives."""

from django.utils.translation import gettext, gettext_lazy

from kmnet.core import about, activity, contributions, moderation
from kmnet.core.text import excerpt

from . import audiences, services
from .models import Resource, Story, StoryMask

activity.register(
    activity.ActivityType("resources.told", "resources/activity/_told.html", audiences.of_story)
)
activity.register(
    activity.ActivityType("resources.derived", "resources/activity/_derived.html", audiences.of_derivative)
)
activity.register(
    activity.ActivityType(
        "resources.new_version", "resources/activity/_new_version.html", audiences.of_version
    )
)
about.register(
    about.Subject(
        key="resource",
        model=Resource,
        # A group talks in its own space: a form for everybody does not begin with what the group keeps.
        visible_to=lambda user: Resource.objects.visible_to(user).filter(group__isnull=True),
        title=lambda resource: resource.title,
        url=lambda resource: resource.get_absolute_url(),
    )
)


def writer_of(story: Story) -> int | None:
    """Who is told what becomes of it; never for showing."""
    return story.author_id or StoryMask.objects.filter(story=story).values_list("author", flat=True).first()


moderation.register(
    moderation.Moderated(
        model=Story,
        label=gettext_lazy("story"),
        card_template="resources/_moderated_story.html",
        title=lambda story: gettext("A story about “%(title)s”") % {"title": story.resource.title},
        url=lambda story: story.get_absolute_url(),
        author_id=lambda story: story.author_id,
        told_id=writer_of,
        hide=services.hide_story,
        restore=services.restore_story,
        visible_to=lambda user: Story.objects.visible_to(user).select_related("resource"),
        is_private=lambda story: story.resource.group_id is not None,
    )
)


def told_with_their_name(member, viewer):
    """A story without its author's name is on nobody's profile."""
    return Story.objects.visible_to(viewer).filter(author=member).select_related("resource").defer("search")


def line(story: Story) -> contributions.Contribution:
    return contributions.Contribution(
        url=story.get_absolute_url(),
        title=gettext("Used “%(title)s”") % {"title": story.resource.title},
        at=story.created_at,
        meta=excerpt(story.best_line, 120),
        icon="tool",
    )


contributions.register(
    contributions.Contributions(
        key="stories",
        label=gettext_lazy("Stories of what they used"),
        position=35,
        rows_of=told_with_their_name,
        order=["-created_at", "-pk"],
        show=line,
    )
)
