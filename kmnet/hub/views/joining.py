"""`/moderation/joining/`: who waits to be let in. `/hosts/hello/`: who waits for a hello."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kmnet.core import kept_text
from kmnet.core.keyset import paginate
from kmnet.core.models import CommunitySettings
from kmnet.core.models.community import JoinPolicy
from kmnet.hub import joining as desk
from kmnet.hub.forms import JoinDecisionForm
from members import services
from members.models import JoinRequest
from members.permissions import can_greet

from .moderation import moderators_only, tabs


# --- to be let in ----------------------------------------------------------------------------------------------------
def queue(request, *, refused: JoinDecisionForm | None = None, status: int = 200):
    moderators_only(request)
    asking = desk.asking()
    kept = kept_text.take(request)
    for one in asking:
        mine = refused is not None and refused.asked.pk == one.request.pk
        one.form = refused if mine else JoinDecisionForm(asked=one.request, initial=kept)
    community = CommunitySettings.load()
    context = {
        "asking": asking,
        "decided": desk.decided(),
        "days": community.join_wait_days,
        "is_open": community.join_policy == JoinPolicy.OPEN,
        "tabs": tabs("joining"),
        "form": refused,
    }
    return render(request, "hub/joining.html", context, status=status)


@require_POST
def decide(request, pk):
    """Let in, or decline with a reason; of two who decide at once the second is told."""
    moderators_only(request)
    asked = get_object_or_404(
        JoinRequest.objects.filter(waits_since__isnull=False).select_related("member"), pk=pk
    )
    form = JoinDecisionForm(request.POST, asked=asked)
    if not form.is_valid():
        return queue(request, refused=form, status=422)
    data = form.cleaned_data
    service = services.approve_member if data["decision"] == "approve" else services.decline_member
    try:
        done = service(member=asked.member, actor=request.user, reason=data["reason"])
    except ValidationError as error:
        form.add_error("reason", error)
        return queue(request, refused=form, status=422)
    name = asked.member.name
    if not done:
        messages.info(request, _("Somebody has decided about %(name)s already.") % {"name": name})
    elif data["decision"] == "approve":
        messages.success(request, _("%(name)s is in, and gets a mail.") % {"name": name})
    else:
        messages.success(request, _("%(name)s gets a mail with your words.") % {"name": name})
    return redirect("hub:joining")


# --- a hello ---------------------------------------------------------------------------------------------------------
def hosts_only(request) -> None:
    if not can_greet(request.user):
        raise Http404


def hello(request):
    hosts_only(request)
    rows = desk.to_greet(request.user).with_card(request.user)
    page = paginate(rows, request.GET, order=["-joined_at", "-pk"], size=30)
    context = {
        "page": page,
        "newcomers": desk.newcomers(request.user, page.items),
        "greeted": desk.greeted(request.user),
    }
    return render(request, "hub/hello.html", context)


@require_POST
def said_hello(request, pk):
    """A host has; the first who says so counts, and nobody needs to say it twice."""
    hosts_only(request)
    newcomer = desk.to_greet(request.user).filter(pk=pk).first()
    if newcomer is None:  # greeted meanwhile, or nobody this host may greet: the answer is the same
        messages.info(request, _("They are not waiting for a hello (any more)."))
    elif services.greet_newcomer(newcomer=newcomer, host=request.user):
        messages.success(request, _("Thank you. %(name)s was greeted by you.") % {"name": newcomer.name})
    else:
        messages.info(request, _("Another host was faster."))
    return redirect("hub:hello")
