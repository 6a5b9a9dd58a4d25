"""Looks into the library that a member wants to hear from."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kmnet.core import kept_text
from kmnet.core.ratelimit import limited

from .. import services
from ..finding import Finder
from ..forms.gathering import SearchForm
from ..models import SavedSearch
from ..services.searches import TooManySearches


@require_safe
def searches(request):
    """All that the reader has saved, the latest first; there are not many (services.searches.MOST)."""
    saved = SavedSearch.objects.filter(member=request.user).order_by("-created_at", "-pk")
    return render(request, "resources/searches.html", {"searches": list(saved)})


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-searches", "60/h")
def search_new(request):
    """Keep the look that stands in the address."""
    finder = Finder(request.GET, request.user, forgiving=False)
    if not finder.question:
        raise Http404
    if request.method == "POST":
        form = SearchForm(request.POST)
        if form.is_valid():
            try:
                services.save_search(member=request.user, query=finder.question, **form.cleaned_data)
            except TooManySearches as error:
                form.add_error(None, error)
            else:
                kept_text.forget(request)
                messages.success(request, _("Your search is saved."))
                return redirect("resources:searches")
    else:
        initial = {"name": finder.in_words[:120], **kept_text.take(request)}
        form = SearchForm(initial=initial)
    context = {"form": form, "query": finder.question, "words": finder.in_words}
    return render(request, "resources/search_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-searches", "60/h")
def search_edit(request, pk):
    search = _own(request, pk)
    if request.method == "POST":
        form = SearchForm(request.POST)
        if form.is_valid():
            services.change_search(member=request.user, search=search, **form.cleaned_data)
            kept_text.forget(request)
            messages.success(request, _("Saved."))
            return redirect("resources:searches")
    else:
        form = SearchForm(initial={"name": search.name, "tells": search.tells, **kept_text.take(request)})
    context = {"form": form, "search": search, "query": search.query, "words": search.name}
    return render(request, "resources/search_form.html", context, status=422 if form.is_bound else 200)


@require_POST
def search_delete(request, pk):
    services.delete_search(member=request.user, search=_own(request, pk))
    messages.success(request, _("The search is gone."))
    return redirect(reverse("resources:searches"))


def _own(request, pk) -> SavedSearch:
    return get_object_or_404(SavedSearch, pk=min(pk, 2**63 - 1), member=request.user)
