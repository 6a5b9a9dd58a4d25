"""Mails about membership, composed when they are sent."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from kmnet.core.mail import MailContent, Withhold
from kmnet.core.models import Activity, CommunitySettings
from kmnet.core.text import render_markdown

from .models import Member, Profile
from .permissions import is_full_member


def site(view_name: str, *args) -> str:
    return settings.SITE_URL + reverse(view_name, args=args)


def compose_welcome(mail) -> MailContent:
    """In the name and the words that the admins have set, or in ours."""
    member = mail.member
    if not is_full_member(member):
        raise Withhold("no longer a member")
    community = CommunitySettings.load()
    return MailContent(
        context={
            "first_name": member.get_short_name(),
            "community": community,
            "from_name": community.welcome_from,
            "words": community.welcome_text,
            "words_html": render_markdown(community.welcome_text) if community.welcome_text else "",
            "ask_url": site("discussions:ask"),
            "people_url": site("members:directory"),
            "events_url": site("events:index"),
            "profile_url": settings.SITE_URL + member.get_absolute_url(),
            "why": _("You get this because you joined kmnet. It comes once."),
        },
        from_name=community.welcome_from,
    )


def compose_newcomer(mail) -> MailContent:
    """To a host: somebody is new, with what they show to members so far."""
    deed = Activity.objects.get(pk=mail.refs["activity"])
    newcomer = Member.objects.full().filter(pk=deed.target_id).select_related("profile").first()
    if newcomer is None:
        raise Withhold("the newcomer is no longer a member")
    if not (is_full_member(mail.member) and mail.member.is_host):
        raise Withhold("no longer a host")
    return MailContent(
        context={
            "newcomer": newcomer,
            "shown": newcomer.profile.for_members,
            "profile_url": settings.SITE_URL + newcomer.get_absolute_url(),
            "why": _("You get this because you are a host: you welcome those who are new."),
        }
    )


def compose_profile_hidden(mail) -> MailContent:
    """The author is always told why."""
    profile = mail.member.profile
    if profile.state != Profile.State.HIDDEN:
        raise Withhold("the profile is shown again")
    return MailContent(
        context={
            "reason": profile.hidden_reason,
            "profile_settings_url": site("members:settings_profile"),
            "contact_url": site("about:contact"),
            "why": _("You get this because it is about your own profile."),
        }
    )
