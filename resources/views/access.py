"""How a page reaches a record, and what it answers where it may not."""

from django.contrib.auth.views import redirect_to_login
from django.http import Http404

from ..models import Resource


class SignInFirst(Exception):
    """A guest at something that is not for guests: the same whether it exists or not."""


def find_resource(request, pk: int) -> Resource:
    """The record, if this person may open it; else a 404 for members, and SignInFirst for guests."""
    # Numbers beyond the column are as unknown as any other.
    resource = (
        Resource.objects.readable_by(request.user)
        .select_related("added_by", "hidden_by")
        .defer("search")
        .filter(pk=min(pk, 2**63 - 1))
        .first()
    )
    if resource is None:
        if not request.user.is_authenticated:
            raise SignInFirst
        raise Http404
    return resource


def guests_sign_in(view):
    """Send guests who met SignInFirst to the sign-in page, and back here afterwards."""

    def wrapped(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except SignInFirst:
            return redirect_to_login(request.get_full_path())

    wrapped.__name__ = view.__name__
    return wrapped
