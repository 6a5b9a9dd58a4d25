"""/groups/: who belongs together, and how one comes in."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, IntegerField, Q, Value, When
from django.db.models.functions import Lower
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kmnet.core import activity, kept_text
from kmnet.core.group_contents import parts_for
from kmnet.core.keyset import paginate
from kmnet.core.ratelimit import limited
from kmnet.core.text import clean_line, render_markdown

from .. import group_permissions as may
from .. import names
from ..forms.groups import GroupForm, RemoveForm
from ..models import Group, GroupMember, Joining, Member, OldHandle, Standing, unread_by
from ..models.group import IN_IT
from ..permissions import can_write
from ..services import groups as services

PAGE, MINE_SHOWN, FACES, SUGGESTED = 20, 50, 12, 12


def find_group(request, slug: str) -> Group:
    """What this person may see; with their standing and how many are in it."""
    groups = Group.objects.visible_to(request.user).with_card(request.user)
    group = get_object_or_404(groups.alias(low=Lower("slug")), low=slug.lower()[:80])
    group.seen_by = request.user.pk  # whose standing `my_standing` is
    group.is_mine = group.my_standing in IN_IT
    return group


def may_or_404(allowed: bool) -> None:
    """What one may see but not do is refused; there is nothing to hide any more."""
    if not allowed:
        raise PermissionDenied


# --- the list ------------------------------------------------------------
@require_safe
def index(request):
    """One's own groups, the private ones too, and invitations; then the listed ones."""
    user = request.user
    asked = clean_line(request.GET.get("q", "")[:200])
    seen = Group.objects.visible_to(user).with_card(user)
    mine = list(
        seen.filter(standings__member=user, standings__standing__in=IN_IT)
        .order_by("closed_at", "name", "pk")
        .matching(asked)[:MINE_SHOWN]
    )
    invitations = invitations_of(user)
    above = [group.pk for group in mine] + [row.group_id for row in invitations]
    others = seen.open().shown().filter(is_listed=True).exclude(pk__in=above)
    page = paginate(others.matching(asked), request.GET, order=["name", "pk"], size=PAGE)
    context = {
        "asked": asked,
        "mine": mine,
        "invitations": invitations,
        "page": page,
        "may_make": may.can_make_group(user),
    }
    return render(request, "groups/index.html", context)


def invitations_of(member):
    """Those that wait for this member; none by somebody whom they keep at a distance."""
    return list(
        GroupMember.objects.filter(member=member, standing=Standing.INVITED, group__closed_at__isnull=True)
        .exclude(invited_by__in=unread_by(member))
        .select_related("group", "invited_by")
        .order_by("-since", "-pk")[:MINE_SHOWN]
    )


# --- one group ------------------------------------------------------------
@require_safe
def detail(request, slug):
    """What the group is for, who is in it; and for those in it, what it has."""
    group = find_group(request, slug)
    if slug != group.slug:
        return redirect(group, permanent=True)
    reads = group.is_mine
    parts = parts_for(group, request.user) if reads else []
    leads = may.can_lead_group(request.user, group)
    context = {
        **head(request, group),
        "ways_html": render_markdown(group.ways) if group.ways else "",
        "parts": [pair for pair in parts if not pair[0].beside],
        "parts_beside": [pair for pair in parts if pair[0].beside],
        "reads": reads,
        "requests": group.asking_count if leads else 0,
        "may_report": may.can_report_group(request.user, group) and not leads,
        "invited_by": invited_by(group, request.user),
    }
    activity.mark_read(member=request.user, targets=[group])
    return render(request, "groups/detail.html", context)


def head(request, group: Group) -> dict:
    """What the head of each of a group's pages shows."""
    shows = may.can_view_members(request.user, group)
    faces = list(people_of(group)[:FACES]) if shows else []
    return {
        "group": group,
        "leads": may.can_lead_group(request.user, group),
        "shows_members": shows,
        "faces": faces,
        "convenors": [row.member for row in faces if row.standing == Standing.CONVENOR],
        "may_join": may_join(request.user, group),
    }


def may_join(user, group: Group) -> str:
    """What the button says: "join", "ask", "answer" (an invitation), "wait" (asked already), or nothing."""
    if group.is_closed or group.my_standing in IN_IT:
        return ""
    if group.my_standing == Standing.REQUESTED:
        return "wait"
    if not can_write(user):
        return ""
    if group.my_standing == Standing.INVITED:
        return "answer"
    if not group.is_shown:
        return ""
    return {Joining.OPEN: "join", Joining.REQUEST: "ask"}.get(group.joining, "")


def invited_by(group: Group, member):
    if group.my_standing != Standing.INVITED:
        return None
    row = GroupMember.objects.select_related("invited_by").filter(group=group, member=member).first()
    return row and row.invited_by


def people_of(group: Group):
    """Those in it whom members may know of, convenors first."""
    rows = GroupMember.objects.filter(
        group=group, standing__in=IN_IT, member__in=Member.objects.full().values("pk")
    )
    return services.in_page_order(rows.select_related("member__profile"))


