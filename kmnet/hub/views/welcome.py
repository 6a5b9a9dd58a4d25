"""The end of the first steps: three things to do; and an introduction, begun from the profile."""

from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from discussions import services as discussions
from discussions.models import Kind
from kmnet.core import kept_text
from kmnet.core.ratelimit import limited
from kmnet.hub import first_steps
from kmnet.hub.forms import IntroductionForm
from members.permissions import can_write, is_full_member
from members.visibility import Shown


@require_safe
def done(request):
    """Also for whoever waits for approval: they see what comes."""
    if not request.user.onboarded_at:
        return redirect("members:welcome")
    may = is_full_member(request.user)
    context = {
        "member": request.user,
        "shown": Shown.to(request.user, request.user.profile),
        "may_look_round": may,
        "next": first_steps.next_steps(request.user) if may else None,
        "may_introduce": can_write(request.user)
        and first_steps.introductions_space(request.user) is not None
        and first_steps.introduction_of(request.user) is None,
    }
    return render(request, "hub/welcome_done.html", context)


@limited("discussions-ask", "20/h")
def introduce(request):
    """An introduction is offered, never asked for; whoever has one is led to it."""
    space = first_steps.introductions_space(request.user) if can_write(request.user) else None
    if space is None:
        raise Http404
    existing = first_steps.introduction_of(request.user)
    if request.method != "POST":
        if existing is not None:
            return redirect(existing)
        draft = first_steps.draft_introduction(request.user, space)
        form = IntroductionForm(initial={**draft, **kept_text.take(request)})
        return render(request, "hub/introduce.html", {"form": form, "space": space})
    form = IntroductionForm(request.POST)
    if not form.is_valid():
        return render(request, "hub/introduce.html", {"form": form, "space": space}, status=422)
    data = form.cleaned_data
    try:
        thread = existing or discussions.start_thread(
            author=request.user,
            space=space,
            kind=Kind.INTRODUCTION,
            title=data["title"],
            source=data["body"],
            submit_key=data["submit_key"],
        )
    except discussions.LimitReached as limit:
        form.add_error("body", limit.sentence)
        return render(request, "hub/introduce.html", {"form": form, "space": space}, status=429)
    kept_text.forget(request)
    return redirect(thread)
