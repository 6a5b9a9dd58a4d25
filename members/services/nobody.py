"""The account that stands where somebody wrote without their name."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ..models import Member, Profile, Status
from ..models.profile import DigestRhythm

NOBODY = "without-a-name"  # a handle that nobody can choose (names.RESERVED)


def nobody() -> Member:
    """It is made when it is first needed. Nobody signs in with it, and it has no page."""
    found = Member.objects.filter(handle=NOBODY).first()
    if found is not None:
        return found
    somebody = Member(
        email=f"{NOBODY}@erased.invalid",
        handle=NOBODY,
        name=_("Somebody"),
        status=Status.ERASED,
        is_active=False,
    )
    somebody.set_unusable_password()
    try:
        with transaction.atomic():
            somebody.save()
            Profile.objects.create(member=somebody, is_listed=False, digest=DigestRhythm.NEVER)
    except IntegrityError:  # somebody else was faster
        return Member.objects.get(handle=NOBODY)
    return somebody
