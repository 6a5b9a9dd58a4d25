"""A newcomer is greeted by a host; the first hello counts."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from ..models import Greeting, Member
from ..permissions import can_greet


def greet_newcomer(*, newcomer: Member, host: Member, how: str = Greeting.How.SAID) -> bool:
    """Note that somebody was greeted; whether this was the first hello. Two hosts at once: one of them."""
    if not can_greet(host) or host.pk == newcomer.pk:
        raise PermissionDenied
    with transaction.atomic():
        _greeting, first = Greeting.objects.get_or_create(
            newcomer=newcomer, defaults={"host": host, "how": how, "at": timezone.now()}
        )
    return first


def note_reply_to_introduction(*, newcomer: Member, by: Member) -> None:
    """A host who answers an introduction has said hello."""
    if can_greet(by) and by.pk != newcomer.pk:
        greet_newcomer(newcomer=newcomer, host=by, how=Greeting.How.REPLIED)