def requests_of(group: Group):
    rows = GroupMember.objects.filter(
        group=group, standing=Standing.REQUESTED, member__in=Member.objects.full().values("pk")
    )
    return rows.select_related("member__profile").order_by("since", "pk")


@require_safe
def people(request, slug):
    """All who are in it; for convenors, who asks, who is invited, and what they can do about each."""
    group = find_group(request, slug)
    if not may.can_view_members(request.user, group):
        raise Http404
    page = paginate(people_of(group), request.GET, order=["rank", "since", "pk"], size=50)
    context = {**head(request, group), "page": page}
    context["orders"] = not context["leads"] and may.can_order_group(request.user, group)
    if context["leads"]:
        context["requests"] = list(requests_of(group)[:100])
        invited = GroupMember.objects.filter(group=group, standing=Standing.INVITED)
        context["invited"] = list(invited.select_related("member__profile").order_by("since", "pk")[:100])
    return render(request, "groups/people.html", context)


# --- making and changing ------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@limited("groups-new", "20/h")
def new(request):
    may_or_404(may.can_make_group(request.user))
    if request.method != "POST":
        return render(request, "groups/form.html", {"form": GroupForm(initial=kept_text.take(request))})
    form = GroupForm(request.POST)
    if form.is_valid():
        try:
            group = services.make_group(actor=request.user, **form.service_fields())
        except services.TooManyGroups as error:
            form.add_error(None, error)
        else:
            kept_text.forget(request)
            messages.success(request, _("The group is there. Invite those who belong in it."))
            return redirect(group)
    return render(request, "groups/form.html", {"form": form}, status=422)


def lead_or_refuse(request, slug) -> Group:
    group = find_group(request, slug)
    may_or_404(may.can_lead_group(request.user, group))
    return group


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request, slug):
    group = lead_or_refuse(request, slug)
    if request.method != "POST":
        form = GroupForm(group=group, initial=kept_text.take(request))
        return render(request, "groups/form.html", {"form": form, "group": group})
    form = GroupForm(request.POST, group=group)
    if form.is_valid():
        try:
            group = services.edit_group(actor=request.user, group=group, **form.service_fields())
        except services.GroupClosed:
            form.add_error(
                None, _("The group was closed meanwhile. Your text is still here; copy what you need.")
            )
        else:
            kept_text.forget(request)
            messages.success(request, _("Saved."))
            return redirect(group)
    return render(request, "groups/form.html", {"form": form, "group": group}, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def close(request, slug):
    """Opening the page changes nothing."""
    group = lead_or_refuse(request, slug)
    if request.method == "POST":
        services.close_group(actor=request.user, group=group)
        messages.success(request, _("Closed. Those who were in it can go on reading."))
        return redirect("groups:index")
    return render(request, "groups/close.html", {"group": group})


# --- coming and going ------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@limited("groups-join", "60/h")
def join(request, slug):
    """Join, ask to join, or accept an invitation. A GET (back from signing in) leads to the group's page."""
    group = find_group(request, slug)
    if request.method != "POST":
        return redirect(group)
    try:
        row = services.join_group(member=request.user, group=group)
    except services.GroupClosed:
        messages.warning(request, _("The group was closed."))
        return redirect("groups:index")
    if row.standing == Standing.REQUESTED:
        messages.success(
            request, _("Your request is with the convenors. You hear of it when they have answered.")
        )
    else:
        messages.success(request, _("Welcome. You are in."))
    return redirect(group)


@require_POST
def step_back(request, slug):
    """Decline an invitation, take back a request."""
    group = find_group(request, slug)
    if services.step_back(member=request.user, group=group):
        messages.success(request, _("Done. Nobody is told."))
    return redirect(group if group.is_listed and group.is_shown else reverse("groups:index"))


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request, slug):
    group = find_group(request, slug)
    if not group.is_mine:
        raise Http404
    stays = None
    if request.method == "POST":
        try:
            services.leave_group(member=request.user, group=group)
        except services.LastConvenor:
            stays = True
        else:
            messages.success(request, _("You have left the group."))
            return redirect("groups:index")
    alone = stays or is_last_convenor(group, request.user)
    context = {"group": group, "alone": alone, "heirs": list(heirs_of(group)[:FACES]) if alone else []}
    return render(request, "groups/leave.html", context, status=409 if stays else 200)


def is_last_convenor(group: Group, member) -> bool:
    leading = GroupMember.objects.in_it().filter(group=group, standing=Standing.CONVENOR)
    return not group.is_closed and group.my_standing == Standing.CONVENOR and leading.count() == 1


def heirs_of(group: Group):
    return people_of(group).filter(standing=Standing.MEMBER)


