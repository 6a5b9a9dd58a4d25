"""The short way in, and how looking up stands."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kmnet.core.models import CommunitySettings
from kmnet.core.ratelimit import limited
from kmnet.core.uploads import UploadRefused

from ... import services
from ...forms import StartForm
from ...forms.files import files_kept, kept_token
from ...services.files import MAX_FILES
from ..access import writers_only
from .lists import begin, is_list
from .lookups import ask, look


def start_page(request, form: StartForm, status: int = 200):
    context = {"form": form, "max_mb": CommunitySettings.load().max_upload_mb}
    return render(request, "resources/add.html", context, status=status)


@require_POST
@limited("library-doi", "60/h")
def look_up(request):
    """A DOI or a link was pasted, or a file chosen: have it looked up, and go to the form at once, whether the network is
    there or not."""
    writers_only(request)
    form = StartForm(request.POST, request.FILES)
    if not form.is_valid():
        return start_page(request, form, 422)
    references = next((file for file in form.cleaned_data["files"] if is_list(file.name)), None)
    if references and not form.cleaned_data["pasted"]:
        return begin(request, references)
    kept, uploads = [], form.cleaned_data["files"]
    for upload in uploads[:MAX_FILES]:
        try:
            kept.append(services.keep_upload(actor=request.user, upload=upload))
        except UploadRefused as error:
            form.add_error("files", f"{upload.name}: {' '.join(error.messages)}")
    if len(uploads) > MAX_FILES:
        form.add_error("files", _("A record holds at most %(limit)s files.") % {"limit": MAX_FILES})
    if form.errors and not kept:
        return start_page(request, form, 422)
    for words in form.errors.get("files", ()):
        messages.warning(request, words)
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
