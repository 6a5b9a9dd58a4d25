"""An invitation that somebody has accepted waits in their own session until they have joined, whatever the way."""

from allauth.core import context

from . import services
from .models import Invitation

KEY = "invitation"


def accept(request, token: str) -> None:
    request.session[KEY] = token


def token_of(request) -> str:
    return request.session.get(KEY, "") if request is not None and hasattr(request, "session") else ""


def present() -> Invitation | None:
    """What the visitor of this moment came with, if it still works; allauth's forms are not told the request."""
    return services.find_invitation(token_of(context.request))


def is_proof(invitation: Invitation | None, address: str) -> bool:
    """Its link went to this very mailbox, so whoever holds it reads mail there."""
    return invitation is not None and invitation.is_bound and invitation.is_for(address)