# --- inviting ------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@limited("groups-invite", "100/h")
def invite(request, slug):
    """Find somebody by name or handle, and invite them."""
    group = lead_or_refuse(request, slug)
    asked = clean_line(request.GET.get("q", "")[:200]).lstrip("@")
    if request.method == "POST":
        member = find_person(request.user, request.POST.get("handle", ""))
        try:
            row = services.invite_member(actor=request.user, group=group, member=member)
        except services.TooManyInvited as error:
            messages.warning(request, " ".join(error.messages))
        except services.GroupClosed:
            messages.warning(request, _("The group was closed."))
        else:
            said = (
                _("%(name)s is invited.")
                if row.standing == Standing.INVITED
                else _("%(name)s is in the group.")
            )
            messages.success(request, said % {"name": member.name})
        return redirect("groups:invite", group.slug)
    context = {"group": group, "asked": asked, "found": people_to_invite(request.user, group, asked)}
    return render(request, "groups/invite.html", context)


def find_person(viewer, handle: str) -> Member:
    """A member whose page the viewer may open, by handle, by one they had too."""
    people = Member.objects.full().profile_visible_to(viewer)
    wanted = handle.replace("\x00", "").strip().lower()[:80]
    former = OldHandle.objects.alias(low=Lower("handle")).filter(low=wanted).values("member")
    found = people.alias(low=Lower("handle")).filter(low=wanted).first()
    return found or get_object_or_404(people, pk__in=former)


def people_to_invite(viewer, group: Group, asked: str) -> list[Member]:
    """Whom the directory would find by this name, and whose handle it is; each with `standing_here`."""
    if not asked:
        return []
    listed = Member.objects.listed_for(viewer).filter(name_key__contains=names.plain(asked))
    named = Member.objects.full().alias(low=Lower("handle")).filter(low=asked.lower())
    found = Member.objects.filter(pk__in=listed.values("pk")) | Member.objects.filter(
        pk__in=named.values("pk")
    )
    begins = Q(name_key__startswith=names.plain(asked)) | Q(name_key__contains=f" {names.plain(asked)}")
    found = found.exclude(pk=viewer.pk).annotate(
        rank=Case(When(begins, then=Value(0)), default=Value(1), output_field=IntegerField())
    )
    people = list(found.select_related("profile").order_by("rank", "name_key", "pk")[:SUGGESTED])
    standings = dict(
        GroupMember.objects.filter(group=group, member__in=people).values_list("member_id", "standing")
    )
    for person in people:
        person.standing_here = standings.get(person.pk, "")
    return people


# --- what convenors decide about one person ------------------------------------------------------------
def _admit(request, group, member):
    if services.answer_request(actor=request.user, group=group, member=member, admit=True):
        return _("%(name)s is in the group now.")
    return _("This request was answered already, or taken back.")


def _decline(request, group, member):
    if services.answer_request(actor=request.user, group=group, member=member, admit=False):
        return _("Declined. %(name)s gets no mail about it.")
    return _("This request was answered already, or taken back.")


def _withdraw(request, group, member):
    services.withdraw_invitation(actor=request.user, group=group, member=member)
    return _("The invitation of %(name)s is taken back.")


def _lead(request, group, member):
    services.make_convenor(actor=request.user, group=group, member=member)
    return _("%(name)s is a convenor now.")


def _unlead(request, group, member):
    services.unmake_convenor(actor=request.user, group=group, member=member)
    return _("%(name)s is an ordinary member of the group now.")


ACTS = {"admit": _admit, "decline": _decline, "withdraw": _withdraw, "lead": _lead, "unlead": _unlead}


@require_POST
def act(request, slug, handle, act):
    """A button beside somebody's name."""
    group = lead_or_refuse(request, slug)
    member = standing_here(group, handle).member
    try:
        said = ACTS[act](request, group, member)
    except services.LastConvenor:
        messages.warning(request, _("A group needs a convenor. Make somebody else one first."))
    except services.GroupClosed:
        messages.warning(request, _("The group was closed."))
    else:
        messages.success(request, said % {"name": member.name} if "%(name)s" in said else said)
    back = "groups:detail" if act == "unlead" and member.pk == request.user.pk else "groups:people"
    return redirect(back, group.slug)


def standing_here(group: Group, handle: str) -> GroupMember:
    rows = GroupMember.objects.filter(group=group).select_related("member")
    return get_object_or_404(
        rows.alias(low=Lower("member__handle")), low=handle.replace("\x00", "").lower()[:80]
    )


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request, slug, handle):
    """Take somebody out: a convenor; in a listed group a moderator, with a reason for the log."""
    group = find_group(request, slug)
    leads = may.can_lead_group(request.user, group)
    may_or_404(leads or may.can_order_group(request.user, group))
    row = standing_here(group, handle)
    if row.standing != Standing.MEMBER or row.member_id == request.user.pk:
        raise Http404
    form = RemoveForm(request.POST if request.method == "POST" else None, needs_reason=not leads)
    if request.method == "POST" and form.is_valid():
        try:
            services.remove_member(
                actor=request.user, group=group, member=row.member, reason=form.cleaned_data.get("reason", "")
            )
        except (PermissionDenied, ValidationError):
            messages.warning(request, _("They have been made a convenor meanwhile."))
        else:
            messages.success(request, _("%(name)s is no longer in the group.") % {"name": row.member.name})
        return redirect("groups:people", group.slug)
    context = {"group": group, "person": row.member, "form": form}
    return render(request, "groups/remove.html", context, status=422 if form.errors else 200)
