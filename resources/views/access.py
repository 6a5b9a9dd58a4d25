"""How a page reaches a record, and what it answers where it may not."""

from django.http import Http404

from ..models import Resource


def find_resource(request, pk: int) -> Resource:
    """The record, if this person may open it; else a 404."""
    # Numbers beyond the column are as unknown as any other.
    resource = (
        Resource.objects.readable_by(request.user)
        .select_related("added_by", "hidden_by")
        .defer("search")
        .filter(pk=min(pk, 2**63 - 1))
        .first()
    )
    if resource is None:
        raise Http404
    return resource
