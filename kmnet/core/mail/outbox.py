"""Writing rows into the outbox, and taking them back."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Case, Value, When
from django.utils import timezone, translation

from kmnet.core import tasks
from kmnet.core.models.mail import MailState, OutgoingMail

from .kinds import get_kind
from .secrets import encrypt


def queue(
    kind_key: str,
    *,
    member=None,
    address: str | None = None,
    dedupe_key: str,
    refs: dict | None = None,
    secrets: dict | None = None,
    due_at: datetime | None = None,
) -> OutgoingMail:
    """Write one mail into the outbox, in the deed's own transaction. The same dedupe key twice is one mail.

    `refs` are ids (JSON), read again when it is sent; `secrets` are one-time values, encrypted and wiped after
    sending. A guest's zone may be given as refs["time_zone"]."""
    kind = get_kind(kind_key)
    if (member is None) == (not address):
        raise ValueError("a mail goes to a member or to an address")
    now = timezone.now()
    due_at = due_at or now
    mail, created = OutgoingMail.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "kind": kind.key,
            "member": member,
            "address": address or "",
            "refs": refs or {},
            "secret": encrypt(secrets) if secrets else "",
            "language": member.language if member else translation.get_language() or "en",
            "bulk": kind.bulk,
            "due_at": due_at,
            "next_try_at": due_at,
        },
    )
    if created and due_at <= now:
        wake_sender()
    return mail


def withdraw(*, dedupe_key_prefix: str, reason: str) -> int:
    """Take back what waits under these keys; tell how many. A row that is on the wire this moment is left to its
    sender (a page never waits for a mail server); should that fail, the next try composes and checks afresh."""
    with transaction.atomic():
        waiting = OutgoingMail.objects.waiting().filter(dedupe_key__startswith=dedupe_key_prefix)
        ids = list(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True))
        return OutgoingMail.objects.filter(pk__in=ids).update(
            state=MailState.WITHHELD, reason=reason, secret="", wiped_at=wiped_now()
        )


def wiped_now() -> Case:
    """For an UPDATE: the moment, on the rows that had a secret to wipe."""
    return Case(When(secret="", then="wiped_at"), default=Value(timezone.now()))


def wake_sender() -> None:
    """After the commit, once per transaction however many mails it wrote: the sweep would find them anyway."""
    if not any(entry[1] is _wake for entry in connection.run_on_commit):
        transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    tasks.enqueue(tasks.send_due_mail)
