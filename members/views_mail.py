"""What links in mails about membership open: GET shows, POST acts."""

from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from kmnet.core import tokens
from kmnet.core.mail_pages import mail_page

from . import services
from .mails import WISH_TOKEN
from .models import Member
from .permissions import is_full_member


@mail_page
@require_http_methods(["GET", "HEAD", "POST"])
def renew_wish(request, token):
    """What somebody looks for help with, for another 90 days; pressing twice does no harm."""
    try:
        data = tokens.read(WISH_TOKEN, token)
    except tokens.BadToken:
        return render(request, "core/mail_link_dead.html", status=404)
    member = Member.objects.select_related("profile").filter(pk=data.get("member")).first()
    if not member or not is_full_member(member):
        return render(request, "core/mail_link_dead.html", status=404)
    profile, is_done = member.profile, False
    topics = list(profile.looking_for.all())
    wish = bool(topics or profile.looking_for_text)
    if request.method == "POST" and wish:
        profile, is_done = services.renew_wish(member=member), True
    context = {
        "wish": wish,
        "topics": topics,
        "sentence": profile.looking_for_text,
        "until": profile.looking_until,
        "is_done": is_done,
    }
    return render(request, "members/mail/renew_wish.html", context)
