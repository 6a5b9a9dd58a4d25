"""Pictures and files in posts."""

from django.db.models import QuerySet

from kmnet.core.files import doom

from ..models import PostFile


def doom_files(files: QuerySet[PostFile]) -> int:
    """Delete these rows, and their bytes once the running transaction has committed; return how many."""
    names = list(files.values_list("file", flat=True))
    doom(names)
    files.delete()
    return len(names)
