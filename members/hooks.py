"""What this app registers with core."""

from django.db.models import Count, Window
from django.utils.translation import gettext_lazy as _

from kmnet.core import activity, mail, mail_settings, moderation, presence, search
from kmnet.core.frame import MenuItem, register_menu_item

from . import (
    account_mails,  # noqa: F401  the mails that allauth asks for
    group_hooks,  # noqa: F401
    mails,
    services,
)
from .models import Member, Profile
from .models.member import name_patterns
from .permissions import can_invite, is_full_member
from .views.mail_settings import by_link, people_kept_away
from .visibility import Shown


# --- activity --------------------------------------------------------------------------------------------------------
def hosts(deed) -> list[int]:
    """Those who welcome. Somebody suspended in the meantime is not announced."""
    if not is_full_member(deed.target):
        return []
    return list(Member.objects.full().filter(is_host=True).values_list("pk", flat=True))


activity.register(
    activity.ActivityType(
        verb="members.joined",
        template="members/activity/_joined.html",
        audience=hosts,
        mail_kind="members.newcomer",
    )
)


# --- search ----------------------------------------------------------------------------------------------------------
CONSIDERED = 300  # of words that many profiles hold, so many people are looked at


def search_people(text, viewer, limit: int) -> search.SearchPage:
    """Whom the viewer would find in the directory, with nothing but what they show."""
    if not text:
        return search.SearchPage()
    some = Member.objects.ids_matching(text.query, name_patterns(text), viewer, limit=CONSIDERED)
    found = Member.objects.listed_for(viewer).filter(pk__in=some)
    rows = list(
        found.annotate(total=Window(Count("pk")))  # counted along, not by a query of its own
        .with_level(viewer)
        .select_related("profile")
        .prefetch_related("profile__roles")
        .order_by("-last_seen_on", "name_key", "pk")[:limit]
    )
    return search.SearchPage(
        hits=[hit(member, viewer) for member in rows], total=rows[0].total if rows else 0
    )


def hit(member: Member, viewer) -> search.SearchHit:
    shown = Shown.to(viewer, member.profile)
    return search.SearchHit(
        url=member.get_absolute_url(),
        title=member.name,
        snippet=shown.headline or shown.can_help_text,
        meta=" · ".join(filter(None, (shown.line, shown.place))),
        person=member,
    )


search.register(search.SearchSource(key="people", label=_("People"), order=40, search=search_people))


# --- moderation ------------------------------------------------------------------------------------------------------
def profiles_visible_to(user):
    return Profile.objects.filter(member__in=Member.objects.profile_visible_to(user))


moderation.register(
    moderation.Moderated(
        model=Profile,
        label=_("profile"),
        card_template="members/_moderated_profile.html",
        title=lambda profile: profile.member.name,
        url=lambda profile: profile.member.get_absolute_url(),
        author_id=lambda profile: profile.member_id,
        hide=services.hide_profile,
        restore=services.restore_profile,
        visible_to=profiles_visible_to,
    )
)


# --- mail ------------------------------------------------------------------------------------------------------------
mail.register(
    mail.MailKind(
        key="members.welcome",
        label=_("Welcome"),
        template="members/email/welcome",
        compose=mails.compose_welcome,
        category="sign_in",
    )
)
mail.register(
    mail.MailKind(
        key="members.newcomer",
        label=_("Somebody is new"),
        template="members/email/newcomer",
        compose=mails.compose_newcomer,
        category="newcomers",
        bundles=True,
    )
)
mail.register(
    mail.MailKind(
        key="members.profile_hidden",
        label=_("Your profile was hidden"),
        template="members/email/profile_hidden",
        compose=mails.compose_profile_hidden,
    )
)
for key, label, template, compose, bulk in (
    ("members.waiting", _("Your request to join has come"), "waiting", mails.compose_waiting, False),
    ("members.let_in", _("You are in"), "let_in", mails.compose_let_in, False),
    ("members.declined", _("Not let in"), "declined", mails.compose_declined, False),
    ("members.invitation", _("Invitation"), "invitation", mails.compose_invitation, False),
    (
        "members.list_invitation",
        _("Invitation of a mailing list"),
        "invitation",
        mails.compose_invitation,
        True,
    ),
    (
        "members.list_reminder",
        _("Reminder of an invitation"),
        "invitation_reminder",
        mails.compose_invitation,
        True,
    ),
):
    mail.register(mail.MailKind(key, label, f"members/email/{template}", compose, bulk=bulk))
for key, label, compose in (
    ("members.copy_ready", _("The copy of your data is ready"), mails.compose_copy_ready),
    ("members.leaving", _("Your account will be deleted"), mails.compose_leaving),
    ("members.leaving_soon", _("Your account will be deleted in two days"), mails.compose_leaving),
    ("members.dormant", _("Are you still here?"), mails.compose_dormant),
):
    mail.register(
        mail.MailKind(
            key=key,
            label=label,
            template=f"members/email/{key.partition('.')[2]}",
            compose=compose,
            category="sign_in",
            reaches_leavers=True,
        )
    )

register_menu_item(MenuItem(_("Invite somebody"), "/invitations/", can_invite, order=65))
mail.register(
    mail.MailKind(
        key="members.wish_ends",
        label=_("What you look for help with ends soon"),
        template="members/email/wish_ends",
        compose=mails.compose_wish_ends,
    )
)

for key, label, compose in (
    ("members.still_here", _("Are you still there?"), mails.compose_still_here),
    ("members.digest_monthly", _("The digest comes once a month"), mails.compose_digest_monthly),
):
    mail.register(
        mail.MailKind(
            key, label, f"members/email/{key.partition('.')[2]}", compose, category="digest", bulk=True
        )
    )

# --- what somebody wants to be told, and when they were here -----------------------------------------------------------
mail_settings.register_page(by_link)
mail_settings.register_part(
    mail_settings.Part("people", "members/_people_kept_away.html", people_kept_away, order=20)
)
presence.register(services.note_presence_of)
