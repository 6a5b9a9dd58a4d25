"""Adding and editing: by DOI, by link or by file; nothing typed is lost on the way."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kmnet.core import kept_text
from kmnet.core.models import CommunitySettings
from kmnet.core.ratelimit import limited
from kmnet.core.uploads import UploadRefused

from .. import services
from ..duplicates import find_duplicates
from ..forms import DoiForm, ResourceForm, initial_from_item, initial_from_resource
from ..identifiers import normalise_doi
from ..models import DoiRecord
from ..permissions import can_add_resource, can_edit_resource
from ..services.doi import ask_doi, known_item
from .access import find_resource
from .uploads import keep_uploads

WAYS = ("doi", "link", "file")
LOOKING_FOR = 12  # seconds in which the page keeps asking whether the DOI was answered


def writers_only(request) -> None:
    """A pending or silenced member finds no form here, as the pages offer none."""
    if not can_add_resource(request.user):
        raise Http404


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-add", "60/h")
def add(request):
    """Choose a way (no `by`), then the one form that all ways lead to."""
    writers_only(request)
    way = request.GET.get("by", "")
    typed = kept_text.take(request)
    if request.method == "POST":
        return _add_posted(request, way if way in WAYS else "link")
    if way not in WAYS and not typed:
        return render(request, "resources/add.html", {"doi_form": DoiForm()})
    way = way if way in WAYS else "link"
    initial = {"language": request.user.language, "url": request.GET.get("url", "")[:1000], **typed}
    initial.pop("submit_key", None)
    if request.GET.get("group"):  # an option that is not offered chooses nothing
        initial.setdefault("visibility", f"group-{request.GET['group'][:20]}")
    doi = normalise_doi(request.GET.get("doi", ""))
    base = known_item(doi) if doi else None
    if doi:
        initial = {"doi": doi, **_filled(initial, base)}
    form = ResourceForm(member=request.user, base=base, initial=initial)
    return _form_page(request, form, way, doi=doi)


def _add_posted(request, way: str):
    doi = normalise_doi(request.POST.get("doi", ""))
    base = known_item(doi) if doi else None
    if "fill" in request.POST:  # put in what is known about the DOI; what was typed stays
        typed = {
            name: values if name.startswith("facet-") else values[0]
            for name, values in request.POST.lists()
            if name != "csrfmiddlewaretoken"
        }
        if doi and base is None:
            ask_doi(actor=request.user, doi=doi)
        form = ResourceForm(member=request.user, base=base, initial=_filled(typed, base))
        return _form_page(request, form, way, doi=doi)
    made = services.made_before(actor=request.user, submit_key=request.POST.get("submit_key", ""))
    if made:  # the button was pressed twice: what the first press made is no look-alike
        return redirect(made)
    form = ResourceForm(request.POST, request.FILES, member=request.user, base=base)
    files, likenesses = _look_over(request, form)
    if form.errors or likenesses:
        return _form_page(request, form, way, doi=doi, likenesses=likenesses, status=422)
    try:
        resource = services.add_resource(
            actor=request.user,
            details=form.details(),
            files=files,
            submit_key=form.cleaned_data["submit_key"],
        )
    except UploadRefused as error:
        form.add_error("files", error)
        return _form_page(request, form, way, doi=doi, status=422)
    kept_text.forget(request)
    messages.success(request, _("It is in the library. Thank you."))
    return redirect(resource)


def _look_over(request, form: ResourceForm):
    """Check the form and its files; keep good files whatever else is wrong; ask the library for look-alikes."""
    valid = form.is_valid()
    files = keep_uploads(request, form)
    held = form.resource.files.exists() if form.resource else False
    form.check_files(has_files=bool(files) or held)
    nothing = not (files or held or form.cleaned_data.get("url") or form.cleaned_data.get("doi"))
    if valid and nothing and "files" not in form.errors:
        form.add_error(None, _("Give at least one of these: a link, a DOI or a file."))
    likenesses = []
    if not form.errors and "anyway" not in request.POST:
        likenesses = find_duplicates(
            viewer=request.user,
            item=form.item(),
            hashes=[file.sha256 for file in files],
            besides=form.resource.pk if form.resource else None,
        )
    return files, likenesses


def _filled(typed: dict, base: dict | None) -> dict:
    """What was typed, and where nothing was, what is known."""
    if not base:
        return typed
    known = {name: value for name, value in initial_from_item(base).items() if value}
    return {**known, **{name: value for name, value in typed.items() if value not in ("", [], None)}}


def _form_page(request, form, way, *, doi="", likenesses=(), status=200):
    record = DoiRecord.objects.filter(doi=doi.lower()).first() if doi else None
    context = {
        "form": form,
        "way": way,
        "likenesses": likenesses,
        "max_mb": CommunitySettings.load().max_upload_mb,
        **_doi_words(record),
    }
    return render(request, "resources/form.html", context, status=status)


def _doi_words(record: DoiRecord | None) -> dict:
    if record is None:
        return {"record": None}
    waiting = record.state == DoiRecord.State.ASKED
    age = (timezone.now() - record.asked_at).total_seconds()
    known = known_item(record.doi) if record.state == DoiRecord.State.FOUND else None
    return {"record": record, "known": known, "keep_asking": waiting and age < LOOKING_FOR}


@require_POST
@limited("library-doi", "60/h")
def look_up(request):
    """A DOI was pasted: have it looked up, and go to the form at once, whether the network is there or not."""
    writers_only(request)
    form = DoiForm(request.POST)
    if not form.is_valid():
        return render(request, "resources/add.html", {"doi_form": form}, status=422)
    doi = form.cleaned_data["doi"]
    ask_doi(actor=request.user, doi=doi)
    return redirect(f"{reverse('resources:add')}?{urlencode({'by': 'doi', 'doi': doi})}")


@require_safe
def doi_status(request):
    """A partial: is there an answer about this DOI yet?"""
    writers_only(request)
    doi = normalise_doi(request.GET.get("doi", "")).lower()
    record = DoiRecord.objects.filter(doi=doi).first()
    if record is None:
        raise Http404
    return render(request, "resources/_doi_status.html", _doi_words(record))


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-add", "60/h")
def edit(request, pk):
    """The adder says it better."""
    resource = find_resource(request, pk)
    if not can_edit_resource(request.user, resource):
        raise Http404
    base = resource.csl
    if request.method == "POST":
        form = ResourceForm(request.POST, request.FILES, member=request.user, base=base, resource=resource)
        files, likenesses = _look_over(request, form)
        if form.errors or likenesses:
            return _edit_page(request, form, resource, likenesses=likenesses, status=422)
        try:
            resource = services.edit_resource(
                actor=request.user, resource=resource, details=form.details(), files=files
            )
        except UploadRefused as error:
            form.add_error("files", error)
            return _edit_page(request, form, resource, status=422)
        kept_text.forget(request)
        messages.success(request, _("Saved."))
        return redirect(resource)
    initial = {**initial_from_resource(resource), **kept_text.take(request)}
    form = ResourceForm(member=request.user, base=base, resource=resource, initial=initial)
    return _edit_page(request, form, resource)


def _edit_page(request, form, resource, *, likenesses=(), status=200):
    context = {
        "form": form,
        "resource": resource,
        "likenesses": likenesses,
        "files": list(resource.files.all()),
        "max_mb": CommunitySettings.load().max_upload_mb,
    }
    return render(request, "resources/form.html", context, status=status)
