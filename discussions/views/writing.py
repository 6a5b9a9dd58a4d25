"""Asking, replying, editing. Preview without scripts is a second button of the same form; everything typed stays in it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kmnet.core import kept_text
from kmnet.core.forms import POST_LENGTH
from kmnet.core.ratelimit import limited
from kmnet.core.text import clean_text
from kmnet.core.vocabulary import terms_for
from members.permissions import can_write

from .. import holding, moved, services
from ..differences import changes
from ..forms import EditForm, ReplyForm, ThreadForm
from ..models import Post
from ..permissions import can_edit_post, can_reply, can_start_thread
from ..rendering import render_post
from .access import find_post, find_space, find_thread


def refused(form):
    """Somebody who could write when they began, and cannot any more, still gets their text back."""
    form.add_error(
        None, _("You can read here, but not write at the moment. Your text is below; copy what you need.")
    )
    return form


def wants_preview(request) -> bool:
    return request.POST.get("view") == "preview"


@limited("discussions-ask", "20/h")
def ask(request, space=None):
    """A new thread: in a space, or with the space to be chosen."""
    space = find_space(request, space) if space else None
    if not (can_start_thread(request.user, space) if space else can_write(request.user)):
        if request.method != "POST":
            raise PermissionDenied
        form = refused(ThreadForm(request.POST, member=request.user, space=space))
        return render(request, "discussions/ask.html", ask_context(form, space), status=403)
    if request.method != "POST":
        kept = kept_text.take(request)
        form = ThreadForm(initial=kept, member=request.user, space=space)
        return render(request, "discussions/ask.html", ask_context(form, space))
    form = ThreadForm(request.POST, member=request.user, space=space)
    valid = form.is_valid()
    if wants_preview(request):
        preview = render_post(form.source(), anchor="preview")
        shown = ThreadForm(initial=request.POST.dict(), member=request.user, space=space)
        return render(request, "discussions/ask.html", ask_context(shown, space, preview_html=preview))
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
        )
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
        "form": form,
        "space": space,
        "vocabulary": terms_for("thread").values_list("name", flat=True),
        "view": "preview" if "preview_html" in more else "write",
        **more,
    }


@limited("discussions-reply", "60/h")
def reply(request, space, pk, slug):
    """A reply to the thread, or with `to` to one post in it. Also the page for those without scripts."""
    thread = find_thread(request, pk)
    if not can_write(request.user):
        if request.method != "POST":
            raise PermissionDenied
        return reply_page(request, thread, refused(ReplyForm(request.POST)), status=403)
    if request.method != "POST":
        form = ReplyForm(initial={"to": request.GET.get("to"), **kept_text.take(request)})
        return reply_page(request, thread, form)
    form = ReplyForm(request.POST)
    valid = form.is_valid()
    if wants_preview(request):
        preview = render_post(form.cleaned_data.get("body") or "", anchor="preview")
        return reply_page(request, thread, ReplyForm(initial=request.POST.dict()), preview_html=preview)
    if not valid:
        return reply_page(request, thread, form, status=422)
    try:
        post = services.add_reply(
            author=request.user,
            thread=thread,
            source=form.cleaned_data["body"],
            parent=parent_of(thread, form.cleaned_data["to"]),
            submit_key=form.cleaned_data["submit_key"],
        )
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
        "view": "preview" if "preview_html" in more else "write",
        **more,
    }
    return render(request, "discussions/reply.html", context, status=status)


def edit(request, pk):
    """New words for one's own post."""
    post = find_post(request, pk)
    if not can_edit_post(request.user, post):
        raise PermissionDenied
    leads, thread = post.leads, post.thread
    if request.method != "POST":
        initial = {"body": post.source, "title": thread.title, "begun_from": services.state_of(post)}
        initial["tags"] = ", ".join(thread.tags.names()) if leads else ""
        form = EditForm(initial={**initial, **kept_text.take(request)}, leads=leads)
        return render(request, "discussions/edit.html", edit_context(form, post))
    form = EditForm(request.POST, leads=leads)
    valid = form.is_valid()
    if wants_preview(request):
        preview = render_post(form.cleaned_data.get("body") or "", anchor="preview")
        form = EditForm(initial=request.POST.dict(), leads=leads)
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
        )
    except services.ChangedMeanwhile:
        return changed_meanwhile(request, post, form)
    kept_text.forget(request)
    post = find_post(request, pk)  # its thread may have a new address
    return redirect(post)


def changed_meanwhile(request, post, form) -> HttpResponse:
    """In another window, say: both texts are shown, and saving again takes the one below."""
    post = find_post(request, post.pk)
    form.data = form.data.copy()
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
        "vocabulary": terms_for("thread").values_list("name", flat=True),
        "view": "preview" if "preview_html" in more else "write",
        **more,
    }


@require_POST
def preview(request):
    """What a text will look like; for the composer's scripts."""
    text = clean_text(request.POST.get("text", ""))[:POST_LENGTH]
    return render(request, "discussions/_preview.html", {"preview_html": render_post(text, anchor="preview")})
