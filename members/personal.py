"""What this app holds about people: their parts of the copy, and what becomes of it when they leave."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kmnet.core.models import AuditEntry
from kmnet.core.personal_data import Fate, PersonalData, declare, plain, register, rows, shown

from . import duties
from .models import (
    Boundary,
    BringIn,
    Consent,
    DataExport,
    Dormancy,
    Greeting,
    Group,
    GroupMember,
    Introduction,
    Invitation,
    InvitationUse,
    JoinRequest,
    Leaving,
    MeetingWindow,
    Member,
    OldHandle,
    Profile,
    SeenBy,
    Standing,
)
from .visibility import PARTS

ACCOUNT = (
    *("name", "email", "handle", "time_zone", "language", "status", "is_active", "joined_at", "last_seen_on"),
    *("address_proven_at", "agreed_at", "agreed_version", "onboarded_at", "last_login"),
    *("is_host", "is_organiser", "is_moderator", "is_staff", "is_superuser"),
)
NOT_TOLD = {"id", "member", "avatar", "hidden_by"}


# --- the copy --------------------------------------------------------------------------------------------------------
def account(member):
    return rows(Member.objects.filter(pk=member.pk), *ACCOUNT)


def profile(member):
    """Everything on it, with who sees each part; made for searching is left out."""
    found = Profile.objects.filter(member=member).first()
    if found is None:
        return
    told = {}
    for field in Profile._meta.concrete_fields:
        made_for_searching = isinstance(field, SearchVectorField)
        if made_for_searching or field.name in NOT_TOLD or field.name.endswith("_seen_by"):
            continue
        value = plain(shown(Profile, field.name, field.value_from_object(found)))
        told[str(field.verbose_name)] = value
    for field in Profile._meta.many_to_many:
        told[str(field.verbose_name)] = list(getattr(found, field.name).values_list("name", flat=True))
    told[str(_("usual hours"))] = list(
        rows(MeetingWindow.objects.filter(profile=found).order_by("pk"), "weekdays", "starts", "ends")
    )
    told[str(_("who sees what"))] = {
        str(part.label): str(SeenBy(getattr(found, f"{key}_seen_by")).label)
        for key, part in PARTS.items()
        if hasattr(found, f"{key}_seen_by")
    }
    yield told


def profile_files(member):
    found = Profile.objects.filter(member=member).first()
    if found is not None and found.avatar:
        yield found.avatar.name, found.avatar


def old_handles(member):
    return rows(OldHandle.objects.filter(member=member).order_by("pk"), "handle", "left_at")


def addresses(member):
    return rows(EmailAddress.objects.filter(user=member).order_by("pk"), "email", "verified", "primary")


def second_steps(member):
    """Which kinds there are; never their secrets."""
    found = Authenticator.objects.filter(user=member).order_by("pk")
    return rows(found, kind="type", made="created_at", last_used="last_used_at")


def connections(member):
    found = SocialAccount.objects.filter(user=member).order_by("pk")
    return rows(
        found,
        with_whom="provider", my_number_there="uid", since="date_joined", last_used="last_login", told="extra_data",
    )  # fmt: skip


def sessions(member):
    found = UserSession.objects.filter(user=member).order_by("pk")
    return rows(
        found, network_address="ip", browser="user_agent", since="created_at", last_used="last_seen_at"
    )


def consents(member):
    found = Consent.objects.filter(member=member).order_by("pk")
    return rows(
        found,
        "purpose", "given_at", "withdrawn_at", "how",
        version="text__version", words="text__text",
    )  # fmt: skip


def groups(member):
    found = GroupMember.objects.filter(member=member).order_by("pk")
    yield from rows(found, "standing", "since", group="group__name")
    made = Group.objects.filter(made_by=member).order_by("pk")
    # what others have made since of a private group that they have left is not theirs
    in_it = found.filter(standing__in=(Standing.MEMBER, Standing.CONVENOR)).order_by().values("group")
    knows = made.filter(Q(is_listed=True) | Q(pk__in=in_it))
    yield from rows(knows, "name", "purpose", "ways", "created_at", "closed_at")
    yield from rows(made.exclude(pk__in=knows.values("pk")), "created_at", "closed_at")


def boundaries(member):
    found = Boundary.objects.filter(owner=member).order_by("pk")
    return rows(found, "distance", "created_at", about="other__handle")


def introductions(member):
    """Those I proposed, and those I was asked about; what the other one answered is theirs."""
    yield from rows(
        Introduction.objects.filter(proposer=member).order_by("pk"),
        "reason",
        "state",
        "created_at",
        "settled_at",
    )
    for mine, column in ((Q(first=member), "first_answer"), (Q(second=member), "second_answer")):
        asked = Introduction.objects.visible_to(member).filter(mine).order_by("pk")
        yield from rows(asked, "reason", "state", "created_at", my_answer=column)


def coming_in(member):
    """How I came, and whom I let in: not who they are."""
    yield from rows(
        JoinRequest.objects.filter(member=member), "answers", "state", "asked_at", "decided_at", "reason"
    )
    yield from rows(InvitationUse.objects.filter(member=member), came_by_invitation="at")
    invited = Invitation.objects.filter(invited_by=member).order_by("pk")
    yield from rows(invited, "note", "created_at", "expires_at", "revoked_at")
    yield from rows(
        BringIn.objects.filter(confirmed_by=member).order_by("pk"), "name", "basis", "promise", "confirmed_at"
    )
    yield from rows(Greeting.objects.filter(newcomer=member), greeted="at")
    yield from rows(Greeting.objects.filter(host=member).order_by("pk"), said_hello="at")


def decisions(member):
    """What moderators and admins decided about me and my profile, and why."""
    types = ContentType.objects.get_for_models(Member, Profile)
    about = Q(target_type=types[Member], target_id=member.pk)
    about |= Q(
        target_type=types[Profile],
        target_id__in=Profile.objects.filter(member=member).values("pk"),
    )
    return rows(AuditEntry.objects.filter(about).order_by("pk"), "at", "verb", "reason")


def leaving(member):
    yield from rows(Leaving.objects.filter(member=member), "asked_at", "due_at", "keep_words")
    yield from rows(Dormancy.objects.filter(member=member), "first_mail_at", "second_mail_at")
    copies = DataExport.objects.filter(member=member).order_by("pk")
    yield from rows(copies, "asked_at", "ready_at", "expires_at", "state", "size")


def admin_acts(member):
    """On the admin pages; not whom they were about."""
    found = LogEntry.objects.filter(user=member).order_by("pk")
    return rows(found, when="action_time", what="content_type__model", details="change_message")


for order, part in enumerate(
    (
        PersonalData("account", _("Account"), account, covers=("members.Member",)),
        PersonalData(
            "profile",
            _("Profile"),
            profile,
            profile_files,
            covers=("members.Profile", "members.MeetingWindow", "members.DirectoryEntry"),
        ),
        PersonalData("former-handles", _("Former handles"), old_handles, covers=("members.OldHandle",)),
        PersonalData("addresses", _("E-mail addresses"), addresses, covers=("account.EmailAddress",)),
        PersonalData(
            "second-steps", _("Second steps at sign-in"), second_steps, covers=("mfa.Authenticator",)
        ),
        PersonalData(
            "connections",
            _("Accounts elsewhere"),
            connections,
            covers=("socialaccount.SocialAccount",),
        ),
        PersonalData("sessions", _("Where I am signed in"), sessions, covers=("usersessions.UserSession",)),
        PersonalData("consents", _("What I agreed to"), consents, covers=("members.Consent",)),
        PersonalData("groups", _("Groups"), groups, covers=("members.GroupMember", "members.Group")),
        PersonalData("boundaries", _("Whom I keep at a distance"), boundaries, covers=("members.Boundary",)),
        PersonalData("introductions", _("Introductions"), introductions, covers=("members.Introduction",)),
        PersonalData(
            "coming-in",
            _("How I came in, and whom I invited"),
            coming_in,
            covers=(
                *("members.JoinRequest", "members.InvitationUse", "members.Invitation"),
                *("members.BringIn", "members.Greeting"),
            ),
        ),
        PersonalData("decisions", _("Decisions about me"), decisions),
        PersonalData(
            "leaving",
            _("Copies, and leaving"),
            leaving,
            covers=("members.Leaving", "members.Dormancy", "members.DataExport"),
        ),
        PersonalData("admin-acts", _("Acts on the admin pages"), admin_acts, covers=("admin.LogEntry",)),
    ),
    start=1,
):
    register(PersonalData(**{**vars(part), "order": order}))


# --- what becomes of it ----------------------------------------------------------------------------------------------
declare(
    "members.Member",
    **dict.fromkeys(("email", "handle", "name", "name_key", "password", "time_zone", "language"), Fate.WIPED),
    status=Fate.STAYS,
    picture=Fate.WIPED,
    mail_returned_to=Fate.WIPED,
)
declare("members.ConsentText", text=Fate.STAYS, text_hash=Fate.STAYS)
declare(
    "members.Group",  # a group is its members'
    **dict.fromkeys(("name", "purpose", "slug", "ways", "name_key"), Fate.STAYS),
    hidden_reason=Fate.REDACTED,
)
declare("members.SpentHandle", digest=Fate.STAYS)  # keyed: nobody can read it
declare("members.BringIn", name=Fate.STAYS, promise=Fate.STAYS, basis=Fate.STAYS)
declare(
    "members.Invitation", address=Fate.WIPED, address_hash=Fate.WIPED, name=Fate.WIPED, note=Fate.REDACTED
)
declare("members.Invitation", token_hash=Fate.STAYS, reminder_hash=Fate.STAYS)
declare("members.InvitationUse", member=Fate.STAYS)  # else the invitation would work once more
declare("members.NeverInvite", address_hash=Fate.STAYS)  # the wish not to be written to outlasts the account
declare("members.JoinRequest", reason=Fate.REDACTED)
declare(
    "admin.LogEntry",
    object_id=Fate.STAYS,
    user=Fate.STAYS,
    object_repr=Fate.REDACTED,
    change_message=Fate.REDACTED,
)
declare("account.EmailConfirmation", key=Fate.STAYS)  # its row goes with the address
declare("sessions.Session", session_key=Fate.WIPED, session_data=Fate.WIPED)
declare("socialaccount.SocialToken", token=Fate.STAYS, token_secret=Fate.STAYS)  # goes with the connection
declare(
    "socialaccount.SocialApp",
    **dict.fromkeys(
        ("name", "client_id", "secret", "key", "settings", "provider", "provider_id"), Fate.STAYS
    ),
)


# --- what must be handed over ----------------------------------------------------------------------------------------
def groups_alone(member) -> list[duties.Duty]:
    """Groups whose only convenor this is, and that have others in them."""
    others = GroupMember.objects.in_it().filter(group=models.OuterRef("pk")).exclude(member=member)
    others = others.exclude(member__status__in=("leaving", "erased"))
    alone = (
        Group.objects.filter(
            closed_at__isnull=True, standings__member=member, standings__standing=Standing.CONVENOR
        )
        .filter(models.Exists(others))
        .exclude(models.Exists(others.filter(standing=Standing.CONVENOR)))
        .order_by("name", "pk")
    )
    return [
        duties.Duty(
            str(_("%(name)s: you are its only convenor") % {"name": group.name}), group.get_absolute_url()
        )
        for group in alone
    ]


duties.register(groups_alone)
