"""`/moderation/`: what members reported and what is held, decided with a reason; and the form to report something."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kmnet.core import kept_text
from kmnet.core import moderation as core
from kmnet.core.keyset import paginate
from kmnet.core.models import Hideable
from kmnet.core.ratelimit import limited
from kmnet.hub import joining
from kmnet.hub import moderation as desk
from kmnet.hub.forms import AskAgainForm, DecisionForm, ReportForm
from kmnet.hub.permissions import can_decide
from members.permissions import can_moderate, can_write


def moderators_only(request) -> None:
    """For anybody else these pages do not exist."""
    if not can_moderate(request.user):
        raise Http404


def kind_or_404(name: str) -> core.Moderated:
    app_label, _dot, model_name = name.partition(".")
    kind = core.kind_named(app_label, model_name)
    if kind is None:
        raise Http404
    return kind


def queue(request):
    moderators_only(request)
    recent = desk.settled_flags().order_by("-resolved_at", "-pk")[:8]
    cases = desk.mark_private(desk.waiting_cases(), request.user)
    decided = desk.withhold_titles(desk.settled(list(recent))[:5], request.user)
    context = {"cases": cases, "recent": decided, "tabs": tabs("queue")}
    return render(request, "hub/moderation.html", context)


def settled(request):
    moderators_only(request)
    page = paginate(desk.settled_flags(), request.GET, order=["-resolved_at", "-pk"], size=30)
    decided = desk.withhold_titles(desk.settled(page.items), request.user)
    context = {"settled": decided, "page": page, "tabs": tabs("settled")}
    return render(request, "hub/moderation_settled.html", context)


def tabs(current: str) -> list[dict]:
    return [
        {
            "href": reverse("hub:moderation"),
            "label": _("Waiting"),
            "current": current == "queue",
            "count": desk.waiting_count(),
        },
        {
            "href": reverse("hub:joining"),
            "label": _("Joining"),
            "current": current == "joining",
            "count": joining.requests().count(),
        },
        {"href": reverse("hub:moderation_settled"), "label": _("Settled"), "current": current == "settled"},
    ]


def find_case(request, kind: core.Moderated, pk: int) -> desk.Case:
    case = desk.find_case(kind, pk)
    if case is None or not desk.may_look_at(request.user, case):
        raise Http404
    return case


def case(request, kind, pk):
    """One thing, its context, who reported it and why, what was done before, and the form to decide."""
    moderators_only(request)
    found = find_case(request, kind_or_404(kind), pk)
    initial = {"decision": request.GET.get("decision", ""), **kept_text.take(request, decide_url(kind, pk))}
    return show_case(request, found, DecisionForm(case=found, initial=initial))


@require_POST
def decide(request, kind, pk):
    moderators_only(request)
    kind_name, kind = kind, kind_or_404(kind)
    found = find_case(request, kind, pk)
    form = DecisionForm(request.POST, case=found)
    if not form.is_valid():
        form.offer_only(found)
        return show_case(request, found, form, status=422)
    try:
        desk.decide(kind=kind, pk=pk, actor=request.user, **form.cleaned_data)
    except desk.AlreadyDecided:
        found = find_case(request, kind, pk)
        form = DecisionForm(case=found, initial={"reason": form.cleaned_data["reason"]})
        return show_case(request, found, form, overtaken=True, status=409)
    except ValidationError as error:  # the app says why it cannot be
        form.add_error(None, error)
        return show_case(request, find_case(request, kind, pk), form, status=422)
    kept_text.forget(request)
    messages.success(request, done_words(form.cleaned_data["decision"]))
    return redirect("hub:moderation_case", kind_name, pk)


def done_words(decision: str) -> str:
    return {
        desk.Decision.HIDE: _("Hidden. Its author gets your reason by mail."),
        desk.Decision.RESTORE: _("It is shown again. Its author gets your reason by mail."),
        desk.Decision.RELEASE: _("It has appeared."),
        desk.Decision.LEAVE: _("Left as it is. The reports are settled."),
    }[desk.Decision(decision)]


def decide_url(kind: str, pk: int) -> str:
    return reverse("hub:moderation_decide", args=[kind, pk])


def show_case(request, found: desk.Case, form: DecisionForm, *, overtaken: bool = False, status: int = 200):
    desk.mark_private([found], request.user)
    if found.is_private:
        desk.log_private_look(found, request.user)
        found.around = found.kind.around(found.target) if found.kind.around else []
        found.after = found.kind.after(found.target) if found.kind.after else []
    context = {
        "case": found,
        "opened": True,
        "form": form,
        "overtaken": overtaken,
        "log": desk.history(found.target),
        "may_decide": can_decide(request.user, found.kind, found.target),
        "action": decide_url(found.kind_name, found.target.pk),
    }
    return render(request, "hub/moderation_case.html", context, status=status)


@limited("report", "30/h")
def again(request, kind, pk):
    """For the author of something hidden: why it is, the way to mend it, and the form to ask for another look."""
    kind = kind_or_404(kind)
    target = kind.visible_to(request.user).filter(pk=pk).first()
    if target is None or not kind.is_by(request.user, target) or target.state != Hideable.State.HIDDEN:
        raise Http404
    if not can_write(request.user):
        raise PermissionDenied
    asked = core.request_of(target)
    form = AskAgainForm(
        request.POST or None, initial={"note": asked.note if asked else "", **kept_text.take(request)}
    )
    if request.method == "POST" and form.is_valid():
        core.ask_again(author=request.user, target=target, **form.cleaned_data)
        kept_text.forget(request)
        messages.success(request, _("Asked. A moderator looks within a day, and you hear what they decide."))
        return redirect(request.path)
    context = {
        "kind": kind,
        "target": target,
        "asked": asked,
        "title_of": kind.title(target),
        "back": kind.url(target),
        "edit": kind.edit_url(target) if kind.edit_url else "",
        "form": form,
    }
    return render(request, "hub/ask_again.html", context, status=422 if form.is_bound else 200)


@limited("report", "30/h")
def report(request, kind, pk):
    """A member tells the moderators about something that they can see. Whoever did is thanked, also where it was hidden at
    once."""
    kind = kind_or_404(kind)
    target = kind.visible_to(request.user).filter(pk=pk).first()
    if target is None:
        asked = request.method == "POST" or "told" in request.GET
        told = core.told_by(request.user, kind, pk) if asked else None
        if told is None:
            raise Http404
        context = {"back": kind.place_url(told) if kind.place_url else reverse("hub:home")}
        return render(request, "hub/report_done.html", context)
    if not can_write(request.user):
        raise PermissionDenied
    context = {"kind": kind, "title_of": kind.title(target), "back": kind.url(target)}
    if request.method == "GET" and "told" in request.GET:
        return render(request, "hub/report_done.html", context)
    form = ReportForm(request.POST or None, initial=kept_text.take(request))
    if request.method == "POST" and form.is_valid():
        core.report(reporter=request.user, target=target, **form.cleaned_data)
        kept_text.forget(request)
        return redirect(f"{request.path}?told")
    return render(request, "hub/report.html", {**context, "form": form}, status=422 if form.is_bound else 200)
