"""Mails about groups, composed when they are sent: whom it no longer concerns gets none."""

from django.conf import settings
from django.utils.translation import gettext as _

from kmnet.core.mail import Line, MailContent, Withhold
from kmnet.core.models import Activity

from .group_permissions import can_lead_group
from .models import Group, GroupMember, Standing, has_blocked
from .models.group import IN_IT
from .permissions import can_moderate, is_full_member


def _deed_and_group(mail) -> tuple[Activity, Group]:
    deed = Activity.objects.select_related("actor").filter(pk=mail.refs["activity"]).first()
    group = deed and Group.objects.filter(pk=deed.target_id).first()
    if group is None:
        raise Withhold("the group is gone")
    if group.is_closed:
        raise Withhold("the group was closed")
    if not is_full_member(mail.member):
        raise Withhold("no longer a member")
    return deed, group


def _url(group: Group) -> str:
    return settings.SITE_URL + group.get_absolute_url()


def _line(group: Group, words: str) -> Line:
    return Line(group.name, words, _url(group), f"group:{group.pk}")


def compose_requested(mail) -> MailContent:
    """To a convenor: somebody asks to join."""
    deed, group = _deed_and_group(mail)
    if not can_lead_group(mail.member, group):
        raise Withhold("no longer a convenor")
    asking = GroupMember.objects.filter(group=group, member=deed.actor_id, standing=Standing.REQUESTED)
    if deed.actor is None or not is_full_member(deed.actor) or not asking.exists():
        raise Withhold("the request was answered or taken back")
    return MailContent(
        context={
            "group": group,
            "who": deed.actor,
            "url": f"{_url(group)}people/#requests",
            "why": _("You get this because you convene this group."),
        },
        line=_line(group, _("%(name)s asks to join.") % {"name": deed.actor.name}),
    )


def compose_invited(mail) -> MailContent:
    """To somebody who is invited; the page asks, and a button answers."""
    deed, group = _deed_and_group(mail)
    mine = GroupMember.objects.filter(group=group, member=mail.member, standing=Standing.INVITED).first()
    if mine is None:
        raise Withhold("the invitation was answered or taken back")
    if deed.actor is None or not is_full_member(deed.actor) or has_blocked(mail.member, deed.actor):
        raise Withhold("the one who invites is no longer to be heard")
    return MailContent(
        context={
            "group": group,
            "who": deed.actor,
            "url": _url(group),
            "why": _("You get this because a member invited you to a group."),
        },
        from_name=deed.actor.name,
        line=_line(group, _("%(name)s invites you.") % {"name": deed.actor.name}),
    )


def compose_admitted(mail) -> MailContent:
    """You asked, and are in."""
    _deed, group = _deed_and_group(mail)
    if not GroupMember.objects.filter(group=group, member=mail.member, standing__in=IN_IT).exists():
        raise Withhold("not in the group any more")
    return MailContent(
        context={
            "group": group,
            "url": _url(group),
            "why": _("You get this because you asked to join this group."),
        },
        line=_line(group, _("You asked to join, and you are in.")),
    )


def compose_led(mail) -> MailContent:
    """You lead the group now."""
    deed, group = _deed_and_group(mail)
    if not can_lead_group(mail.member, group):
        raise Withhold("not a convenor any more")
    return MailContent(
        context={
            "group": group,
            "who": deed.actor,
            "url": _url(group),
            "why": _("You get this because you are in this group."),
        }
    )


def compose_unled(mail) -> MailContent:
    """To a moderator: a group has nobody who can lead it. Of a private one they learn that there is one, and no more."""
    group = Group.objects.filter(pk=mail.refs["group"], closed_at__isnull=True).first()
    if group is None:
        raise Withhold("the group is gone, or was closed")
    if not can_moderate(mail.member):
        raise Withhold("no longer a moderator")
    return MailContent(
        context={
            "group": group,
            "name": group.name if group.is_listed else "",
            "number": group.pk,
            "url": f"{settings.SITE_URL}/admin/members/group/{group.pk}/change/",
            "why": _("You get this because you are a moderator."),
        }
    )
