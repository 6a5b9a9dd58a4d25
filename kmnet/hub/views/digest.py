"""The page behind "mark these as read" at the end of a digest."""

from django.shortcuts import render

from kmnet.core import presence, tokens
from kmnet.core.mail_pages import mail_page
from kmnet.hub import services
from kmnet.hub.models import DigestRun


@mail_page
def digest_read(request, token):
    """Opening it changes nothing (mail scanners open links); the button marks exactly that digest's window as read."""
    try:
        found = tokens.read("digest-read", token)
        run = (
            DigestRun.objects.select_related("member").filter(pk=found["run"], member__is_active=True).first()
        )
    except (tokens.BadToken, KeyError):
        run = None
    done = request.method == "POST" and run is not None
    if done:
        services.mark_digest_read(run=run)
        presence.note(run.member_id)
    return render(request, "hub/digest_read.html", {"run": run, "done": done}, status=200 if run else 404)
