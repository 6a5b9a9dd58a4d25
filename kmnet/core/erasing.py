"""What the floor itself holds of a person, taken away when their account is deleted. All within that transaction."""

import email
import email.policy
from collections.abc import Iterable

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.db.models.functions import Lower

from . import mail
from .models import (
    Activity,
    DevMail,
    Flag,
    MailChoice,
    OutgoingMail,
    ReceivedMail,
    RelatedItem,
    ReplyAddress,
)
from .models.mail import MailState
from .personal_data import concrete_fields


def forget_traces(*, member: models.Model, addresses: Iterable[str], words: Iterable[str]) -> None:
    """Mails, choices of mail, what they reported in their own words, deeds about their account."""
    lowered = [address.lower() for address in addresses]
    mail.forget_person(member=member, addresses=lowered)
    by_address = MailChoice.objects.annotate(lowered=Lower("address")).filter(lowered__in=lowered)
    by_address.exclude(address="").delete()
    ReceivedMail.objects.filter(Q(member=member) | Q(sender__in=lowered)).delete()
    ReplyAddress.objects.filter(member=member).delete()
    Flag.objects.filter(reporter=member).update(note="")
    forget_targets([member])
    forget_demo_mails(lowered, words)


def forget_targets(targets: Iterable[models.Model]) -> None:
    """Deeds, reports and links about things that are about to be deleted; the deeds take their notifications along."""
    by_type: dict[ContentType, list[int]] = {}
    for target in targets:
        by_type.setdefault(ContentType.objects.get_for_model(target), []).append(target.pk)
    for content_type, ids in by_type.items():
        about = Q(target_type=content_type, target_id__in=ids)
        forget_deeds(Activity.objects.filter(about))
        Flag.objects.filter(about).delete()
        RelatedItem.objects.filter(about | Q(source_type=content_type, source_id__in=ids)).delete()


def forget_deeds(deeds: models.QuerySet) -> None:
    """Delete these activities; mails about them that still wait are withheld, with the reason."""
    ids = list(deeds.values_list("pk", flat=True))
    OutgoingMail.objects.waiting().filter(refs__activity__in=ids).update(
        state=MailState.WITHHELD, reason="its author has left", secret=""
    )
    Activity.objects.filter(pk__in=ids).delete()


def forget_demo_mails(addresses: Iterable[str], words: Iterable[str]) -> None:
    """The demo's mailbox: what went to them, and what names them in a mail to somebody else."""
    DevMail.objects.annotate(lowered=Lower("recipient")).filter(lowered__in=addresses).delete()
    wanted = [word.casefold() for word in words if len(word) > 2]
    for row in DevMail.objects.order_by("pk").iterator(chunk_size=100):
        if wanted and any(word in text_of(bytes(row.raw)).casefold() for word in wanted):
            row.delete()


def text_of(raw: bytes) -> str:
    """All that a mail says, decoded: headers and text parts."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(str(value) for value in message.values()), *map(str, parts)])


def unused_tags() -> models.QuerySet:
    """Tags that nothing bears any more; a tag may say who its only user was."""
    from taggit.models import Tag  # a package above the floor's own models

    unused = Tag.objects.all()
    for field in concrete_fields():
        if field.is_relation and field.related_model is Tag:
            bearing = field.model._base_manager.filter(**{field.name: models.OuterRef("pk")})
            unused = unused.exclude(models.Exists(bearing))
    return unused


def forget_unused_tags() -> int:
    """Delete them; return how many. One that somebody takes up in this very moment stops it; the next run goes on."""
    try:
        with transaction.atomic():
            return unused_tags().delete()[0]
    except IntegrityError:
        return 0
