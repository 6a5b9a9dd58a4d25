"""What the floor holds about people: their part of the copy, and what becomes of it."""

from django.utils.translation import gettext_lazy as _

from .known_address import hash_of_address
from .models import (
    Activity,
    AuditEntry,
    Flag,
    MailChoice,
    MailHabits,
    MailReturn,
    Notification,
    OutgoingMail,
    ReceivedMail,
    ReplyAddress,
    SuppressedAddress,
)
from .personal_data import Fate, PersonalData, declare, declare_impersonal, register, rows


def mails(member):
    """Which mails, when, and whether they went out; not the one-time codes in them."""
    found = OutgoingMail.objects.filter(member=member).order_by("pk")
    return rows(found, "kind", "state", "due_at", "sent_at", "created_at", "language", "reason", "message_id")


def mail_choices(member):
    return rows(
        MailChoice.objects.filter(member=member).order_by("pk"), "category", "how", "site", "changed_at"
    )


def mail_habits(member):
    return rows(
        MailHabits.objects.filter(member=member),
        *("bundle_minutes", "quiet_from", "quiet_until", "paused_until", "asked_if_here_at", "changed_at"),
    )


def reply_addresses(member):
    """Where I can answer by mail; not the addresses themselves, which act for me."""
    found = ReplyAddress.objects.filter(member=member).order_by("pk")
    return rows(
        found, "purpose", "made_at", "expires_at", "revoked_at", "revoked_for", about_number="target_id"
    )


def received_mails(member):
    """What I sent to kmnet by mail, and what became of it. The words are in what was made of it."""
    found = ReceivedMail.objects.filter(member=member).order_by("pk")
    return rows(found, "recipient", "sender", "message_id", "state", "reason", "received_at", "done_at")


def mail_returned(member):
    """Whether my address returns mail; known by a scrambled mark."""
    found = SuppressedAddress.objects.filter(address_hash=hash_of_address(member.email))
    return rows(found, "suppressed_at", "reason", "score", "scored_at")


def mail_returns(member):
    """What mail servers said of mails to me."""
    found = MailReturn.objects.filter(address_hash=hash_of_address(member.email)).order_by("pk")
    return rows(found, "at", "kind", "text")


def notifications(member):
    found = Notification.objects.filter(recipient=member).order_by("pk")
    return rows(found, what="activity__verb", happened="activity__at", told="created_at", read="read_at")


def deeds(member):
    found = Activity.objects.filter(actor=member).order_by("pk")
    return rows(found, "verb", "at", about_number="target_id", about="target_type__model", details="data")


def reports(member):
    """What I told the moderators, in my words, and how it ended."""
    found = Flag.objects.filter(reporter=member).order_by("pk")
    return rows(
        found,
        "reason", "rule", "note", "created_at", "state", "resolved_at", "resolution",
        about="target_type__model", about_number="target_id",
    )  # fmt: skip


def acts(member):
    """What I did to other people's things as a moderator, an organiser or an admin."""
    found = AuditEntry.objects.filter(actor=member).order_by("pk")
    return rows(
        found,
        "at", "verb", "reason",
        about="target_type__model", about_number="target_id", details="data",
    )  # fmt: skip


register(PersonalData("mails", _("Mails to me"), mails, covers=("core.OutgoingMail",), order=70))
register(
    PersonalData("mail-choices", _("What mail I want"), mail_choices, covers=("core.MailChoice",), order=71)
)
register(
    PersonalData("mail-habits", _("When I want mail"), mail_habits, covers=("core.MailHabits",), order=71)
)
register(
    PersonalData(
        "reply-addresses",
        _("Where I can answer by mail"),
        reply_addresses,
        covers=("core.ReplyAddress",),
        order=71,
    )
)
register(
    PersonalData(
        "received-mails", _("What I sent by mail"), received_mails, covers=("core.ReceivedMail",), order=71
    )
)
register(
    PersonalData(
        "mail-returned",
        _("Whether my address returns mail"),
        mail_returned,
        covers=("core.SuppressedAddress",),
        order=71,
    )
)
register(
    PersonalData(
        "mail-returns", _("Mails that came back"), mail_returns, covers=("core.MailReturn",), order=71
    )
)
register(
    PersonalData("notifications", _("Notifications"), notifications, covers=("core.Notification",), order=72)
)
register(PersonalData("deeds", _("What I did"), deeds, covers=("core.Activity",), order=73))
register(PersonalData("reports", _("What I reported"), reports, covers=("core.Flag",), order=80))
register(PersonalData("acts", _("Log of my acts"), acts, covers=("core.AuditEntry",), order=81))

declare("core.Activity", actor=Fate.STAYS, verb=Fate.STAYS, data=Fate.STAYS)  # data: numbers and states
declare(
    "core.AuditEntry", verb=Fate.STAYS, actor=Fate.STAYS, reason=Fate.REDACTED, data=Fate.STAYS
)  # data: ids, names of fields
declare(
    "core.Flag", rule=Fate.STAYS, note=Fate.REDACTED, resolution=Fate.REDACTED, reason=Fate.STAYS
)  # one's own note is wiped
declare("core.OutgoingMail", member=Fate.GOES, address=Fate.WIPED, reason=Fate.REDACTED)
declare("core.MailChoice", address=Fate.WIPED)
declare("core.ReplyAddress", token=Fate.GOES, revoked_for=Fate.GOES, purpose=Fate.GOES, member=Fate.GOES)
declare(
    "core.ReceivedMail",
    **dict.fromkeys(("recipient", "sender", "raw", "note", "message_id", "member"), Fate.GOES),
    **dict.fromkeys(("via", "authenticated", "reason"), Fate.STAYS),
)
declare("core.MailReturn", text=Fate.REDACTED, told_by=Fate.STAYS, address_hash=Fate.STAYS)
declare("core.SuppressedAddress", address_hash=Fate.STAYS)  # a "never again" outlasts the account
declare("core.DevMail", recipient=Fate.WIPED, subject=Fate.WIPED, raw=Fate.WIPED, message_id=Fate.WIPED)
declare("core.DoomedFile", name=Fate.STAYS)  # random, gone within minutes
declare("taggit.Tag", name=Fate.WIPED, slug=Fate.WIPED)  # deleted with the last thing that bears it
declare(
    "core.CommunitySettings",  # of the organisation
    welcome_host=Fate.CUT,
    **dict.fromkeys(
        (
            *("name", "tagline", "contact_email", "postal_address", "time_zone", "agreement"),
            *("privacy_contact", "join_question_1", "join_question_2", "welcome_subject", "welcome_text"),
        ),
        Fate.STAYS,
    ),
)
declare_impersonal(
    *(
        "core.RelatedItem",
        "core.Heartbeat",
        "core.JobState",
        "core.Facet",
        "core.Term",
        "core.SynonymGroup",
        "core.Synonym",
    ),
    *("auth.Permission", "auth.Group", "contenttypes.ContentType"),
)
