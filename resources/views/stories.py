"""“I used this”: the tap, the stories, and their forms."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kmnet.core import kept_text
from kmnet.core.access import guests_sign_in
from kmnet.core.ratelimit import limited
from members.permissions import can_moderate, can_write

from .. import company, services
from ..forms import StoryForm, initial_from_story
from ..models import Story
from ..permissions import (
    can_edit_story,
    can_mark_used,
    can_tell_story,
    can_view_story,
    is_met,
    may_take_back_story,
)
from .access import find_resource, tells_gone


def find_story(request, pk: int) -> Story:
    """The story, if this person may read it; else a 404."""
    story = Story.objects.select_related("resource__group", "author").defer("search", "resource__search")
    story = story.filter(pk=min(pk, 2**63 - 1)).first()
    if story is None or not can_view_story(request.user, story):
        raise Http404
    return story


@login_not_required
@require_safe
@guests_sign_in
@tells_gone
def stories(request, pk, slug):
    resource = find_resource(request, pk)
    if slug != resource.slug:
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(reverse("resources:stories", args=[pk, resource.slug]) + query, permanent=True)
    page = company.page_of_stories(resource, request.user, request.GET)
    listed = list(page)
    asked = _asked_for(request, resource, {story.pk for story in listed})
    listed = [*asked, *listed]
    own = company.own_stories(listed, request.user)
    context = {
        "resource": resource,
        "stories": listed,
        "page": page,
        "own": own,
        "show": request.GET.get("show", ""),
        "may_tell": can_tell_story(request.user, resource),
        "may_report": can_write(request.user),
        "may_moderate": can_moderate(request.user),
    }
    response = render(request, "resources/stories.html", context)
    if not resource.is_public or request.GET:
        response["X-Robots-Tag"] = "noindex"
    return response


def _asked_for(request, resource, there: set[int]) -> list[Story]:
    """The one that a link leads to, on top where it is not on this page."""
    asked = request.GET.get("story", "")
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19) or int(asked) in there:
        return []
    story = (
        Story.objects.select_related("resource__group", "author").defer("search").filter(resource=resource)
    )
    story = story.filter(pk=min(int(asked), 2**63 - 1)).first()
    return [story] if story is not None and can_view_story(request.user, story) else []


@require_POST
@limited("library-used", "120/h")
def used(request, pk):
    """One tap, and one to take it back."""
    resource = find_resource(request, pk)
    on = request.POST.get("on") != "0"
    if not is_met(request.user, resource) or (on and not can_mark_used(request.user, resource)):
        raise Http404
    services.mark_used(actor=request.user, resource=resource, on=on)
    if request.htmx:
        context = {"resource": resource, "is_used": on, "may_mark": True, "may_tell": True}
        return render(request, "resources/detail/_used.html", context)
    messages.success(request, _("Noted. Thank you.") if on else _("Taken back."))
    return redirect(resource)


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-story", "30/h")
def tell(request, pk):
    resource = find_resource(request, pk)
    if not can_tell_story(request.user, resource):
        raise Http404
    if request.method != "POST":
        form = StoryForm(initial=_begun(request))
        return _form_page(request, form, resource)
    form = StoryForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form, resource, status=422)
    try:
        story = services.tell_story(
            actor=request.user,
            resource=resource,
            telling=form.telling(),
            submit_key=form.cleaned_data["submit_key"],
        )
    except services.TooManyStories:
        form.add_error(None, _("You have told several stories about this already: add to one of them."))
        return _form_page(request, form, resource, status=422)
    kept_text.forget(request)
    messages.success(request, _("It is there. Thank you: this is what others look for."))
    story.resource = resource
    return redirect(story)


def _begun(request) -> dict:
    begun = kept_text.take(request)
    begun.pop("submit_key", None)
    return begun


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-story", "30/h")
def edit_story(request, pk):
    story = find_story(request, pk)
    if not can_edit_story(request.user, story):
        raise Http404
    if request.method != "POST":
        form = StoryForm(initial={**initial_from_story(story), **_begun(request)})
        return _form_page(request, form, story.resource, story=story)
    form = StoryForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form, story.resource, story=story, status=422)
    story = services.edit_story(actor=request.user, story=story, telling=form.telling())
    kept_text.forget(request)
    messages.success(request, _("Saved."))
    return redirect(story)


def _form_page(request, form, resource, *, story=None, status=200):
    context = {"form": form, "resource": resource, "story": story}
    return render(request, "resources/story_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def take_back_story(request, pk):
    story = find_story(request, pk)
    if not may_take_back_story(request.user, story):
        raise Http404
    if request.method != "POST":
        return render(request, "resources/story_take_back.html", {"story": story, "resource": story.resource})
    services.take_back_story(actor=request.user, story=story)
    messages.success(request, _("Your story is gone."))
    return redirect(story.resource)
