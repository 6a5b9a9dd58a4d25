"""Pages behind links in mails: they open a page; the button on it acts."""

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone

from kmnet.core import presence, tokens
from kmnet.core.mail_pages import mail_page
from members.models import Member

from .. import services
from ..mails import MUTE
from ..models import Thread, ThreadWatch


@mail_page
def mute(request, token):
    """Mute one thread without signing in; the same page undoes it."""
    try:
        data = tokens.read(MUTE, token)
    except tokens.BadToken:
        return answered(request, status=410)
    member = Member.objects.filter(pk=data.get("m"), is_active=True).first()
    if member is None:
        raise Http404
    thread = Thread.objects.readable_by(member).select_related("space").filter(pk=data.get("t")).first()
    if thread is None:
        return answered(request, status=410)
    presence.note_post(request, member.pk)
    if request.method == "POST":
        muted = request.POST.get("level") != ThreadWatch.Level.NORMAL
        try:
            services.set_watch(
                member=member,
                thread=thread,
                level=ThreadWatch.Level.MUTED if muted else ThreadWatch.Level.NORMAL,
            )
        except PermissionDenied as error:
            raise Http404 from error
    muted = ThreadWatch.objects.filter(thread=thread, member=member, level=ThreadWatch.Level.MUTED)
    muted = muted.exclude(until__lte=timezone.now()).exists()
    return answered(request, thread=thread, muted=muted, done=request.method == "POST")


def answered(request, *, status=200, **context):
    return render(request, "discussions/mute.html", context, status=status)
