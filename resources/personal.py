"""What this app holds about people: their parts of the copy, and what becomes of it when they leave."""

from django.utils.translation import gettext_lazy as _

from kmnet.core.personal_data import Fate, PersonalData, declare, register, rows, tag_names

from .models import Resource, ResourceFile


def resources(member):
    found = Resource.objects.filter(added_by=member).order_by("pk")
    return rows(
        found.annotate(named=tag_names("tags")),
        "id", "title", "description", "creators", "year", "language", "doi", "url", "licence", "visibility",
        "published_at", "state", "hidden_reason", "csl",
        made="created_at", changed="updated_at", tags="named",
    )  # fmt: skip


def uploads(member):
    found = ResourceFile.objects.filter(added_by=member).order_by("pk")
    return rows(found, "id", "name", "content_type", "size", resource="resource_id", sent="created_at")


def upload_files(member):
    for file in ResourceFile.objects.filter(added_by=member).order_by("pk").iterator(chunk_size=100):
        yield f"{file.pk}-{file.name}", file.file


register(
    PersonalData(
        "resources", _("What I added to the library"), resources, covers=("resources.Resource",), order=50
    )
)
register(
    PersonalData(
        "uploads", _("Files I uploaded"), uploads, upload_files, covers=("resources.ResourceFile",), order=51
    )
)

declare(
    "resources.Resource",  # a record stays, unsigned, or goes as a whole with its files
    **dict.fromkeys(
        (
            *("title", "slug", "csl", "creators", "description", "description_html", "summary", "url"),
            *("title_key", "fuzzy", "search", "url_key", "doi", "import_key"),
        ),
        Fate.STAYS,
    ),
    hidden_reason=Fate.REDACTED,
)
declare(
    "resources.ResourceFile", name=Fate.STAYS, file=Fate.STAYS, content_type=Fate.STAYS, sha256=Fate.STAYS
)
declare("resources.DoiRecord", doi=Fate.STAYS, raw=Fate.STAYS, reason=Fate.STAYS)  # what the agencies publish
