"""Bringing in a list of references: the file, how reading stands, the preview, and what became of it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from kmnet.core import kept_text
from kmnet.core.ratelimit import limited

from ... import csl
from ...formats import FORMATS, MAX_BYTES, NotReadable
from ...forms.lists import ListForm, ListSettingsForm
from ...models import ImportBatch, Resource
from ...services import batches
from ...tags import words_offered
from ..access import writers_only

PER_PAGE = 50
SHOWN = ("all", "new", "known", "odd")
BECAUSE = {
    "doi": gettext_lazy("has the same DOI"),
    "isbn": gettext_lazy("has the same ISBN"),
    "link": gettext_lazy("leads to the same address"),
    "title": gettext_lazy("has nearly the same title"),
}
State = ImportBatch.State


def is_list(name: str) -> bool:
    """Files that can be nothing but references; a .csv may be anything."""
    return name.rpartition(".")[2].casefold() in {"bib", "bibtex", "ris", "json"}


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-import", "30/h")
def lists(request):
    """The file, and the lists that wait for their sender."""
    writers_only(request)
    if request.method == "POST":
        form = ListForm(request.POST, request.FILES)
        return (
            begin(request, form.cleaned_data["file"], form) if form.is_valid() else _page(request, form, 422)
        )
    return _page(request, ListForm())


def begin(request, upload, form: ListForm | None = None):
    """Take the file in; on to its page, or back to the form with what is wrong."""
    if form is None:
        form = ListForm(files={"file": upload})
        form.is_valid()
    try:
        if upload.size > MAX_BYTES:
            raise NotReadable(_("The file is larger than 10 MB."))
        batch = batches.begin_batch(actor=request.user, name=upload.name, data=upload.read())
    except NotReadable as error:
        form.add_error("file", f"{upload.name}: {error}")
        return _page(request, form, 422)
    except ValidationError as error:
        form.add_error(None, error)
        return _page(request, form, 422)
    return redirect("resources:list", batch.pk)


def _page(request, form: ListForm, status: int = 200):
    mine = (
        ImportBatch.objects.filter(member=request.user)
        .exclude(file_name="")
        .defer("rows", "source", "chosen")
    )
    context = {"form": form, "batches": list(mine.order_by("-created_at")[:20]), "formats": FORMATS}
    return render(request, "resources/lists.html", context, status=status)


def _find(request, pk: int) -> ImportBatch:
    writers_only(request)
    batch = ImportBatch.objects.filter(member=request.user, pk=min(pk, 2**63 - 1)).defer("source").first()
    if batch is None:
        raise Http404
    return batch


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-list", "600/h")
def list_of(request, pk):
    """One list: being read, to be looked through, being saved, saved."""
    batch = _find(request, pk)
    if request.method == "POST":
        return _decided(request, batch)
    if batch.state != State.READY:
        return render(request, "resources/list_status_page.html", _how_it_stands(batch))
    typed = {**(batch.chosen.get("typed") or {}), **_kept(request, batch)}
    initial = {name: value for name, value in typed.items() if name in ListSettingsForm.base_fields}
    return _preview(request, batch, ListSettingsForm(member=request.user, initial=initial))


def _kept(request, batch: ImportBatch) -> dict:
    """What was typed when the login had run out; the ticks that came with it are shown, and saved with the next button."""
    found = kept_text.take(request)
    numbers, taken = (
        _numbers([found[name]] if isinstance(found[name], str) else found[name]) if name in found else []
        for name in ("row", "take")
    )
    ticks = {str(number): number in taken for number in numbers}
    batch.chosen = {**batch.chosen, "taken": {**batch.chosen.get("taken", {}), **ticks}}
    return found


def _decided(request, batch: ImportBatch):
    """A button of the preview: what is ticked on its page is kept whichever it was."""
    go = request.POST.get("go", "")
    if go == "give-up":
        batches.give_up(actor=request.user, batch=batch)
        messages.success(request, _("The list is forgotten; nothing of it was saved."))
        return redirect("resources:lists")
    if batch.state != State.READY:
        return redirect("resources:list", batch.pk)
    numbers, taken = _numbers(request.POST.getlist("row")), set(_numbers(request.POST.getlist("take")))
    batch = batches.decide(actor=request.user, batch=batch, numbers=numbers, taken=taken)
    typed = {name: request.POST.get(name, "")[:300] for name in ListSettingsForm.base_fields}
    batches.note_settings(actor=request.user, batch=batch, typed=typed)
    kept_text.forget(request)
    if go in ("all", "new"):
        batches.decide_all(actor=request.user, batch=batch, also_known=go == "all")
    if go == "save":
        form = ListSettingsForm(request.POST, member=request.user)
        batch.refresh_from_db()
        if form.is_valid():
            try:
                batches.save_batch(actor=request.user, batch=batch, **form.said())
            except ValidationError as error:
                form.add_error(None, error)
            except PermissionDenied:  # left the group meanwhile
                form.add_error("visibility", _("Choose who may see them."))
        if form.errors:
            return _preview(request, batch, form, status=422)
        return redirect("resources:list", batch.pk)
    show = go.removeprefix("show-") if go.startswith("show-") else request.GET.get("show", "")
    page = go.removeprefix("page-") if go.startswith("page-") else request.GET.get("page", "1")
    page = "1" if go.startswith("show-") else page
    query = f"?page={page}" if page.isdecimal() else "?page=1"
    response = redirect("resources:list", batch.pk)
    response["Location"] += query + (f"&show={show}" if show in SHOWN else "")
    return response


def _numbers(values) -> list[int]:
    return [int(value) for value in values[:200] if value.isdecimal() and len(value) < 7]


def _preview(request, batch: ImportBatch, form: ListSettingsForm, status: int = 200):
    rows = [
        (number, row, batches.is_taken(row, number, batch.chosen)) for number, row in enumerate(batch.rows)
    ]
    fits = {
        "all": lambda row: True,
        "new": lambda row: bool(row["item"]) and not row["like"],
        "known": lambda row: bool(row["like"]),
        "odd": lambda row: bool(row["problems"]),
    }
    counts = {name: sum(1 for _number, row, _taken in rows if fit(row)) for name, fit in fits.items()}
    show = request.GET.get("show", "all")
    show = show if show in SHOWN else "all"
    shown = [one for one in rows if fits[show](one[1])]
    pages = max(1, -(-len(shown) // PER_PAGE))
    stated = request.GET.get("page", "")
    page = min(max(1, int(stated) if stated.isdecimal() and len(stated) < 6 else 1), pages)
    part = shown[(page - 1) * PER_PAGE : page * PER_PAGE]
    here = Resource.objects.visible_to(request.user).in_bulk(
        {like["id"] for _number, row, _taken in part for like in row["like"] if "id" in like}
    )
    labels = {
        "all": _("All"),
        "new": _("New here"),
        "known": _("Here already, or twice in the file"),
        "odd": _("With a remark"),
    }
    taken = sum(1 for _number, _row, is_taken in rows if is_taken)
    context = {
        "batch": batch,
        "form": form,
        "rows": [_shown(number, row, is_taken, here, batch.rows) for number, row, is_taken in part],
        "show": show,
        "tabs": [(name, labels[name], counts[name]) for name in SHOWN],
        "page": page,
        "pages": pages,
        "taken_elsewhere": taken - sum(1 for _number, _row, is_taken in part if is_taken),
        "words_offered": words_offered(),
    }
    return render(request, "resources/list.html", context, status=status)


def _shown(number: int, row: dict, is_taken: bool, here: dict, rows: list[dict]) -> dict:
    item = row["item"]
    likes = []
    for like in row["like"]:
        resource = here.get(like.get("id"))
        if resource is not None:
            likes.append({"resource": resource, "because": BECAUSE[like["because"]]})
        elif "row" in like:
            likes.append({"line": rows[like["row"]]["line"], "because": BECAUSE[like["because"]]})
        else:  # it is out of sight by now
            likes.append({"because": BECAUSE[like["because"]]})
    names = [csl.display_name(name) for name in csl.creators_of(item)]
    return {
        "number": number,
        "line": row["line"],
        "title": item.get("title", ""),
        "names": names[:3],
        "more": max(0, len(names) - 3),
        "year": csl.year_of(item) if item else None,
        "source": item.get("container-title") or item.get("publisher", ""),
        "doi": item.get("DOI", ""),
        "problems": row["problems"],
        "likes": likes,
        "taken": is_taken,
    }


def _how_it_stands(batch: ImportBatch) -> dict:
    done, of = batches.progress_of(batch) or (0, 0)
    is_busy = batch.state in (State.READING, State.SAVING)
    return {"batch": batch, "done": done, "of": of, "is_busy": is_busy}


@require_safe
def list_status(request, pk):
    """A partial: how far is it? Once it is ready, the page itself is asked for."""
    batch = _find(request, pk)
    response = render(request, "resources/_list_status.html", _how_it_stands(batch))
    if batch.state not in (State.READING, State.SAVING):
        response["HX-Refresh"] = "true"
    return response
