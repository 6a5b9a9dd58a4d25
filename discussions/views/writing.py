"""Asking, replying, editing. Preview without scripts is a second button of the same form; everything typed stays in it."""

import functools
import re

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kmnet.core import inbound, kept_text
from kmnet.core.differences import changes
from kmnet.core.forms import POST_LENGTH
from kmnet.core.ratelimit import limited
from kmnet.core.text import clean_line, clean_text
from kmnet.core.uploads import UploadRefused
from kmnet.core.views import typed_by
from members.permissions import can_write, is_full_member

from .. import holding, moved, services
from ..about import begun_about, thing_of
from ..forms import EditForm, ReplyForm, ThreadForm
from ..models import Post
from ..permissions import can_edit_post, can_reply, can_start_thread
from ..rendering import render_post
from ..tags import words_offered
from .access import find_post, find_space, find_thread
from .drafts import keep_by_button, offer, sent_with, taken_up
from .hints import alike

MOST_QUOTED = 5_000


def refused(form):
    """Somebody who could write when they began, and cannot any more, still gets their text back."""
    form.add_error(
        None, _("You can read here, but not write at the moment. Your text is below; copy what you need.")
    )
    return form


def wants(request) -> str:
    """Which of the form's buttons was pressed: "preview", "draft", "attach", or "" to send it."""
    return request.POST.get("view", "")


def bound(request, make):
    """The form as it was sent, `make`d of its data. A file that came along is kept, and stands in the text; one that is
    refused says why, beside its field."""
    data, upload = request.POST.copy(), request.FILES.get("file")
    if upload is None:
        return make(data)
    try:
        kept = services.keep_file(actor=request.user, upload=upload)
    except UploadRefused as refusal:
        form = make(data)
        form.add_error("file", refusal)
        return form
    mark = services.as_markdown(kept, clean_line(data.get("alt", ""))[:300])
    data["body"] = f"{data.get('body', '').rstrip()}\n\n{mark}\n".lstrip("\n")
    data["alt"] = ""
    return make(data)


def unsent(request, status: int) -> HttpResponse:
    """What it was written for is not there (any more) for this person; their text still is, to be copied."""
    context = {"typed": typed_by(request)}
    return render(request, "discussions/unsent.html", context, status=status)


