"""What people chose to receive: members on their settings page, everybody through the links in mails."""

from django.db import transaction
from django.utils import timezone

from kmnet.core.models.mail import MailChoice

from .kinds import CATEGORIES, How

__all__ = ["How", "choices_of", "choose", "usual_how", "wants"]


def wants(category: str | None, *, member_id: int | None = None, address: str = "") -> bool:
    """Whether this person has left the category on. What has no category, or a fixed one, cannot be switched off."""
    if category is None or CATEGORIES[category].fixed:
        return True
    return (
        not MailChoice.objects.of(member_id=member_id, address=address)
        .filter(category=category, how=How.NEVER)
        .exists()
    )


def usual_how(category: str, *, is_member: bool = True) -> How:
    """What holds for whoever has chosen nothing. Guests have neither bundle nor digest: they get it at once."""
    return CATEGORIES[category].usual if is_member else How.AT_ONCE


def choices_of(*, member_id: int | None = None, address: str = "") -> dict[str, str]:
    """Every category that can be chosen and how this person wants it, the usual way put in where they chose nothing."""
    chosen = dict(MailChoice.objects.of(member_id=member_id, address=address).values_list("category", "how"))
    return {
        key: chosen.get(key) or usual_how(key, is_member=member_id is not None)
        for key, category in CATEGORIES.items()
        if not category.fixed
    }


@transaction.atomic
def choose(category: str, how: str, *, member_id: int | None = None, address: str = "") -> None:
    """Store one choice; the same choice again changes nothing. ValueError for what cannot be chosen."""
    if category not in CATEGORIES or CATEGORIES[category].fixed:
        raise ValueError(f"no mail category {category!r} to choose of")
    changed = MailChoice.objects.of(member_id=member_id, address=address).filter(category=category)
    if changed.update(how=how, changed_at=timezone.now()):
        return
    # Two clicks at once: the unique index lets one in, and both wanted the same.
    MailChoice.objects.bulk_create(
        [MailChoice(member_id=member_id, address=address, category=category, how=how)], ignore_conflicts=True
    )
