"""What was typed outlives an expired login: it waits in the session and is offered again at the same address.

It waits for whoever signed in last in this browser, who typed it; should somebody else sign in next, they do not see it.
"""

from django.http import HttpRequest

from . import known_browser

SESSION_KEY = "kept_text"
SKIPPED = {"csrfmiddlewaretoken", "password", "password1", "password2", "oldpassword", "code"}
MAX_CHARACTERS = 200_000
MAX_PLACES = 3


def keep(request: HttpRequest) -> None:
    """Keep the form of this request in the session (files cannot be kept), for the address it was sent to."""
    fields = {
        name: values
        for name, values in request.POST.lists()
        if name not in SKIPPED and any(value.strip() for value in values)
    }
    if not fields or sum(len(value) for values in fields.values() for value in values) > MAX_CHARACTERS:
        return
    kept = dict(request.session.get(SESSION_KEY, {}))
    kept.pop(request.path, None)
    member = getattr(request, "user", None)
    signed_in = member is not None and member.is_authenticated
    by = known_browser.mark_of(member) if signed_in else known_browser.last_signed_in(request)
    kept[request.path] = {"by": by, "fields": fields}
    request.session[SESSION_KEY] = dict(list(kept.items())[-MAX_PLACES:])


def take(request: HttpRequest, *paths: str) -> dict[str, str]:
    """What was kept for this address (or one of `paths`), as initial values of a form; {} where nothing was.

    Stays kept until `forget`, so that a reload loses nothing either.
    """
    kept = request.session.get(SESSION_KEY) or {}
    for path in (request.path, *paths):
        if path in kept and _is_theirs(request, kept[path]["by"]):
            fields = kept[path]["fields"]
            return {name: values if len(values) > 1 else values[0] for name, values in fields.items()}
    return {}


def _is_theirs(request: HttpRequest, by: str) -> bool:
    """Typed where nobody had signed in before, or by this very member."""
    member = getattr(request, "user", None)
    return not by or (member is not None and member.is_authenticated and known_browser.mark_of(member) == by)


def forget(request: HttpRequest, *paths: str) -> None:
    """It has been sent: nothing needs to be kept for this address any more."""
    kept = dict(request.session.get(SESSION_KEY) or {})
    if any(kept.pop(path, None) is not None for path in (request.path, *paths)):
        request.session[SESSION_KEY] = kept
