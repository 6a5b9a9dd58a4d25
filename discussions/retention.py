"""What this app forgets by itself."""

from kmnet.core.retention import Job, register

from .models import Draft
from .services.files import forget_unused_files, unused_files


def old_drafts(before):
    return Draft.objects.filter(updated_at__lt=before)


register(
    Job(
        "post_files",
        "uploads that became part of no post",
        lambda before: unused_files(before).count(),
        forget_unused_files,
    )
)
register(
    Job(
        "drafts",
        "drafts that nobody touched",
        lambda before: old_drafts(before).count(),
        lambda before: old_drafts(before).delete()[0],
    )
)
