from django.db import migrations

SPACES = [
    # slug, name, purpose, icon, readable_by, may_start, first_kind
    (
        "ask-for-help",
        "Ask for help",
        "No question is too small. Somebody here has stood where you stand.",
        "talk",
        "public",
        "members",
        "question",
    ),
    (
        "introductions",
        "Introductions",
        "Who you are, where you work, and what you would like company with.",
        "people",
        "members",
        "members",
        "introduction",
    ),
    (
        "methods-and-tools",
        "Methods and tools",
        "What works, what does not, and the templates in between.",
        "tool",
        "public",
        "members",
        "discussion",
    ),
    (
        "events",
        "Events",
        "Before, during and after our meetings, and those of others.",
        "calendar",
        "public",
        "members",
        "discussion",
    ),
    (
        "jobs-and-opportunities",
        "Jobs and opportunities",
        "Posts, fellowships, calls and funding that fit this work.",
        "bookmark",
        "public",
        "members",
        "discussion",
    ),
    (
        "about-kmnet",
        "About kmnet",
        "How this place works, and how it could work better.",
        "info",
        "members",
        "members",
        "discussion",
    ),
]


def add_spaces(apps, schema_editor):
    """The spaces to begin with; one that is there already stays as it is."""
    Space = apps.get_model("discussions", "Space")
    for position, (slug, name, purpose, icon, readable_by, may_start, first_kind) in enumerate(SPACES):
        Space.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "purpose": purpose,
                "icon": icon,
                "readable_by": readable_by,
                "may_start": may_start,
                "first_kind": first_kind,
                "position": position,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("discussions", "0001_initial")]

    operations = [migrations.RunPython(add_spaces, migrations.RunPython.noop)]
