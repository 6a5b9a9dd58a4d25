"""Agreeing, once per version; optional purposes, given and taken back as easily."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext

from kmnet.core.models import CommunitySettings

from ..models import Member
from ..models.consent import OPTIONAL, Consent, ConsentText, How, Purpose, hash_of

# To be raised with the words of templates/about/_privacy.html and of LETTERS below, where the sense changes.
PRIVACY_VERSION = 1
LETTERS_VERSION = 1


def letters_words() -> str:
    """The words beside the box; what is stored is what was read."""
    return gettext("Write to me now and then about the community itself: plans, surveys, invitations.")


def version_of(purpose: str) -> int:
    if purpose == Purpose.AGREEMENT:
        return CommunitySettings.load().agreement_version
    return PRIVACY_VERSION if purpose == Purpose.PRIVACY else LETTERS_VERSION


def words_of(purpose: str) -> str:
    """The text as it is shown just now, in the language of the reader."""
    community = CommunitySettings.load()
    if purpose == Purpose.AGREEMENT:
        return community.agreement or render_to_string("about/_agreement.html")
    if purpose == Purpose.PRIVACY:
        return render_to_string("about/_privacy.html", {"community": community})
    return letters_words()


def current_text(purpose: str) -> ConsentText:
    """The stored text of what is shown just now; stored when it is first agreed to."""
    words = words_of(purpose)
    return ConsentText.objects.get_or_create(
        purpose=purpose, version=version_of(purpose), text_hash=hash_of(words), defaults={"text": words}
    )[0]


def _note(member: Member, purpose: str, how: str) -> None:
    Consent.objects.get_or_create(
        member=member,
        text=current_text(purpose),
        withdrawn_at=None,
        defaults={"purpose": purpose, "how": how},
    )


@transaction.atomic
def record_agreement(*, member: Member, how: str = How.FIRST_STEPS) -> None:
    """They have read, and agree to, how we treat each other; the privacy notice stood beside it. Locks the member."""
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    member.agreed_at = timezone.now()
    member.agreed_version = version_of(Purpose.AGREEMENT)
    member.save(update_fields=["agreed_at", "agreed_version"])
    _note(member, Purpose.AGREEMENT, how)
    _note(member, Purpose.PRIVACY, how)


@transaction.atomic
def give_consent(*, member: Member, purpose: str, how: str = How.SETTINGS) -> None:
    """Yes to an optional purpose; twice is once. Locks the member. Raises PermissionDenied for what is not optional."""
    if purpose not in OPTIONAL:
        raise PermissionDenied
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    _note(member, purpose, how)


@transaction.atomic
def withdraw_consent(*, member: Member, purpose: str) -> None:
    """No longer; the row stays, with the time. Locks the member. The agreement ends only with the account."""
    if purpose not in OPTIONAL:
        raise PermissionDenied
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    Consent.objects.standing().filter(member=member, purpose=purpose).update(withdrawn_at=timezone.now())


def has_consent(member: Member, purpose: str) -> bool:
    """Whoever writes a mail of an optional purpose asks this when it is sent."""
    return Consent.objects.standing().filter(member=member, purpose=purpose).exists()


def must_agree_anew(member: Member) -> bool:
    """The agreement has a newer version than the one they agreed to."""
    return bool(member.agreed_at) and member.agreed_version < CommunitySettings.load().agreement_version
