"""Writing rows into the outbox, and taking them back."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Lower
from django.utils import timezone, translation

from kmnet.core import rows, tasks
from kmnet.core.audit import record_act
from kmnet.core.models.mail import BUNDLE, MailState, OutgoingMail

from . import bundles
from .choices import wants
from .holding import Wishes
from .kinds import How, MailKind, get_kind
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
    sending. A guest's zone may be given as refs["time_zone"]. What its receiver has switched off is written, too, with
    the reason, and not sent; what they want bundled joins their bundle; what falls into their quiet hours waits."""
    kind = get_kind(kind_key)
    if (member is None) == (not address):
        raise ValueError("a mail goes to a member or to an address")
    if member is not None and kind.list_category is not None and not secrets:
        queue_many(
            kind_key,
            [member],
            dedupe_key=lambda _member: dedupe_key,
            refs=lambda _member: refs,
            due_at=due_at,
        )
        return OutgoingMail.objects.get(dedupe_key=dedupe_key)
    now = timezone.now()
    due_at = due_at or now
    is_off = bool(address and kind.list_category and not wants(kind.category, address=address))
    mail = OutgoingMail(
        dedupe_key=dedupe_key,
        kind=kind.key,
        member=member,
        address=address or "",
        refs=refs or {},
        secret=encrypt(secrets) if secrets else "",
        language=member.language if member else translation.get_language() or "en",
        bulk=kind.bulk,
        domain=domain_of(address or member.email),
        due_at=due_at,
        next_try_at=due_at,
        state=MailState.WITHHELD if is_off else MailState.WAITING,
        reason=f"switched off by the receiver: {kind.category}" if is_off else "",
    )
    created = rows.insert(mail, unless="dedupe_key")
    if not created:
        mail = OutgoingMail.objects.get(dedupe_key=dedupe_key)
    if created and due_at <= now:
        wake_sender()
    return mail


def queue_many(
    kind_key: str,
    members: Iterable,
    *,
    dedupe_key: Callable[[object], str],
    refs: Callable[[object], dict | None],
    due_at: datetime | None = None,
) -> int:
    """As queue(), for many members at once; both functions get a member. Returns how many rows were written (those whose
    key was known are not). A handful of queries, as many for a thousand members as for one."""
    kind = get_kind(kind_key)
    keys = {dedupe_key(member): member for member in members}
    for known in OutgoingMail.objects.filter(dedupe_key__in=list(keys)).values_list("dedupe_key", flat=True):
        del keys[known]
    if not keys:
        return 0
    now = timezone.now()
    due_at = due_at or now
    drafts = [_draft(kind, member, key, refs(member) or {}, due_at) for key, member in keys.items()]
    if kind.list_category is not None:
        _as_wished(kind, drafts, now)
    OutgoingMail.objects.bulk_create(drafts, ignore_conflicts=True, batch_size=2000)
    if any(row.state == MailState.WAITING and row.lead_id is None and row.due_at <= now for row in drafts):
        wake_sender()
    return len(drafts)


def _draft(kind: MailKind, member, key: str, refs: dict, due_at: datetime) -> OutgoingMail:
    return OutgoingMail(
        dedupe_key=key,
        kind=kind.key,
        member=member,
        refs=refs,
        language=member.language,
        bulk=kind.bulk,
        domain=domain_of(member.email),
        due_at=due_at,
        next_try_at=due_at,
    )


def _as_wished(kind: MailKind, drafts: list[OutgoingMail], now: datetime) -> None:
    """Withheld, bundled, after the quiet hours or at once: as each receiver wants it."""
    wishes = Wishes((row.member for row in drafts), {kind.category})
    bundled: dict[int, list[OutgoingMail]] = {}
    openings = []
    for row in drafts:
        wish = wishes.of(row.member_id, kind.category)
        if reason := wish.refusal(row.due_at):
            row.state, row.reason = MailState.WITHHELD, reason
        elif wish.how == How.BUNDLED and kind.bundles:
            bundled.setdefault(row.member_id, []).append(row)
            ready = max(now + timedelta(minutes=wish.bundle_minutes), row.due_at)
            openings.append(bundles.Opening(row.member, wish.not_before(ready)))
        else:
            row.due_at = row.next_try_at = wish.not_before(row.due_at)
    if openings:
        leads = bundles.find_or_open(openings)
        for pk, rows_ in bundled.items():
            for row in rows_:
                row.lead_id = leads[pk]


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def hasten(*, dedupe_key: str) -> bool:
    """Send now what waits for its time under this key; whether anything does."""
    now = timezone.now()
    waiting = OutgoingMail.objects.waiting().filter(dedupe_key=dedupe_key, due_at__gt=now, lead__isnull=True)
    if not waiting.update(due_at=now, next_try_at=now):
        return False
    wake_sender()
    return True


