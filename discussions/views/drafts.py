"""Drafts: saved while somebody types, listed, continued, thrown away."""

import re

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kmnet.core.moments import clock
from kmnet.core.ratelimit import limited
from kmnet.core.text import clean_line
from members.permissions import is_full_member

from .. import services
from ..models import UNDO, Draft, Post, Space, Thread, written_by
from ..permissions import is_author

KEY = re.compile(r"(?:ask|message|(?:ask|reply|edit):[1-9][0-9]{0,17})")


def sent_with(request, key: str) -> services.Sent:
    """Which draft this form came from, as the form says."""
    revision = request.POST.get("draft_revision", "")
    return services.Sent(
        key=key,
        tab=clean_line(request.POST.get("draft_tab", "")[:40]),
        revision=int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 9 else 0,
    )


def place_of(user, key: str) -> tuple[Thread | None, str, str]:
    """Where the text would go: the thread, words for it, and the address of its form. Not to be seen: a 404."""
    kind, _colon, number = key.partition(":")
    if kind == "reply":
        thread = get_object_or_404(Thread.objects.readable_by(user).select_related("space"), pk=number)
        if thread.is_conversation:
            return thread, _("A private conversation"), thread.get_absolute_url()
        return thread, thread.title, f"{thread.get_absolute_url()}reply/"
    if kind == "edit":
        found = Post.objects.readable_by(user).select_related("thread__space")
        post = get_object_or_404(found, pk=number)
        if not is_author(user, post):
            raise Http404
        return (
            post.thread,
            post.thread.title or _("A private message"),
            reverse("discussions:edit", args=[post.pk]),
        )
    if kind == "message":
        return None, _("A private message"), reverse("messages:new")
    if number:
        space = get_object_or_404(Space.objects.visible_to(user), pk=number)
        return None, space.name, reverse("discussions:ask_in", args=[space.slug])
    return None, _("A new question or conversation"), reverse("discussions:ask")


@login_not_required  # answered 401 here: the page then keeps the text itself, until somebody has signed in again
@require_POST
def save(request):
    """For the composer's script; the same as its button “Save as a draft” for those without."""
    if not is_full_member(request.user):
        return HttpResponse(status=401)
    return _save(request)


@limited("discussions-draft", "60/m")
def _save(request):
    key = request.POST.get("key", "")
    if not KEY.fullmatch(key):
        raise Http404
    thread, _words, _address = place_of(request.user, key)
    try:
        draft, beside = services.save_draft(
            member=request.user,
            sent=sent_with(request, key),
            fields=request.POST.dict(),
            thread=thread,
            submit_key=uuid_or_none(request.POST.get("submit_key", "")),
        )
    except services.DraftRefused as refused:
        return JsonResponse({"words": refused.sentence}, status=422)
    if beside:
        words = _("A newer draft from another window is kept; so is this one, beside it.")
        return JsonResponse({"revision": 0, "words": words}, status=409)
    words = _("Saved at %(time)s") % {"time": clock(timezone.now())} if draft else ""
    return JsonResponse({"revision": draft.revision if draft else 0, "words": words})


def uuid_or_none(text: str) -> str | None:
    return text if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) else None


def keep_by_button(request, key: str, thread: Thread | None = None) -> HttpResponse:
    """“Save as a draft”, without scripts."""
    sent = sent_with(request, key)
    services.save_draft(member=request.user, sent=sent, fields=request.POST.dict(), thread=thread)
    messages.success(request, _("Kept. You find it here, on every device."))
    return redirect("discussions:drafts")


def taken_up(request, key: str) -> dict[str, str]:
    """With ?draft=<n>: the fields of that text, and what says where they came from; {} where there is none."""
    asked = request.GET.get("draft", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 3):
        return {}
    draft = Draft.objects.filter(member=request.user, key=key).first()
    texts = services.texts_of(draft) if draft else []
    if int(asked) >= len(texts):
        return {}
    return {**texts[int(asked)], "draft_revision": draft.revision if asked == "0" else 0}


def offer(user, key: str):
    """When what was begun here was last touched, to be continued or thrown away; None where nothing was."""
    return Draft.objects.filter(member=user, key=key).values_list("updated_at", flat=True).first()


@require_safe
def drafts(request):
    """All that I have begun, newest first; and what I took back a moment ago."""
    rows = []
    for draft in Draft.objects.filter(member=request.user).order_by("-updated_at", "-pk"):
        try:
            _thread, words, address = place_of(request.user, draft.key)
        except Http404:  # the words stay mine to copy, where they may go no longer
            words, address = _("A place that is not open to you any more"), ""
        rows.append({"draft": draft, "words": words, "address": address, "texts": services.texts_of(draft)})
    since = timezone.now() - UNDO
    back = Post.objects.taken_back().filter(written_by(request.user), state="deleted", deleted_at__gt=since)
    context = {"rows": rows, "taken_back": back.select_related("thread").order_by("-deleted_at")}
    return render(request, "discussions/drafts.html", context)


@require_POST
def drop(request):
    """Throw one text away; back to the thread where that was asked for there."""
    draft = get_object_or_404(Draft, member=request.user, key=clean_line(request.POST.get("key", "")[:80]))
    text = request.POST.get("text", "0")
    services.drop_draft(
        member=request.user, draft=draft, text=int(text) if re.fullmatch(r"[0-9]", text) else 0
    )
    messages.success(request, _("Thrown away."))
    if request.POST.get("back"):
        try:
            return redirect(place_of(request.user, draft.key)[2])
        except Http404:
            pass
    return redirect("discussions:drafts")
