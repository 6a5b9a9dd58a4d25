"""Mails about introductions, composed when they are sent."""

from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import tokens
from kmnet.core.mail import MailContent, Withhold
from kmnet.core.models import Activity

from .models import Introduction, IntroductionState, Member, has_blocked, is_kept_apart
from .permissions import is_full_member
from .visibility import Shown

INTRODUCTION = "members.introduction"  # what a token in a link is for


def _introduction(mail) -> Introduction:
    """The introduction that a mail is about, whose receiver is one of the two."""
    pk = mail.refs.get("introduction")
    if pk is None:
        pk = Activity.objects.filter(pk=mail.refs["activity"]).values_list("target_id", flat=True).first()
    found = Introduction.objects.select_related("first", "second", "proposer").filter(pk=pk).first()
    if found is None or mail.member_id not in found.pair:
        raise Withhold("the introduction is gone")
    if not is_full_member(mail.member):
        raise Withhold("no longer a member")
    return found


def introduction_url(introduction: Introduction, member: Member) -> str:
    """For one of the two; it ends with the introduction, and the page says so afterwards."""
    lifetime = max(introduction.expires_at - timezone.now(), timedelta(seconds=1))
    token = tokens.make(INTRODUCTION, lifetime=lifetime, introduction=introduction.pk, member=member.pk)
    return settings.SITE_URL + reverse("members_mail:introduction", args=[token])


def compose_introduction(mail) -> MailContent:
    """Would you like to meet? With what the other shows to this member, and no way to reach them."""
    introduction = _introduction(mail)
    if not introduction.is_open():
        raise Withhold("the introduction is over")
    if introduction.answer_of(mail.member):
        raise Withhold("it is answered already")
    if introduction.goes_nowhere or is_kept_apart(introduction.proposer_id, *introduction.pair):
        raise Withhold(
            "the introduction goes nowhere"
        )  # the reason stands in the copy of the one who is kept away
    other = introduction.other_than(mail.member)
    if not is_full_member(other) or not is_full_member(introduction.proposer):
        raise Withhold("one of the three is no longer a member")
    return MailContent(
        context={
            "introduction": introduction,
            "other": other,
            "shown": Shown.to(mail.member, other.profile),
            "until": introduction.expires_at,
            "url": introduction_url(introduction, mail.member),
            "other_url": settings.SITE_URL + other.get_absolute_url(),
            "why": _("You get this because a member would like to introduce you to somebody."),
        },
        from_name=introduction.proposer.name,
    )


def compose_introduced(mail) -> MailContent:
    """Both want it: here is the address."""
    introduction = _introduction(mail)
    other = introduction.other_than(mail.member)
    if introduction.state != IntroductionState.MADE:
        raise Withhold("not both have said yes")
    if not is_full_member(other):
        raise Withhold("the other is no longer a member")
    if has_blocked(other, mail.member) or has_blocked(mail.member, other):
        raise Withhold("the introduction goes nowhere")
    return MailContent(
        context={
            "introduction": introduction,
            "other": other,
            "other_url": settings.SITE_URL + other.get_absolute_url(),
            "why": _("You get this because both of you wanted to be introduced."),
        }
    )
