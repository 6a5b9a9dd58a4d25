"""What people chose to receive: members on their settings page, everybody through the links in mails."""

from django.db import transaction
from django.utils import timezone

from kmnet.core.models.mail import MailChoice

from .kinds import CATEGORIES

How = MailChoice.How


def wants(category: str | None, *, member_id: int | None = None, address: str = "") -> bool:
    """Whether this person has left the category on. What has no category cannot be switched off."""
    if category is None:
        return True
    return (
        not MailChoice.objects.of(member_id=member_id, address=address)
        .filter(category=category, how=How.NEVER)
        .exists()
    )


def choices_of(*, member_id: int | None = None, address: str = "") -> dict[str, str]:
    """Every category and how this person wants it."""
    chosen = dict(MailChoice.objects.of(member_id=member_id, address=address).values_list("category", "how"))
    return {category: chosen.get(category, How.AT_ONCE) for category in CATEGORIES}


@transaction.atomic
def choose(category: str, how: str, *, member_id: int | None = None, address: str = "") -> None:
    """Store one choice; the same choice again changes nothing."""
    if category not in CATEGORIES:
        raise ValueError(f"no mail category {category!r}")
    changed = MailChoice.objects.of(member_id=member_id, address=address).filter(category=category)
    if changed.update(how=how, changed_at=timezone.now()):
        return
    # Two clicks at once: the unique index lets one in, and both wanted the same.
    MailChoice.objects.bulk_create(
        [MailChoice(member_id=member_id, address=address, category=category, how=how)], ignore_conflicts=True
    )
