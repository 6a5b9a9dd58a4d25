"""The short way in, and how looking up stands."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from kmnet.core import kept_text
from kmnet.core.models import CommunitySettings
from kmnet.core.ratelimit import limited

from ...forms import StartForm
from ...forms.files import files_kept, kept_token
from ..access import writers_only
from ..uploads import keep_uploads
from .lists import begin, is_list
from .lookups import ask, look


def start_page(request, form: StartForm, status: int = 200):
    context = {
        "form": form,
        "max_mb": CommunitySettings.load().max_upload_mb,
        "files_lost": not form.is_bound and bool(form.initial.get("pasted")),
    }
    return render(request, "resources/add.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-doi", "60/h")
def look_up(request):
    """A DOI or a link was pasted, or a file chosen: have it looked up, and go to the form at once, whether the network is
    there or not. A GET comes after signing in again, or from the address bar: what was pasted stands there still."""
    writers_only(request)
    if request.method != "POST":
        return start_page(request, StartForm(member=request.user, initial=kept_text.take(request)))
    form = StartForm(request.POST, request.FILES, member=request.user)
    form.is_valid()
    references = next((file for file in form.cleaned_data.get("files") or () if is_list(file.name)), None)
    if references and not request.POST.get("pasted", "").strip():
        return begin(request, references)
    kept = keep_uploads(request, form)  # good files stay, whatever else is wrong
    if form.errors and not (kept and set(form.errors) == {"files"}):
        return start_page(request, form, 422)
    for words in form.errors.get("files", ()):
        messages.warning(request, words)
    kept_text.forget(request)
    ask(actor=request.user, doi=form.doi, url=form.url)
    query = {
        "by": "file" if kept else "doi" if form.doi else "link",
        "doi": form.doi,
        "url": form.url,
        "kept": kept_token(kept) if kept else "",
        "group": form.cleaned_data["group"],
    }
    query = urlencode({name: value for name, value in query.items() if value})
    return redirect(f"{reverse('resources:add')}?{query}")


@require_safe
def look_up_status(request):
    """A partial: is there an answer yet?"""
    writers_only(request)
    kept = request.GET.get("kept", "")
    found = look(
        doi=request.GET.get("doi", ""),
        url=request.GET.get("url", "")[:1000],
        files=files_kept(kept, request.user) if kept else [],
        kept=kept,
    )
    if not found.state:
        raise Http404
    return render(request, "resources/_look_up.html", {"look": found})
