"""What links in mails about membership open: GET shows, POST acts."""

from functools import wraps

from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_http_methods

from kmnet.core import presence, tokens
from kmnet.core.mail_pages import mail_page

from . import services
from .mail_links import CALMER, HERE
from .mails import WISH_TOKEN
from .models import Member, Status
from .models.profile import DigestRhythm
from .permissions import is_full_member
from .services.mail_settings import LESS, habits_of, today_of


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
        presence.note(member.pk)
    context = {
        "wish": wish,
        "topics": topics,
        "sentence": profile.looking_for_text,
        "until": profile.looking_until,
        "is_done": is_done,
    }
    return render(request, "members/mail/renew_wish.html", context)


def for_reader_of(purpose: str):
    """Read the token, find the member, speak their language; the button is an act of theirs."""

    def decorate(view):
        @mail_page
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def wrapped(request, token):
            try:
                data = tokens.read(purpose, token)
            except tokens.BadToken:
                return render(request, "core/mail_link_dead.html", status=404)
            members = Member.objects.select_related("profile").exclude(status=Status.ERASED)
            member = members.filter(pk=data.get("m")).first()
            if member is None:
                return render(request, "core/mail_link_dead.html", status=404)
            presence.note_post(request, member.pk)
            with translation.override(member.language):
                return view(request, member, data)

        return wrapped

    return decorate


def settings_path(member) -> str:
    token = tokens.make("mail-settings", lifetime=tokens.TWO_YEARS, m=member.pk)
    return reverse("mail:settings", args=[token])


@for_reader_of(CALMER)
def less_often(request, member, data):
    """One step more seldom, and back by the same page."""
    rhythm, is_done = member.profile.digest, request.method == "POST"
    was = request.POST.get("was", "")
    if is_done and was in LESS:
        rhythm, is_back = services.set_rhythm(member=member, digest=was), True
    else:
        rhythm, is_back = services.less_often(member=member) if is_done else rhythm, False
    context = {
        "is_done": is_done,
        "is_back": is_back,
        "was": member.profile.digest if is_done and not is_back and rhythm != member.profile.digest else "",
        "now": DigestRhythm(rhythm).label,
        "next": DigestRhythm(LESS[rhythm]).label if rhythm in LESS else "",
        "settings_path": settings_path(member) + "#digest",
    }
    return render(request, "members/mail/less_often.html", context)


@for_reader_of(CALMER)
def pause(request, member, data):
    """A month without mail; the same page ends the pause."""
    if request.method == "POST" and request.POST.get("again"):
        services.end_pause(member=member)
    elif request.method == "POST":
        services.pause_mail(member=member)
    until = habits_of(member).paused_until
    context = {
        "until": until if until and until > today_of(member) else None,
        "is_done": request.method == "POST",
        "settings_path": settings_path(member) + "#quiet",
    }
    return render(request, "members/mail/pause.html", context)


@for_reader_of(HERE)
def still_here(request, member, data):
    """The one button of “are you still there?”, and of the mail that came when nobody had pressed it."""
    rhythm = member.profile.digest
    if request.method == "POST" and data.get("was"):
        rhythm = services.come_back(member=member, was=data["was"])
    context = {
        "first_name": member.get_short_name(),
        "was": DigestRhythm(data["was"]).label if data.get("was") in DigestRhythm.values else "",
        "now": DigestRhythm(rhythm).label,
        "is_done": request.method == "POST",
        "settings_path": settings_path(member) + "#digest",
    }
    return render(request, "members/mail/still_here.html", context)
