"""Addresses by which a member answers a thing: made when a mail goes out, found again when one comes in."""

from datetime import timedelta

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from django.utils import timezone

from kmnet.core.models import ReplyAddress

LASTS = timedelta(days=90)
FRESH = timedelta(days=1)  # an address is prolonged once a day at most
LOCAL_PART = "reply+"


def reply_address(*, member, purpose: str, target) -> str:
    """`reply+<token>@…`, by which this member can answer the target for 90 days from now; "" where this installation
    receives no mail. One address for each member, purpose and target, as long as it is not revoked.

    Writes a row (or its new end); of two at once one makes it. For mails to the member alone: who knows the address
    can still not use it from another address than the member's own."""
    if not settings.INBOUND_MAIL or member is None:
        return ""
    about = {
        "member": member,
        "purpose": purpose,
        "target_type": ContentType.objects.get_for_model(target),
        "target_id": target.pk,
    }
    now = timezone.now()
    live = ReplyAddress.objects.filter(**about, revoked_at=None)
    found = live.first()
    if found is not None and found.expires_at <= now:
        live.filter(pk=found.pk).update(revoked_at=now, revoked_for="ended")
        found = None
    if found is None:
        try:
            with transaction.atomic():
                found = ReplyAddress.objects.create(**about, expires_at=now + LASTS)
        except IntegrityError:  # another sender made it this moment
            found = live.get()
    elif found.expires_at < now + LASTS - FRESH:
        live.filter(pk=found.pk).update(expires_at=now + LASTS)
    return f"{LOCAL_PART}{found.token}@{settings.INBOUND_DOMAIN}"


def mailbox_address(name: str) -> str:
    """`ask@…`, or "" where this installation receives no mail."""
    return f"{name}@{settings.INBOUND_DOMAIN}" if settings.INBOUND_MAIL else ""


def no_reply_address() -> str:
    """For mails that take no answer where nobody is named to read one: what is sent there is refused with a reason."""
    return f"no-reply@{settings.INBOUND_DOMAIN}" if settings.INBOUND_MAIL else ""


def is_reply_address(address: str) -> bool:
    return address.lower().startswith(LOCAL_PART)


def revoke(*, member, why: str) -> int:
    """None of the member's reply addresses works any more ("suspended", "leaving", ...); how many that were."""
    live = ReplyAddress.objects.filter(member=member, revoked_at=None)
    return live.update(revoked_at=timezone.now(), revoked_for=why[:40])
