"""Collections and reading lists: the page of them all, one of them, and how they are made and put in order."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kmnet.core import kept_text
from kmnet.core.access import guests_sign_in
from kmnet.core.keyset import paginate
from kmnet.core.ratelimit import limited
from members.permissions import can_moderate, can_write, is_full_member

from .. import services
from ..collection_permissions import can_change_collection, can_fill_collection, can_make_collection
from ..forms.gathering import CollectForm, CollectionForm, ItemNoteForm
from ..gathered import items_of
from ..models import Collection, Resource
from ..services.collections import CollectionFull
from .access import find_resource

PAGE_SIZE, ITEMS = 20, 50
V = Collection.Visibility


def find_collection(request, pk: int) -> Collection:
    """The collection, if this person may open it; else a 404."""
    found = Collection.objects.readable_by(request.user).select_related("owner", "group", "hidden_by")
    collection = found.filter(pk=min(pk, 2**63 - 1)).first()
    if collection is None:
        raise Http404
    return collection


# --- reading -----------------------------------------------------------------------------------------------------------
@login_not_required
@require_safe
def collections(request):
    """What the hosts recommend first, then the latest changed; members also find their own and their groups'."""
    whose = request.GET.get("whose", "")
    rows = Collection.objects.visible_to(request.user)
    if not is_full_member(request.user):
        whose = ""
    if whose == "mine":
        rows = rows.filter(owner=request.user)
    elif whose == "groups":
        rows = rows.filter(visibility=V.GROUP)
    else:
        whose, rows = "", rows.exclude(visibility=V.OWN)
    order = ["-is_curated", "-updated_at", "-id"]
    page = paginate(rows.with_line(request.user), request.GET, order=order, size=PAGE_SIZE)
    named = [("", _("All")), ("mine", _("Yours")), ("groups", _("Your groups’"))]
    here = reverse("resources:collections")
    context = {
        "page": page,
        "whose": whose,
        "tabs": [
            {"href": f"{here}?whose={key}" if key else here, "label": label, "current": key == whose}
            for key, label in named
        ],
        "is_member": is_full_member(request.user),
        "may_make": can_make_collection(request.user),
    }
    response = render(request, "resources/collections.html", context)
    if request.GET:
        response["X-Robots-Tag"] = "noindex"
    return response


def _numbered(request, collection: Collection):
    """A page of what the reader meets in it. Each item has its number, and the neighbours that a move would pass."""
    items = items_of(collection, request.user)
    order = list(items.values_list("pk", flat=True))
    cards = items.select_related("added_by").prefetch_related(
        Prefetch("resource", queryset=Resource.objects.with_card())
    )
    page = paginate(cards, request.GET, order=["position", "id"], size=ITEMS)
    places = {pk: place for place, pk in enumerate(order)}
    for item in page:
        place = places.get(item.pk, 0)
        item.number = place + 1
        item.before = order[place - 1] if place else None
        item.after = order[place + 1] if place + 1 < len(order) else None
    return page, len(order)


@login_not_required
@require_safe
@guests_sign_in
def collection(request, pk, slug):
    found = find_collection(request, pk)
    if request.path != found.get_absolute_url():
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(found.get_absolute_url() + query, permanent=True)
    page, total = _numbered(request, found)
    context = {
        "collection": found,
        "page": page,
        "total": total,
        "may_fill": can_fill_collection(request.user, found),
        "may_change": can_change_collection(request.user, found),
        "may_moderate": can_moderate(request.user) and found.visibility in (V.MEMBERS, V.PUBLIC),
        "may_report": can_write(request.user)
        and found.owner_id != request.user.pk
        and found.state == Collection.State.VISIBLE,
    }
    response = render(request, "resources/collection.html", context)
    if found.visibility != V.PUBLIC or found.state != Collection.State.VISIBLE or request.GET:
        response["X-Robots-Tag"] = "noindex"
    return response


@login_not_required
@require_safe
@guests_sign_in
def collection_print(request, pk):
    """All of it on one page, for paper."""
    found = find_collection(request, pk)
    resources = Resource.objects.defer("search", "description", "description_html")
    items = items_of(found, request.user).prefetch_related(Prefetch("resource", queryset=resources))
    response = render(request, "resources/collection_print.html", {"collection": found, "items": list(items)})
    response["X-Robots-Tag"] = "noindex"
    return response


# --- making, changing --------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-collections", "60/h")
def collection_new(request):
    """A new one; with `resource` that record is the first in it."""
    if not can_make_collection(request.user):
        raise Http404
    number = request.GET.get("resource", "")
    first = (
        find_resource(request, int(number))
        if number.isascii() and number.isdigit() and len(number) < 19
        else None
    )
    if request.method == "POST":
        form = CollectionForm(request.POST, member=request.user)
        if form.is_valid():
            try:
                made = services.make_collection(actor=request.user, **form.service_fields())
            except CollectionFull as error:
                form.add_error(None, error)
            else:
                if first:
                    services.collect(actor=request.user, collection=made, resource=first)
                kept_text.forget(request)
                messages.success(request, _("Your collection is there."))
                return redirect(made)
    else:
        form = CollectionForm(member=request.user, initial=kept_text.take(request))
    context = {"form": form, "resource": first}
    return render(request, "resources/collection_form.html", context, status=422 if form.is_bound else 200)


