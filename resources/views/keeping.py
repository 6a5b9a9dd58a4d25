"""Who looks after a record, and what somebody looks after."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Subquery
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from kmnet.core import kept_text
from kmnet.core.forms import LineField
from kmnet.core.keyset import paginate
from kmnet.core.ratelimit import limited
from members.permissions import can_write, is_full_member
from members.views.profile import find_member

from ..models import HandOver, LinkCheck, Resource
from ..permissions import can_edit_resource, can_take_on
from ..services import handing_on
from .access import find_resource

NOBODY = gettext_lazy("There is nobody of this handle whom you can ask about it.")


class AskForm(forms.Form):
    """Whom to ask."""

    handle = LineField(
        label=gettext_lazy("Their handle"),
        max_length=80,
        help_text=gettext_lazy("As it stands on their page: @ana."),
    )

    def __init__(self, *args, viewer, **kwargs):
        super().__init__(*args, **kwargs)
        self.viewer = viewer

    def clean_handle(self):
        wanted = self.cleaned_data["handle"].rstrip("/").rpartition("/")[2].removeprefix("@").strip()
        self.member = find_member(self.viewer, wanted)
        if self.member is None or self.member.pk == self.viewer.pk:
            raise forms.ValidationError(NOBODY)
        return wanted


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-keeping", "60/h")
def keeper(request, pk):
    """Ask somebody, answer, take it on, or give it back to the community."""
    resource = find_resource(request, pk)
    if not can_write(request.user):
        raise Http404
    form = AskForm(viewer=request.user, initial=kept_text.take(request))
    if request.method == "POST":
        act = ACTS.get(request.POST.get("act"))
        if act is not None:
            return _done(request, resource, act)
        form = AskForm(request.POST, viewer=request.user)
        if form.is_valid() and _ask(request, resource, form):
            kept_text.forget(request)
            return redirect("resources:keeper", pk)
    context = {
        "resource": resource,
        "form": form,
        "offer": handing_on.open_offer(resource),
        "may_edit": can_edit_resource(request.user, resource),
        "may_take_on": resource.keeper_id is None and can_take_on(request.user, resource),
    }
    return render(request, "resources/care/keeper.html", context, status=422 if form.errors else 200)


def _ask(request, resource, form) -> bool:
    try:
        handing_on.offer_resource(actor=request.user, resource=resource, member=form.member)
    except PermissionDenied:
        raise Http404 from None
    except handing_on.NotThem:
        form.add_error("handle", NOBODY)
        return False
    except handing_on.AskedAlready:
        form.add_error("handle", _("Somebody is asked already. Take that back first."))
        return False
    messages.success(request, _("%(name)s is asked.") % {"name": form.member.name})
    return True


ACTS = {
    "accept": (
        lambda **who: handing_on.answer_offer(**who, accept=True),
        _("You look after it now. Thank you."),
    ),
    "decline": (
        lambda **who: handing_on.answer_offer(**who, accept=False),
        _("That is fine. They are told."),
    ),
    "withdraw": (handing_on.withdraw_offer, _("Nobody is asked any more.")),
    "take_on": (handing_on.take_on, _("You look after it now. Thank you.")),
    "give_up": (handing_on.give_up, _("The community looks after it now, until somebody takes it on.")),
}


def _done(request, resource, act):
    service, words = act
    try:
        service(actor=request.user, resource=resource)
    except handing_on.TooLate:
        messages.warning(request, _("Somebody was faster, or it was taken back. Nothing was changed."))
    except PermissionDenied:
        messages.warning(
            request, _("You cannot look after this one yet: first a record of your own must have appeared.")
        )
    else:
        messages.success(request, str(words))
    return redirect(resource)


# --- what I look after -------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-keeping", "60/h")
def kept(request):
    """What this member looks after, what they are asked to, and the form that hands all of it on."""
    if not is_full_member(request.user):
        raise Http404
    form = AskForm(request.POST or None, viewer=request.user, initial=kept_text.take(request))
    if request.method == "POST" and form.is_valid():
        try:
            count = handing_on.offer_all(actor=request.user, member=form.member)
        except handing_on.NotThem:
            form.add_error("handle", NOBODY)
        else:
            words = ngettext(
                "They are asked about %(count)d resource.", "They are asked about %(count)d resources.", count
            )
            kept_text.forget(request)
            messages.success(request, words % {"count": count})
            return redirect("resources:kept")
    checks = LinkCheck.objects.filter(url_key=OuterRef("url_key")).exclude(url_key="")
    asked = HandOver.objects.filter(resource=OuterRef("pk"), answered_at__isnull=True)
    mine = Resource.objects.filter(keeper=request.user).exclude(state=Resource.State.HIDDEN)
    mine = mine.annotate(link_state=Subquery(checks.values("state")[:1]), is_offered=Exists(asked))
    context = {
        "form": form,
        "page": paginate(
            mine.defer("search", "csl", "description", "description_html"), request.GET, order=["-pk"]
        ),
        "offers": list(handing_on.offers_to(request.user).order_by("pk")[:20]),
        "offer_count": handing_on.offers_to(request.user).count(),
        "may_write": can_write(request.user),
    }
    return render(request, "resources/care/kept.html", context, status=422 if form.errors else 200)


@require_POST
@limited("library-keeping", "60/h")
def answer_all(request):
    if not can_write(request.user):
        raise Http404
    count = handing_on.answer_all(actor=request.user, accept=request.POST.get("answer") == "accept")
    words = ngettext("Answered for %(count)d resource.", "Answered for %(count)d resources.", count)
    messages.success(request, words % {"count": count})
    return redirect("resources:kept")
