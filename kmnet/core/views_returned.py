"""The member's way back when their address has returned our mail; and what providers of mail tell about it."""

from anymail.urls import urlpatterns as anymail_patterns
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from . import bounces, presence, tokens
from .mail_pages import mail_page
from .models import SuppressedAddress
from .ratelimit import limited
from .views_mail import dead_link

TRACKING = {
    str(pattern.pattern).removesuffix("/tracking/"): pattern.callback
    for pattern in anymail_patterns
    if str(pattern.pattern).endswith("/tracking/")
}  # "mailgun": its view, which asks for the secret


@require_POST
@limited("works-again", "5/h")
def ask(request):
    """“It works again”: a mail goes there, and its button is the proof."""
    if bounces.ask_for_proof(member=request.user):
        said = _("We have sent a mail to %(address)s. Press the button in it, and mail goes there again.")
        messages.success(request, said % {"address": request.user.email})
    else:
        messages.success(request, _("Mail goes to your address."))
    return redirect("/settings/mail/")


@mail_page
def works_again(request, token):
    """GET shows a button, since scanners open links; POST is the proof."""
    try:
        data = tokens.read("works-again", token)
    except tokens.BadToken:
        return dead_link(request)
    if request.method == "POST":
        bounces.works_again(address_hash=data["h"])
        presence.note(member_id=data["m"])
        return render(request, "core/works_again.html", {"done": True, "mail_returned": False})
    row = SuppressedAddress.objects.filter(address_hash=data["h"], suppressed_at__isnull=False)
    return render(request, "core/works_again.html", {"done": not row.exists(), "mail_returned": False})


@csrf_exempt
@login_not_required
def events(request, provider):
    """Bounces and complaints, as a provider tells them. There only with ANYMAIL_WEBHOOK_SECRET, by which it is known."""
    view = TRACKING.get(provider)
    if view is None or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404
    return view(request)