def _to_change(request, pk) -> Collection:
    found = find_collection(request, pk)
    if not can_change_collection(request.user, found):
        raise Http404
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-collections", "60/h")
def collection_edit(request, pk):
    found = _to_change(request, pk)
    if request.method == "POST":
        form = CollectionForm(request.POST, member=request.user, collection=found)
        if form.is_valid():
            found = services.change_collection(actor=request.user, collection=found, **form.service_fields())
            kept_text.forget(request)
            messages.success(request, _("Saved."))
            return redirect(found)
    else:
        form = CollectionForm(member=request.user, collection=found, initial=kept_text.take(request))
    context = {"form": form, "collection": found}
    return render(request, "resources/collection_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def collection_delete(request, pk):
    found = _to_change(request, pk)
    if request.method == "POST":
        services.delete_collection(actor=request.user, collection=found)
        messages.success(request, _("The collection is gone. What was in it stays in the library."))
        return redirect(f"{reverse('resources:collections')}?whose=mine")
    return render(request, "resources/collection_delete.html", {"collection": found})


# --- filling, ordering -------------------------------------------------------------------------------------------------
def fillable(member) -> QuerySet[Collection]:
    rows = Collection.objects.readable_by(member).fillable_by(member)
    return rows.order_by("-updated_at", "-pk")


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-collect", "240/h")
def collect(request, pk):
    """Put a record into a collection."""
    resource = find_resource(request, pk)
    if not can_make_collection(request.user):
        raise Http404
    offered = list(fillable(request.user).defer("description", "description_html"))
    if request.method == "POST":
        form = CollectForm(request.POST, collections=offered)
        if form.is_valid():
            chosen = form.cleaned_data["collection"]
            try:
                services.collect(
                    actor=request.user, collection=chosen, resource=resource, note=form.cleaned_data["note"]
                )
            except CollectionFull as error:
                form.add_error("collection", error)
            else:
                kept_text.forget(request)
                words = _('It is in <a href="{href}">{title}</a>.')
                link = format_html(words, href=chosen.get_absolute_url(), title=chosen.title)
                messages.success(request, link)
                return redirect(resource)
    else:
        form = CollectForm(collections=offered, initial=kept_text.take(request))
    context = {"form": form, "resource": resource, "offered": offered}
    return render(request, "resources/collect.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-collect", "600/h")
def collection_arrange(request, pk):
    """Put it in order, say why each is in it, take out. One form: whichever button is pressed, all notes are kept."""
    found = find_collection(request, pk)
    if not can_fill_collection(request.user, found):
        raise Http404
    typed, wrong = {}, None
    if request.method == "POST":
        typed = request.POST
        act, *numbers = typed.get("act", "").split() or [""]
        numbers = [_number(one) for one in numbers]
        if len(numbers) != ACTS.get(act, -1):
            raise Http404
        wrong = _keep_notes(request, found)
        if wrong is None:
            _move(request, found, act, *numbers)
            kept_text.forget(request)
            if act == "done":
                return redirect(found)
            query = f"?{request.GET.urlencode()}" if request.GET else ""
            return redirect(f"{request.path}{query}{f'#item-{numbers[0]}' if numbers else ''}")
    else:
        typed = kept_text.take(request)
    page, total = _numbered(request, found)
    for item in page:
        item.was = typed.get(f"was-{item.pk}", item.note)
        if wrong and f"{item.pk}-note" in typed:
            item.form = ItemNoteForm(typed, prefix=item.pk)
        else:
            item.form = ItemNoteForm(
                initial={"note": typed.get(f"{item.pk}-note", item.note)}, prefix=item.pk
            )
    context = {"collection": found, "page": page, "total": total, "form": wrong}
    return render(request, "resources/collection_arrange.html", context, status=422 if wrong else 200)


# What a button says, and how many items it names.
ACTS = {"before": 2, "after": 2, "out": 1, "save": 0, "done": 0}


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise Http404
    return int(value)


def _keep_notes(request, found: Collection) -> ItemNoteForm | None:
    """Save what was typed, and only that: what others of a group wrote meanwhile stays. The first form that is not right,
    and then nothing is saved."""
    changed = {}
    for item in found.items.values_list("pk", flat=True):
        if request.POST.get(f"{item}-note") in (None, request.POST.get(f"was-{item}", "")):
            continue
        form = ItemNoteForm(request.POST, prefix=item)
        if not form.is_valid():
            return form
        changed[item] = form.cleaned_data["note"]
    for item, note in changed.items():
        services.say_why(actor=request.user, collection=found, item=item, note=note)
    return None


def _move(request, found: Collection, act: str, item: int = 0, beside: int = 0) -> None:
    whom = {"actor": request.user, "collection": found}
    if act in ("before", "after"):
        services.place_item(**whom, item=item, beside=beside, after=act == "after")
    elif act == "out":
        services.take_out(**whom, item=item)
        messages.success(request, _("It is no longer in this collection."))
    elif act == "done":
        messages.success(request, _("Saved."))
