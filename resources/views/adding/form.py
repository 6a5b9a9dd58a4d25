"""The one form to which all ways lead, and editing."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from kmnet.core import kept_text
from kmnet.core.models import CommunitySettings
from kmnet.core.ratelimit import limited
from kmnet.core.uploads import UploadRefused

from ... import services
from ...duplicates import Likeness, find_duplicates
from ...forms import ResourceForm, StartForm, initial_from_known, initial_from_resource
from ...forms.fields import WebAddressField
from ...forms.files import files_kept
from ...identifiers import normalise_doi, title_key
from ...known import Known
from ...models import LibrarySettings, Resource
from ...permissions import can_edit_resource
from ...services.batches import added_today
from ...tags import words_offered
from ..access import find_resource, writers_only
from ..uploads import keep_uploads
from .lookups import LookUp, ask, look
from .start import start_page

WAYS = ("doi", "link", "file", "hand")
FIRST = {"doi": "doi", "file": "files"}  # the field that a way begins with; else the link
NOT_TYPED = {"licence": "unknown"}  # what a form says when nobody chose


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-add", "60/h")
def add(request):
    """Choose a way (no `by`), then the one form that all ways lead to."""
    writers_only(request)
    way = request.GET.get("by", "")
    typed = kept_text.take(request)
    if request.method == "POST":
        return _add_posted(request, way if way in WAYS else "hand")
    if way not in WAYS and not typed:
        initial = {"group": request.GET.get("group", "")[:20]}
        return start_page(request, StartForm(member=request.user, initial=initial))
    way = way if way in WAYS else "hand"
    given = {name: request.GET.get(name, "")[:1000] for name in ("doi", "url", "kept")}
    given["doi"] = normalise_doi(given["doi"])
    initial = {"language": request.user.language, **_shown(typed)}
    files = files_kept(given["kept"], request.user) if given["kept"] else []
    found = look(doi=given["doi"], url=given["url"], files=files, kept=given["kept"])
    initial = _filled(initial, found.known, language=request.user.language)
    initial |= {name: value for name, value in given.items() if value and not typed.get(name)}
    if request.GET.get("group"):  # an option that is not offered chooses nothing
        initial.setdefault("visibility", f"group-{request.GET['group'][:20]}")
    form = ResourceForm(member=request.user, initial=initial)
    here = _here_already(request, found, doi=given["doi"], url=given["url"], files=files)
    return _form_page(request, form, way, found, here=here, files_lost=bool(typed))


def _shown(typed: dict) -> dict:
    """What was typed, as initial values: but for the key of that form."""
    return {name: value for name, value in typed.items() if name != "submit_key"}


def _add_posted(request, way: str):
    doi, url = normalise_doi(request.POST.get("doi", "")), _address(request.POST.get("url", ""))
    kept = request.POST.get("kept", "")
    files = files_kept(kept, request.user) if kept else []
    if "fill" in request.POST:  # put in what is known; what was typed stays
        typed = {
            name: values if name.startswith("facet-") else values[0]
            for name, values in request.POST.lists()
            if name != "csrfmiddlewaretoken"
        }
        ask(actor=request.user, doi=doi, url=url, files=files)
        found = look(doi=doi, url=url, files=files, kept=kept)
        typed = _filled(typed, found.known, language=request.user.language)
        here = _here_already(request, found, doi=doi, url=url, files=files)
        return _form_page(request, ResourceForm(member=request.user, initial=typed), way, found, here=here)
    made = services.made_before(actor=request.user, submit_key=request.POST.get("submit_key", ""))
    if made:  # the button was pressed twice: what the first press made is no look-alike
        return redirect(made)
    found = look(doi=doi, url=url, files=files, kept=kept)
    base = _base(found.known, doi=doi, title=request.POST.get("title", ""))
    form = ResourceForm(request.POST, request.FILES, member=request.user, base=base)
    files, likenesses = _look_over(request, form, first=FIRST.get(way, "url"))
    if form.errors or likenesses:
        return _form_page(request, form, way, found, likenesses=likenesses, status=422)
    try:
        resource = services.add_resource(
            actor=request.user,
            details=form.details(),
            files=files,
            submit_key=form.cleaned_data["submit_key"],
        )
    except UploadRefused as error:
        form.add_error("files", error)
        return _form_page(request, form, way, found, status=422)
    kept_text.forget(request)
    held = resource.state == Resource.State.HELD
    messages.success(request, _("It is saved. Thank you.") if held else _("It is in the library. Thank you."))
    return redirect(resource)


def _address(typed: str) -> str:
    """The web address that was typed, "" where it is none: its field says so."""
    try:
        return WebAddressField(required=False).clean(typed)
    except ValidationError:
        return ""


def _base(known: Known | None, *, doi: str, title: str) -> dict | None:
    """What is known beyond the form's fields (volume, pages), where the form is still about that very thing."""
    if known is None:
        return None
    if doi or known.item.get("DOI"):
        return known.item if known.item.get("DOI", "").lower() == doi.lower() else None
    return known.item if title_key(title) == title_key(known.item.get("title", "")) else None