def withdraw(*, dedupe_key_prefix: str, reason: str) -> int:
    """Take back what waits under these keys; tell how many. A row that is on the wire this moment is left to its
    sender (a page never waits for a mail server); should that fail, the next try composes and checks afresh."""
    with transaction.atomic():
        waiting = OutgoingMail.objects.waiting().filter(dedupe_key__startswith=dedupe_key_prefix)
        ids = list(waiting.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
        return OutgoingMail.objects.filter(pk__in=ids).update(
            state=MailState.WITHHELD, reason=reason, secret="", wiped_at=wiped_now()
        )


class CannotResend(Exception):
    """Its one-time secret is wiped: whoever needs it must ask for a new one."""


@transaction.atomic
def resend(mail: OutgoingMail, *, actor, reason: str) -> OutgoingMail:
    """Send again what was given up or withheld; of what was sent, a copy with a Message-ID of its own. It is composed
    and checked afresh, as always. A piece of a bundle goes by itself, a bundle with all its pieces."""
    mail = OutgoingMail.objects.select_for_update(no_key=True).get(pk=mail.pk)
    if mail.wiped_at is not None:
        raise CannotResend
    now = timezone.now()
    if mail.kind == BUNDLE:
        mail = _bundle_again(mail, now)
    elif mail.state == MailState.SENT:
        mail = _copy_of(mail, now)
        mail.save()
    else:
        _wait_again(mail, now)
        mail.save(update_fields=["state", "attempts", "next_try_at", "reason", "lead"])
    record_act(actor=actor, verb="core.mail_resent", target=mail, reason=reason)
    wake_sender()
    return mail


def _bundle_again(bundle: OutgoingMail, now: datetime) -> OutgoingMail:
    """Its pieces in the bundle of this member that waits, or in a new one, which goes out now. Raises CannotResend where
    none of them are kept."""
    pieces = list(bundle.bundled.select_related("member").order_by("pk"))
    if not pieces:
        raise CannotResend
    lead = bundles.find_or_open([bundles.Opening(pieces[0].member, now)])[bundle.member_id]
    for piece in pieces:
        if piece.state == MailState.SENT:
            piece = _copy_of(piece, now)
        else:
            _wait_again(piece, now)
        piece.lead_id = lead
        piece.save()
    OutgoingMail.objects.filter(pk=lead).update(due_at=now, next_try_at=now)
    return OutgoingMail.objects.get(pk=lead)


def _copy_of(mail: OutgoingMail, now: datetime) -> OutgoingMail:
    again = OutgoingMail.objects.filter(dedupe_key__startswith=f"{mail.dedupe_key}:again:").count() + 1
    return OutgoingMail(
        kind=mail.kind,
        member_id=mail.member_id,
        address=mail.address,
        dedupe_key=f"{mail.dedupe_key}:again:{again}",
        refs=mail.refs,
        language=mail.language,
        bulk=mail.bulk,
        domain=mail.domain,
        due_at=now,
        next_try_at=now,
    )


def _wait_again(mail: OutgoingMail, now: datetime) -> None:
    mail.state, mail.attempts, mail.next_try_at, mail.reason = MailState.WAITING, 0, now, ""
    mail.lead = None


@transaction.atomic
def cancel(mail: OutgoingMail, *, actor, reason: str) -> bool:
    """Withhold what still waits; whether it did. One that is on the wire this moment is not."""
    waiting = OutgoingMail.objects.waiting().filter(pk=mail.pk)
    if not waiting.select_for_update(skip_locked=True, no_key=True):
        return False
    because = f"cancelled by an admin: {reason}"
    waiting.update(state=MailState.WITHHELD, reason=because, secret="", wiped_at=wiped_now())
    if mail.kind == BUNDLE:
        bundles.settle_cancelled([mail.pk], because)
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
