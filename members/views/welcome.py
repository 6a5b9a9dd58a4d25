"""/welcome/: three short first steps, to be left and taken up again."""

from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from .. import services
from ..forms import AnswersForm, HelpStep, MailStep, WhoStep
from ..middleware import LATER
from ..models import JoinRequest
from ..permissions import is_full_member

STEPS = {1: WhoStep, 2: HelpStep, 3: MailStep}


def step_names() -> list[str]:
    return [_("You"), _("What you do"), _("How we write to you")]


def is_open_to(user) -> bool:
    """Proven members take the steps; whoever waits for approval may use the time for them."""
    return bool(user.address_proven_at)


@require_safe
def welcome(request):
    """Go on where they left."""
    if not is_open_to(request.user):
        return redirect("members:waiting")
    if request.user.onboarded_at and request.user.agreed_at:
        return redirect("hub:welcome_done")
    reached = request.user.profile.welcome_step if request.user.agreed_at else 0
    return redirect("members:welcome_step", min(reached + 1, len(STEPS)))


@require_http_methods(["GET", "HEAD", "POST"])
def step(request, number):
    if number not in STEPS:
        raise Http404
    if not is_open_to(request.user):
        return redirect("members:waiting")
    form = STEPS[number](request.POST if request.method == "POST" else None, profile=request.user.profile)
    if request.method == "POST" and form.is_valid():
        save_step(request.user, number, form)
        place = reverse("members:welcome_step", args=[number + 1]) if number < len(STEPS) else None
        place = place or reverse("hub:welcome_done")
        return HttpResponseClientRedirect(place) if request.htmx else redirect(place)
    context = {"form": form, "step": number, "steps": step_names()}
    template = "members/_welcome_step.html" if request.htmx else "members/welcome_step.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def save_step(member, number, form):
    if "agree" in form.fields:
        services.record_agreement(member=member)
    reached = max(member.profile.welcome_step, number)
    services.update_profile(member=member, welcome_step=reached, **form.profile_values())
    if "time_zone" in form.cleaned_data:
        services.change_time_zone(member=member, time_zone=form.cleaned_data["time_zone"])
    if number == len(STEPS):
        services.finish_welcome(member=member)


@require_POST
def later(request):
    """Not now: nobody is led here again before the next sign-in."""
    request.session[LATER] = True
    return redirect("/")


@require_http_methods(["GET", "HEAD", "POST"])
def waiting(request):
    """What an unproven or pending member may do meanwhile; and the questions, for whoever was not asked them."""
    if is_full_member(request.user):
        return redirect("/")
    asked = JoinRequest.objects.filter(member=request.user).first()
    waits = asked is not None and asked.state == JoinRequest.State.WAITING
    form = None
    if waits and not asked.answers:
        form = AnswersForm(request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            services.answer_questions(member=request.user, answers=form.answers())
            return redirect("members:waiting")
        form = form if form.questions else None
    context = {"asked": asked, "waits": waits, "form": form, "days": services.present_policy().join_wait_days}
    status = 422 if form is not None and form.is_bound else 200
    return render(request, "members/waiting.html", context, status=status)