def _look_over(request, form: ResourceForm, *, first: str = "url"):
    """Check the form and its files; keep good files whatever else is wrong; ask the library for look-alikes. first: the
    field at which it says that neither link, DOI nor file is there."""
    form.is_valid()
    files = keep_uploads(request, form)
    held = form.resource.files.exists() if form.resource else False
    form.check_files(has_files=bool(files) or held)
    nothing = not (files or held or form.cleaned_data.get("url") or form.cleaned_data.get("doi"))
    if nothing and not form.errors.keys() & {"files", "url", "doi"}:
        form.add_error(first, _("Give at least one of these: a link, a DOI or a file."))
    if form.resource is None and added_today(request.user) >= LibrarySettings.load().resources_per_day:
        form.add_error(
            None, _("That is enough for one day. What you typed is still here; please come back tomorrow.")
        )
    likenesses = []
    if not form.errors and "anyway" not in request.POST:
        likenesses = find_duplicates(
            viewer=request.user,
            item=form.item(),
            hashes=[file.sha256 for file in files],
            besides=form.resource.pk if form.resource else None,
        )
    return files, likenesses


def _filled(typed: dict, known: Known | None, *, language: str) -> dict:
    """What was typed, and where nothing was, what is known. A language or licence that the form had chosen is none."""
    if known is None:
        return typed
    chosen = NOT_TYPED | {"language": language}
    said = {
        name: value
        for name, value in typed.items()
        if value not in ("", [], None) and value != chosen.get(name)
    }
    return {**typed, **initial_from_known(known), **said}


def _has_more(form: ResourceForm, known: Known) -> bool:
    """Is anything known that could still be filled in?"""
    chosen = NOT_TYPED | {"language": form.member.language}
    return any(
        form[name].value() in ("", None) or form[name].value() == chosen.get(name) != value
        for name, value in initial_from_known(known).items()
    )


def _here_already(request, found: LookUp, *, doi: str, url: str, files) -> list[Likeness]:
    """What holds the same DOI, link or file, told before anything is filled in; none where nothing was given."""
    doi = doi or (found.known.item.get("DOI", "") if found.known else "")
    if not (doi or url or files):
        return []
    hashes = [file.sha256 for file in files]
    return find_duplicates(viewer=request.user, item={"DOI": doi, "URL": url}, hashes=hashes)


def _form_page(request, form, way, found: LookUp, *, likenesses=(), here=(), status=200, files_lost=False):
    if way == "hand":  # any one of the three will do, and the page says so
        for name in ("url", "doi", "files"):
            form.fields[name].says_optional = False
    if found.known:
        found.is_used = not _has_more(form, found.known)
    if likenesses or (
        form.is_bound and (found.is_used or found.state == "mute")
    ):  # there is something else to see to
        found.state = ""
    context = {
        "files_lost": files_lost,
        "form": form,
        "way": way,
        "likenesses": likenesses,
        "here": here,
        "max_mb": CommunitySettings.load().max_upload_mb,
        "look": found,
        "words_offered": words_offered(),
    }
    return render(request, "resources/form.html", context, status=status)


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
        except services.ToldForFewer as error:
            form.add_error("visibility", error)
            return _edit_page(request, form, resource, status=422)
        kept_text.forget(request)
        messages.success(request, _("Saved."))
        return redirect(resource)
    initial = {**initial_from_resource(resource), **kept_text.take(request)}
    form = ResourceForm(member=request.user, base=base, resource=resource, initial=initial)
    return _edit_page(request, form, resource)


@require_POST
def take_link_off(request, pk):
    """A member is named as a creator, and does not want to be linked."""
    resource = find_resource(request, pk)
    if not services.take_link_off(actor=request.user, resource=resource):
        raise Http404
    messages.success(request, _("Your link is off this page, and nobody can put it back."))
    resource.refresh_from_db(fields=["title", "slug"])
    return redirect(resource)


def _edit_page(request, form, resource, *, likenesses=(), status=200):
    context = {
        "form": form,
        "resource": resource,
        "likenesses": likenesses,
        "files": list(
            resource.files.listed_for(request.user).select_related("text").defer("text__text", "text__search")
        ),
        "words_offered": words_offered(),
        "max_mb": CommunitySettings.load().max_upload_mb,
    }
    return render(request, "resources/form.html", context, status=status)
