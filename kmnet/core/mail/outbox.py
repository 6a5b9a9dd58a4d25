"""Writing rows into the outbox, and taking them back."""

from datetime import datetime

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Lower
from django.utils import timezone, translation

from kmnet.core import rows, tasks
from kmnet.core.audit import record_act
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
    mail = OutgoingMail(
        dedupe_key=dedupe_key,
        kind=kind.key,
        member=member,
        address=address or "",
        refs=refs or {},
        secret=encrypt(secrets) if secrets else "",
        language=member.language if member else translation.get_language() or "en",
        bulk=kind.bulk,
        due_at=due_at,
        next_try_at=due_at,
    )
    created = rows.insert(mail, unless="dedupe_key")
    if not created:
        mail = OutgoingMail.objects.get(dedupe_key=dedupe_key)
    if created and due_at <= now:
        wake_sender()
    return mail


def hasten(*, dedupe_key: str) -> bool:
    """Send now what waits for its time under this key; whether anything does."""
    now = timezone.now()
    waiting = OutgoingMail.objects.waiting().filter(dedupe_key=dedupe_key, due_at__gt=now)
    if not waiting.update(due_at=now, next_try_at=now):
        return False
    wake_sender()
    return True


def withdraw(*, dedupe_key_prefix: str, reason: str) -> int:
    """Take back what waits under these keys; tell how many. A row that is on the wire this moment is left to its
    sender (a page never waits for a mail server); should that fail, the next try composes and checks afresh."""
    with transaction.atomic():
        waiting = OutgoingMail.objects.waiting().filter(dedupe_key__startswith=dedupe_key_prefix)
        ids = list(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True))
        return OutgoingMail.objects.filter(pk__in=ids).update(
            state=MailState.WITHHELD, reason=reason, secret="", wiped_at=wiped_now()
        )


class CannotResend(Exception):
    """Its one-time secret is wiped: whoever needs it must ask for a new one."""


@transaction.atomic
def resend(mail: OutgoingMail, *, actor, reason: str) -> OutgoingMail:
    """Send again what was given up or withheld; of what was sent, a copy with a Message-ID of its own. It is composed
    and checked afresh, as always."""
    mail = OutgoingMail.objects.select_for_update().get(pk=mail.pk)
    if mail.wiped_at is not None:
        raise CannotResend
    now = timezone.now()
    if mail.state == MailState.SENT:
        again = OutgoingMail.objects.filter(dedupe_key__startswith=f"{mail.dedupe_key}:again:").count() + 1
        mail = OutgoingMail.objects.create(
            kind=mail.kind,
            member_id=mail.member_id,
            address=mail.address,
            dedupe_key=f"{mail.dedupe_key}:again:{again}",
            refs=mail.refs,
            language=mail.language,
            bulk=mail.bulk,
            due_at=now,
            next_try_at=now,
        )
    else:
        mail.state, mail.attempts, mail.next_try_at, mail.reason = MailState.WAITING, 0, now, ""
        mail.save(update_fields=["state", "attempts", "next_try_at", "reason"])
    record_act(actor=actor, verb="core.mail_resent", target=mail, reason=reason)
    wake_sender()
    return mail


@transaction.atomic
def cancel(mail: OutgoingMail, *, actor, reason: str) -> bool:
    """Withhold what still waits; whether it did. One that is on the wire this moment is not."""
    waiting = OutgoingMail.objects.waiting().filter(pk=mail.pk)
    if not waiting.select_for_update(skip_locked=True):
        return False
    waiting.update(
        state=MailState.WITHHELD, reason=f"cancelled by an admin: {reason}", secret="", wiped_at=wiped_now()
    )
    record_act(actor=actor, verb="core.mail_cancelled", target=mail, reason=reason)
    return True


@transaction.atomic
def forget_person(*, member=None, addresses=()) -> int:
    """Remove every row that leads to this person: part of deleting an account."""
    about = Q(lowered__in=[address.lower() for address in addresses])
    if member is not None:
        about |= Q(member=member) | Q(refs__member=member.pk)
    return OutgoingMail.objects.annotate(lowered=Lower("address")).filter(about).delete()[0]


def wiped_now() -> Case:
    """For an UPDATE: the moment, on the rows that had a secret to wipe."""
    return Case(When(secret="", then="wiped_at"), default=Value(timezone.now()))


def wake_sender() -> None:
    """After the commit, once per transaction however many mails it wrote: the sweep would find them anyway."""
    if not any(entry[1] is _wake for entry in connection.run_on_commit):
        transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    """One call that nobody has heard yet is enough: the sender looks for due rows after it took the note away."""
    if cache.add(tasks.SENDER_IS_CALLED, 1, timeout=10):
        tasks.enqueue(tasks.send_due_mail)
