"""Mails about membership, composed when they are sent."""

from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import placeholders, tokens
from kmnet.core.mail import Line, MailContent, Withhold
from kmnet.core.models import Activity, CommunitySettings

from . import mail_links, services
from .models import DataExport, Dormancy, Invitation, JoinRequest, Leaving, Member, Profile, Status
from .models.profile import DigestRhythm
from .permissions import is_full_member
from .visibility import Shown

WISH_TOKEN = "members.wish"
WISH_LINK = timedelta(days=97)  # also after the wish has ended: they may want it back


def site(view_name: str, *args) -> str:
    return settings.SITE_URL + reverse(view_name, args=args)


def compose_welcome(mail) -> MailContent:
    """In a host's name and in the words that the admins have set, or in ours."""
    member = mail.member
    if not is_full_member(member):
        raise Withhold("no longer a member")
    community = CommunitySettings.load()
    host = welcome_host(community)
    words = placeholders.Words(
        community.welcome_text,
        people={
            "name": member.name,
            "first_name": member.get_short_name(),
            "host": host.name if host else community.name,
            "community": community.name,
        },
        links={
            "ask": site("discussions:ask"),
            "people": site("members:directory"),
            "events": site("events:index"),
            "profile": settings.SITE_URL + member.get_absolute_url(),
        },
    )
    return MailContent(
        context={
            "first_name": member.get_short_name(),
            "from_name": host.name if host else "",
            "subject_words": words.line(community.welcome_subject),
            "words": words.text(),
            "words_html": words.html(),
            "ask_url": site("discussions:ask"),
            "people_url": site("members:directory"),
            "events_url": site("events:index"),
            "profile_url": settings.SITE_URL + member.get_absolute_url(),
            "why": _("You get this because you joined kmnet. It comes once."),
        },
        from_name=host.name if host else "",
        # Not the host's own address: that is theirs to show. Whoever answers reaches the community.
        reply_to=community.contact_email,
    )


def welcome_host(community: CommunitySettings) -> Member | None:
    """In whose name newcomers are welcomed, as long as that person is a host and here."""
    if not community.welcome_host_id:
        return None
    return Member.objects.full().filter(pk=community.welcome_host_id, is_host=True).first()


def compose_waiting(mail) -> MailContent:
    """The request has come, and how long an answer takes."""
    if mail.member.status != Status.PENDING:
        raise Withhold("they wait no longer")
    return MailContent(
        context={
            "first_name": mail.member.get_short_name(),
            "days": CommunitySettings.load().join_wait_days,
            "welcome_url": site("members:welcome"),
            "why": _("You get this because you asked to join kmnet."),
        }
    )


def compose_let_in(mail) -> MailContent:
    if not is_full_member(mail.member):
        raise Withhold("no longer a member")
    return MailContent(
        context={
            "first_name": mail.member.get_short_name(),
            "home_url": settings.SITE_URL + "/",
            "why": _("You get this because you asked to join kmnet."),
        }
    )


def compose_declined(mail) -> MailContent:
    request = JoinRequest.objects.filter(member=mail.member, state=JoinRequest.State.DECLINED).first()
    if request is None or mail.member.status != Status.PENDING:
        raise Withhold("they were let in meanwhile")
    return MailContent(
        context={
            "first_name": mail.member.get_short_name(),
            "reason": request.reason,
            "contact_url": site("about:contact"),
            "settings_page_url": site("members:settings"),
            "why": _("You get this because you asked to join kmnet."),
        },
        reply_to=CommunitySettings.load().contact_email,
    )