def text_is_kept(view):
    """A form whose place is gone or closed to its writer answers 404 or 403 as ever, with the text on the page."""

    @functools.wraps(view)
    def wrapped(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except Http404:
            if request.method != "POST" or not typed_by(request):
                raise
            return unsent(request, 404)
        except PermissionDenied:
            if request.method != "POST" or not typed_by(request):
                raise
            return unsent(request, 403)

    return wrapped


@limited("discussions-ask", "60/h")
@text_is_kept
def ask(request, space=None):
    """A new thread: in a space, or with the space to be chosen."""
    space = find_space(request, space) if space else None
    key = f"ask:{space.pk}" if space else "ask"
    if not (can_start_thread(request.user, space) if space else can_write(request.user)):
        if request.method != "POST":
            raise PermissionDenied
        form = refused(ThreadForm(request.POST, member=request.user, space=space))
        return render(request, "discussions/ask.html", ask_context(form, space), status=403)
    if request.method != "POST":
        begun = {**taken_up(request, key), **kept_text.take(request)}
        begun = begun or begun_about(request.GET.get("about", ""), request.user)
        form = ThreadForm(initial=begun, member=request.user, space=space)
        context = ask_context(
            form, space, draft_at=None if begun else offer(request.user, key), draft_key=key
        )
        return render(request, "discussions/ask.html", context)
    if wants(request) == "draft":
        return keep_by_button(request, key)
    form = bound(request, lambda data: ThreadForm(data, member=request.user, space=space))
    valid = form.is_valid()
    if wants(request) in ("preview", "attach") and not form.has_error("file"):
        preview = render_post(form.source(), anchor="preview")
        shown = ThreadForm(initial=form.data.dict(), member=request.user, space=space)
        like = alike(
            request.user, request.POST.get("title", "")[:160]
        )  # with scripts they came while it was typed
        context = ask_context(shown, space, preview_html=preview, similar=like)
        return render(request, "discussions/ask.html", context)
    if not valid:
        return render(request, "discussions/ask.html", ask_context(form, space), status=422)
    try:
        thread = services.start_thread(
            author=request.user,
            space=space or form.cleaned_data["space"],
            kind=form.cleaned_data["kind"],
            title=form.cleaned_data["title"],
            source=form.source(),
            tags=form.cleaned_data["tags"],
            submit_key=form.cleaned_data["submit_key"],
            poll=form.poll(),
            sent=sent_with(request, key),
            masked=form.cleaned_data.get("masked", False),
            about=thing_of(form.cleaned_data["about"], request.user),
        )
    except services.NobodyToUnmask:  # the settings were changed while it was being written
        form.add_error(None, _("Nobody can ask without their name at the moment. Your text is below."))
        return render(request, "discussions/ask.html", ask_context(form, space), status=409)
    except services.LimitReached as limit:
        form.add_error("body", limit.sentence)
        return render(request, "discussions/ask.html", ask_context(form, space), status=429)
    kept_text.forget(request)
    if not thread.is_shown:
        messages.info(request, holding.why_and_how_long(thread.posts.get()))
    elif thread.is_question:
        messages.success(request, _("Your question is out. We tell you by e-mail when somebody answers."))
    return redirect(thread)


def ask_context(form, space, **more) -> dict:
    return {
        "draft_key": f"ask:{space.pk}" if space else "ask",
        "form": form,
        "space": space,
        "vocabulary": words_offered(),
        "view": "preview" if "preview_html" in more else "write",
        "ask_address": inbound.mailbox_address(f"ask+{space.slug}" if space else "ask"),
        **more,
    }


@limited("discussions-reply", "120/h")
@text_is_kept
def reply(request, space, pk, slug):
    """A reply to the thread, or with `to` to one post in it. Also the page for those without scripts."""
    thread = find_thread(request, pk)
    key = f"reply:{thread.pk}"
    if not can_write(request.user):
        if request.method != "POST":
            raise PermissionDenied
        return reply_page(request, thread, refused(ReplyForm(request.POST)), status=403)
    if request.method != "POST":
        begun = {**taken_up(request, key), **kept_text.take(request)}
        initial = {
            "to": request.GET.get("to"),
            "seen": thread.last_number,
            **quoted(request, thread),
            **begun,
        }
        draft_at = None if begun else offer(request.user, key)
        return reply_page(request, thread, ReplyForm(initial=initial), draft_at=draft_at)
    if wants(request) == "draft":
        return keep_by_button(request, key, thread)
    form = bound(request, ReplyForm)
    valid = form.is_valid()
    if wants(request) in ("preview", "attach") and not form.has_error("file"):
        preview = render_post(form.cleaned_data.get("body") or "", anchor="preview")
        return reply_page(request, thread, ReplyForm(initial=form.data.dict()), preview_html=preview)
    if not valid:
        return reply_page(request, thread, form, status=422)
    try:
        post = services.add_reply(
            author=request.user,
            thread=thread,
            source=form.cleaned_data["body"],
            parent=parent_of(thread, form.cleaned_data["to"]),
            submit_key=form.cleaned_data["submit_key"],
            seen=form.cleaned_data["seen"],
            sent=sent_with(request, key),
        )
    except services.WrittenMeanwhile as meanwhile:
        form.data["seen"] = ""  # shown once; then it goes
        return reply_page(request, thread, form, newer=meanwhile.posts, status=409)
    except services.ThreadClosed:  # while it was being written
        form.add_error(
            None, _("This thread was closed meanwhile. Your text is still here; copy what you need.")
        )
        return reply_page(request, thread, form, status=409)
    except services.LimitReached as limit:
        form.add_error("body", limit.sentence)
        return reply_page(request, thread, form, status=429)
    kept_text.forget(request)
    if not post.is_shown:
        messages.info(request, holding.why_and_how_long(post))
    return redirect(post)


def quoted(request, thread) -> dict[str, str]:
    """?quote=<number>: that post as a quotation with its author and the way to it, to be answered below."""
    asked = request.GET.get("quote", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        return {}
    posts = Post.objects.visible_to(request.user).shown().select_related("author")
    post = posts.filter(thread=thread, number=int(asked)).first()
    if post is None:
        return {}
    said = _("[%(name)s wrote](%(address)s):") % {
        "name": re.sub(r"[\[\]\\]", "", post.author.name),
        "address": thread.url_of(post.number),
    }
    lines = "\n".join(f"> {line}".rstrip() for line in post.source[:MOST_QUOTED].splitlines())
    return {"to": post.number, "body": f"{said}\n\n{lines}\n\n"}


def parent_of(thread, number) -> Post | None:
    if not number:
        return None
    parent = thread.posts.published().filter(number=number).first() or moved.post_from(thread, number)
    if parent is None:
        raise Http404
    return parent


def reply_page(request, thread, form, *, status=200, **more) -> HttpResponse:
    to = str(form["to"].value() or "")
    parent = None
    if to.isascii() and to.isdigit() and len(to) < 10:  # "²" is a digit too, and no number
        visible = Post.objects.visible_to(request.user).select_related("author")
        parent = visible.filter(thread=thread, number=int(to)).first()
    context = {
        "thread": thread,
        "form": form,
        "parent": parent,
        "may_reply": can_reply(request.user, thread),
        "draft_key": f"reply:{thread.pk}",
        "view": "preview" if "preview_html" in more else "write",
        **more,
    }
    return render(request, "discussions/reply.html", context, status=status)


@text_is_kept
def edit(request, pk):
    """New words for one's own post."""
    post = find_post(request, pk)
    key = f"edit:{post.pk}"
    if not can_edit_post(request.user, post):
        raise PermissionDenied
    leads, thread = post.leads, post.thread
    if request.method != "POST":
        initial = {"body": post.source, "title": thread.title, "begun_from": services.state_of(post)}
        initial["tags"] = ", ".join(thread.tags.names()) if leads else ""
        begun = {**taken_up(request, key), **kept_text.take(request)}
        form = EditForm(initial={**initial, **begun}, leads=leads)
        draft_at = None if begun else offer(request.user, key)
        return render(request, "discussions/edit.html", edit_context(form, post, draft_at=draft_at))
    if wants(request) == "draft":
        return keep_by_button(request, key, thread)
    form = bound(request, lambda data: EditForm(data, leads=leads))
    valid = form.is_valid()
    if wants(request) in ("preview", "attach") and not form.has_error("file"):
        preview = render_post(form.cleaned_data.get("body") or "", anchor="preview")
        form = EditForm(initial=form.data.dict(), leads=leads)
        return render(request, "discussions/edit.html", edit_context(form, post, preview_html=preview))
    if not valid:
        return render(request, "discussions/edit.html", edit_context(form, post), status=422)
    try:
        services.edit_post(
            editor=request.user,
            post=post,
            source=form.cleaned_data["body"],
            title=form.cleaned_data.get("title"),
            tags=form.cleaned_data.get("tags"),
            begun_from=form.cleaned_data["begun_from"],
            sent=sent_with(request, key),
        )
    except services.ChangedMeanwhile:
        return changed_meanwhile(request, post, form)
    kept_text.forget(request)
    post = find_post(request, pk)  # its thread may have a new address
    return redirect(post)


def changed_meanwhile(request, post, form) -> HttpResponse:
    """In another window, say: both texts are shown, and saving again takes the one below."""
    post = find_post(request, post.pk)
    form.data["begun_from"] = services.state_of(post)
    form.add_error(
        None,
        _("You changed this in another window meanwhile. Your text is below; saving it replaces the other."),
    )
    other = changes(post.source, form.cleaned_data["body"])
    return render(request, "discussions/edit.html", edit_context(form, post, other=other), status=409)


def edit_context(form, post, **more) -> dict:
    return {
        "form": form,
        "post": post,
        "thread": post.thread,
        "draft_key": f"edit:{post.pk}",
        "vocabulary": words_offered(),
        "view": "preview" if "preview_html" in more else "write",
        **more,
    }


@login_not_required  # 401 for who is signed out meanwhile: a script asks, and must not lead away from the text
@require_POST
def preview(request):
    """What a text will look like; for the composer's scripts."""
    if not is_full_member(request.user):
        return HttpResponse(status=401)
    text = clean_text(request.POST.get("text", ""))[:POST_LENGTH]
    return render(request, "discussions/_preview.html", {"preview_html": render_post(text, anchor="preview")})
