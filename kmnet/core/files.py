"""Deleting stored files so that a killed process leaves none behind: the decision is a row, the deed follows it."""

import re
from collections.abc import Iterable
from urllib.parse import quote

from django.core.files.storage import storages
from django.db import transaction

from . import jobs
from .models import DoomedFile


def doom(names: Iterable[str]) -> None:
    """These files go once the running transaction has committed; call it where their rows are deleted."""
    names = sorted({name for name in names if name})
    DoomedFile.objects.bulk_create([DoomedFile(name=name) for name in names], ignore_conflicts=True)
    if names:
        transaction.on_commit(delete_doomed, robust=True)


def delete_doomed(*, limit: int = 500) -> int:
    """Delete what is doomed; return how many. A file that cannot be deleted now is tried again by the next sweep."""
    return jobs.serve(DoomedFile.objects.order_by("pk"), _delete, limit=limit)


def _delete(row: DoomedFile) -> None:
    storages["default"].delete(row.name)  # silent where it is gone already
    row.delete()


def content_disposition(name: str) -> str:
    """attachment, with a name that is safe in ASCII and exact in UTF-8 (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name) or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