def compose_invitation(mail) -> MailContent:
    """To somebody who is no member yet: one way in, and one way to hear no more."""
    invitation = (
        Invitation.objects.select_related("invited_by", "bring_in").filter(pk=mail.refs["invitation"]).first()
    )
    if invitation is None or invitation.revoked_at is not None or invitation.has_expired:
        raise Withhold("the invitation does not work any more")
    if services.wants_none(invitation):
        raise Withhold("they want no invitations")
    if services.is_spoken_for(mail.address) or invitation.uses.exists():
        raise Withhold("somebody with this address is here already")
    inviter = invitation.invited_by
    if inviter is None or not is_full_member(inviter):
        raise Withhold("whoever invited is no longer a member")
    stop_url = site("members:no_invitations", tokens.make("no-invitations", i=invitation.pk))
    return MailContent(
        context={
            "name": invitation.name,
            "inviter": inviter,
            "note": invitation.note,
            "list_name": invitation.bring_in.name if invitation.bring_in else "",
            "expires_at": invitation.expires_at,
            "join_url": site("members:invited", mail.secrets.get("token", "…")),
            "stop_url": stop_url,
            "why": _(
                "You get this because %(name)s gave us this address. We write once, and no account was made."
            )
            % {"name": inviter.name}
            if not invitation.bring_in
            else _(
                "You get this because your address is on the mailing list “%(list)s”. No account was made."
            )
            % {"list": invitation.bring_in.name},
        },
        headers={
            "List-Unsubscribe": f"<{stop_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        reply_to=CommunitySettings.load().contact_email,
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
            "shown": Shown.to(mail.member, newcomer.profile),
            "profile_url": settings.SITE_URL + newcomer.get_absolute_url(),
            "why": _("You get this because you are a host: you welcome those who are new."),
        },
        line=Line(
            _("Newcomers to greet"),
            _("%(name)s is new here.") % {"name": newcomer.name},
            settings.SITE_URL + newcomer.get_absolute_url(),
            "newcomers",
        ),
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


def compose_wish_ends(mail) -> MailContent:
    """A week before a wish for help ends: one button renews it."""
    member = mail.member
    profile = Profile.objects.prefetch_related("looking_for").get(member=member)
    if not is_full_member(member):
        raise Withhold("no longer a member")
    until = profile.looking_until
    if until is None or until.isoformat() != mail.refs["until"]:
        raise Withhold("the wish was changed or renewed")
    if until < timezone.now().date():
        raise Withhold("the wish has ended already")
    token = tokens.make(WISH_TOKEN, lifetime=WISH_LINK, member=member.pk, until=until.isoformat())
    return MailContent(
        context={
            "first_name": member.get_short_name(),
            "topics": [tag.name for tag in profile.looking_for.all()],
            "sentence": profile.looking_for_text,
            "until": until,
            "renew_url": site("members_mail:renew_wish", token),
            "profile_settings_url": site("members:settings_profile") + "#part-looking_for",
            "why": _("You get this because you said what you look for help with. It comes once for each."),
        }
    )


def compose_copy_ready(mail) -> MailContent:
    """Leads to the page behind the sign-in, never to the file."""
    export = DataExport.objects.filter(pk=mail.refs["export"], state=DataExport.State.READY).first()
    if export is None:
        raise Withhold("the copy is gone")
    return MailContent(
        context={
            "expires_at": export.expires_at,
            "page_url": site("members:your_data"),
            "why": _("You get this because you asked for a copy of your data."),
        }
    )


def compose_leaving(mail) -> MailContent:
    """At the start and once before the end: until when it can be undone, and how."""
    leaving = Leaving.objects.filter(pk=mail.refs["leaving"]).first()
    if leaving is None:
        raise Withhold("it was undone")
    token = tokens.make("undo-leaving", leaving=leaving.pk, m=leaving.member_id)
    return MailContent(
        context={
            "leaving": leaving,
            "by_admin": leaving.asked_by_id is not None,
            "was_dormant": Dormancy.objects.filter(member=leaving.member_id).exists(),
            "undo_url": site("members:leaving_undo_by_mail", token),
            "contact_url": site("about:contact"),
            "why": _("You get this because it is about the end of your account. It cannot be switched off."),
        }
    )


def compose_dormant(mail) -> MailContent:
    """It has been very quiet: signing in once is enough."""
    dormancy = Dormancy.objects.filter(member=mail.member_id).first()
    if dormancy is None or mail.member.last_seen_on > dormancy.first_mail_at.date():
        raise Withhold("they have been here again")
    return MailContent(
        context={
            "last_seen_on": mail.member.last_seen_on,
            "is_second": dormancy.second_mail_at is not None,
            "sign_in_url": site("account_login"),
            "why": _("You get this because it is about the end of your account. It cannot be switched off."),
        }
    )


def compose_still_here(mail) -> MailContent:
    """Nothing was heard of them for half a year: one question, one button, nothing else."""
    member = mail.member
    if f"{member.last_seen_on}" >= mail.refs["on"]:
        raise Withhold("they have been here again")
    return MailContent(
        context={
            "first_name": member.get_short_name(),
            "here_url": mail_links.still_here_url(member),
            "why": _("You get this because we have not heard from you for six months. It comes once."),
        }
    )


def compose_digest_monthly(mail) -> MailContent:
    """Nobody answered; the digest comes once a month, which one button undoes."""
    member = mail.member
    if f"{member.last_seen_on}" >= mail.refs["on"]:
        raise Withhold("they have been here again")
    if member.profile.digest != DigestRhythm.MONTHLY:
        raise Withhold("the digest comes as often as they have chosen since")
    return MailContent(
        context={
            "first_name": member.get_short_name(),
            "was": DigestRhythm(mail.refs["was"]).label,
            "back_url": mail_links.still_here_url(member, mail.refs["was"]),
            "why": _("You get this because your digest changes. It comes once."),
        }
    )
