"""/invitations/: one person by mail, several by a link, a whole mailing list; and what became of them."""

import hashlib

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from kmnet.core import kept_text
from kmnet.core.keyset import paginate
from kmnet.core.ratelimit import limited

from .. import services
from ..forms import BringInForm, InviteForm, LinkForm
from ..forms.invitations import promise
from ..models import BringIn, Invitation
from ..permissions import can_administer, can_bring_in, can_invite

PAGE = 30


def inviters_only(request) -> None:
    """For anybody else these pages do not exist."""
    if not can_invite(request.user):
        raise Http404


def shown_to(user):
    """One's own, an admin's all; those of lists are counted, not named."""
    mine = Invitation.objects.filter(bring_in__isnull=True)
    return mine if can_administer(user) else mine.filter(invited_by=user)


def invitations(request):
    inviters_only(request)
    rows = shown_to(request.user).with_uses().select_related("invited_by")
    page = paginate(rows, request.GET, order=["-created_at", "-pk"], size=PAGE)
    return render(request, "members/invitations.html", {"page": page, **overview(request)})


def overview(request) -> dict:
    lists = BringIn.objects.none()
    if can_bring_in(request.user):
        everybody = BringIn.objects.all()
        lists = everybody if can_administer(request.user) else everybody.filter(confirmed_by=request.user)
    return {
        "may_bring_in": can_bring_in(request.user),
        "lists": lists.annotate(
            mailed=Count("invitations", filter=Q(invitations__mailed_at__isnull=False), distinct=True),
            came=Count("invitations__uses", distinct=True),
        ).order_by("-confirmed_at", "-pk")[:20],
        "now": timezone.now(),
    }


@limited("members-invite", "60/h")
def invite(request):
    """One person, by mail. The answer is the same whoever the address belongs to."""
    inviters_only(request)
    form = InviteForm(request.POST or None, initial=kept_text.take(request))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        services.invite_address(
            by=request.user, address=data["address"], name=data["name"], note=data["note"], lasts=form.lasts()
        )
        kept_text.forget(request)
        messages.success(request, _("Thank you. If the address can be invited, the mail is on its way."))
        return redirect("members:invitations")
    return render(request, "members/invite.html", {"form": form}, status=422 if form.is_bound else 200)


@limited("members-invite", "60/h")
def make_link(request):
    """A link for several; it is shown once, on the page that answers."""
    inviters_only(request)
    form = LinkForm(request.POST or None, initial=kept_text.take(request))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        invitation, token = services.make_invitation_link(
            by=request.user, max_uses=data["max_uses"], note=data["note"], lasts=form.lasts()
        )
        kept_text.forget(request)
        url = request.build_absolute_uri(reverse("members:invited", args=[token]))
        response = render(request, "members/invitation_link.html", {"invitation": invitation, "url": url})
        response["Cache-Control"] = "no-store"
        return response
    return render(request, "members/invite_link.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
def revoke(request, pk):
    inviters_only(request)
    invitation = get_object_or_404(shown_to(request.user), pk=pk)
    if services.revoke_invitation(invitation=invitation, by=request.user):
        messages.success(request, _("Withdrawn. Nobody else comes in by it; whoever has, stays."))
    return redirect("members:invitations")


# --- a mailing list --------------------------------------------------------------------------------------------------
@limited("members-bring-in", "30/h")
def bring_in(request):
    """A list: first it is read, row by row, and nothing is sent; then what was shown is invited, or nobody."""
    if not can_bring_in(request.user):
        raise Http404
    if request.method != "POST":
        return render(
            request, "members/bring_in.html", {"form": BringInForm(initial=kept_text.take(request))}
        )
    form = BringInForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "members/bring_in.html", {"form": again(form)}, status=422)
    if "change" in request.POST:
        return render(request, "members/bring_in.html", {"form": again(form)})
    people = form.found.people
    if not people or request.POST.get("send") != digest_of(people):
        return check(request, form)
    data = form.cleaned_data
    services.bring_in_list(
        by=request.user, name=data["name"], basis=data["basis"], promise=str(promise()), people=people
    )
    kept_text.forget(request)
    said = ngettext(
        "%(count)d address is taken on. Whoever can be invited gets one mail in the next minutes.",
        "%(count)d addresses are taken on. Whoever can be invited gets one mail in the next minutes.",
        len(people),
    )
    messages.success(request, said % {"count": len(people)})
    return redirect("members:invitations")


def again(form: BringInForm) -> BringInForm:
    """What was in the file stands in the field now, to be mended there: nothing needs to be chosen again."""
    shown = BringInForm(initial={**form.data.dict(), "text": form.content, "file": None})
    shown._errors = form.errors if form.errors else None
    return shown


def check(request, form: BringInForm):
    """What would be sent, and which lines would not."""
    context = {
        "form": form,
        "found": form.found,
        "content": form.content,
        "digest": digest_of(form.found.people),
        "few": form.found.rows[:5],
    }
    return render(request, "members/bring_in_check.html", context, status=422 if form.found.problems else 200)


def digest_of(people: list[tuple[str, str]]) -> str:
    """The set that was looked at; another one is looked at anew."""
    return hashlib.sha256(repr(people).encode()).hexdigest()
