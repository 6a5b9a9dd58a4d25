"""What becomes of a message that was taken in. Each row is claimed by its lock; the deed, the row's end and the answer to
the sender are one transaction, so a worker that is killed has done all of it or nothing."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation

from kmnet.core import jobs, tasks
from kmnet.core import mail as outbox
from kmnet.core.audit import record_act
from kmnet.core.forms import POST_LENGTH
from kmnet.core.known_address import hash_of_address
from kmnet.core.models import OutgoingMail, ReceivedMail, ReplyAddress
from kmnet.core.models.mail import BUNDLE, MailState
from kmnet.core.ratelimit import allow

from . import proof, registry
from .addresses import LOCAL_PART
from .automatic import why_automatic
from .reading import ReadMail, read
from .registry import Done, Refused, Reply

BATCH = 50
MOST_TRIES = 6
MOST_REFUSALS = 30  # mails about them to one member a day
STRANGERS = 3  # mails by others to a reply address, after which it does not work any more: it was forwarded
NAMESPACE = uuid.UUID("5f5b8f2e-6f2b-4c53-9d1a-0d1f3a1b7c55")
State = ReceivedMail.State


class Dropped(Exception):
    """Nothing is done, and nobody is told."""

    def __init__(self, code: str, note: str = ""):
        super().__init__(code)
        self.code, self.note = code, note


@dataclass
class Found:
    """Whom the mail is from and what it is to: filled as it becomes known, and kept when it is refused."""

    mail: ReadMail
    member: object = None
    address: ReplyAddress | None = None


def due(now) -> QuerySet[ReceivedMail]:
    return ReceivedMail.objects.filter(state=State.WAITING, next_try_at__lte=now).order_by(
        "next_try_at", "pk"
    )


def work_on_received(*, limit: int = BATCH) -> int:
    """Work on what waits; return how many were served. Any number of workers may run it at once."""
    return jobs.serve(due(timezone.now()), work_on, limit=limit)


def work_on(received: ReceivedMail) -> None:
    """One of them, whose row the caller has locked. What failed is on the row, with the next try."""
    found = Found(ReadMail())
    try:
        with transaction.atomic():
            found.mail = read(bytes(received.raw))
            received.authenticated = proof.proven_by(found.mail)[:20]
            try:
                with transaction.atomic():
                    done = carry_out(received, found)
                finish(received, found, State.HELD if done.held else State.DONE, done=done)
            except Refused as refusal:
                finish(received, found, State.REJECTED, reason=refusal.code, note=refusal.sentence)
                if refusal.code == "not_yours":
                    revoke_if_forwarded(found.address, received)
                tell_refused(received, found, refusal)
            except Dropped as dropped:
                finish(received, found, State.DROPPED, reason=dropped.code, note=dropped.note)
    except Exception as error:  # its next try is on the row, and the others are worked on
        put_off(received, found, error)
        jobs.note_failure(str(received), error)


def put_off(received: ReceivedMail, found: Found, error: Exception) -> None:
    """Again after 1, 4, 16, 64 and 256 minutes; then its sender is told."""
    received.result_id = received.result_type = None
    received.state, received.reason, received.done_at = State.WAITING, "", None
    received.member = found.member
    received.attempts += 1
    received.note = type(error).__name__  # what it says may name people
    received.next_try_at = timezone.now() + timedelta(minutes=4 ** (received.attempts - 1))
    if received.attempts >= MOST_TRIES:
        received.state, received.reason, received.done_at = State.REJECTED, "error", timezone.now()
        if received.member_id:
            queue_refusal(received, member=received.member)
    received.save(
        update_fields=[
            "attempts",
            "note",
            "next_try_at",
            "state",
            "reason",
            "done_at",
            "authenticated",
            "member",
        ]
    )


def try_again(received: ReceivedMail, *, actor) -> bool:
    """Have it worked on now: one that waits for its next try, or was given up after an error. Whether it will be."""
    with transaction.atomic():
        row = ReceivedMail.objects.select_for_update().get(pk=received.pk)
        if row.state != State.WAITING and row.reason != "error":
            return False
        row.state, row.reason, row.attempts = State.WAITING, "", 0
        row.next_try_at, row.done_at = timezone.now(), None
        row.save(update_fields=["state", "reason", "attempts", "next_try_at", "done_at"])
        record_act(actor=actor, verb="core.received_mail_tried_again", target=row)
        tasks.enqueue(tasks.work_on_received)
    return True


def finish(
    received: ReceivedMail, found: Found, state: str, *, reason="", note="", done: Done | None = None
) -> None:
    received.state, received.reason, received.note = state, reason, note
    received.member = found.member
    received.done_at = timezone.now()
    if done is not None:
        received.reason = "unproven" if done.held else ""
        if done.result is not None:
            received.result_type = ContentType.objects.get_for_model(done.result)
            received.result_id = done.result.pk
        received.raw = b""  # the words are where they belong
        if done.tell:
            queue_receipt(received, done)
    elif state == State.DROPPED:
        received.raw = b""
    received.save()


def carry_out(received: ReceivedMail, found: Found) -> Done:
    """Raises Refused and Dropped."""
    mail = found.mail
    local = received.recipient.rpartition("@")[0]
    automatic = why_automatic(mail)
    if local.partition("+")[0] == "bounces" or automatic:
        if any(handler(received) for handler in registry.notice_handlers()):
            return Done()
        raise Dropped("automatic", automatic or "to the address of notices")
    if not mail.sender:
        raise Dropped("no_sender")
    if local.startswith(LOCAL_PART):
        return answer(received, found, local.removeprefix(LOCAL_PART))
    return write_to_mailbox(received, found, local)


def answer(received: ReceivedMail, found: Found, token: str) -> Done:
    """A reply to something, by the member whom its address was given to."""
    address = ReplyAddress.objects.select_related("member", "target_type").filter(token=token).first()
    sender = member_of(found.mail.sender)
    found.member, found.address = sender, address
    if address is None:
        raise Refused("address_unknown")
    if sender is None or sender.pk != address.member_id:
        raise Refused("not_yours")
    if address.revoked_at is not None or address.expires_at <= received.received_at:
        raise Refused("address_ended")
    purpose = registry.get_purpose(address.purpose)
    model = address.target_type.model_class()
    target = model._base_manager.filter(pk=address.target_id).first() if model else None
    if purpose is None or target is None:
        raise Refused("gone")
    check_readable(found.mail)
    return act(purpose.handle, received, found, target=target)


def write_to_mailbox(received: ReceivedMail, found: Found, local: str) -> Done:
    name, _plus, detail = local.partition("+")
    mailbox = registry.get_mailbox(name)
    found.member = member_of(found.mail.sender)
    if name == "no-reply":
        raise Refused("no_reply")
    if mailbox is None:
        raise Refused("address_unknown")
    if found.member is None:
        raise Refused("unknown_sender")
    check_readable(found.mail)
    return act(mailbox.handle, received, found, detail=detail)


def act(handle, received: ReceivedMail, found: Found, **about) -> Done:
    mail = found.mail
    if proof.is_forged(mail):
        raise Refused("forged")
    if not found.member.is_active:
        raise Refused("account")  # also by an address that was made while they were suspended
    with translation.override(found.member.language):
        return handle(
            Reply(
                member=found.member,
                text=mail.body.words,
                cut=mail.body.cut,
                subject=mail.subject,
                attachments=mail.attachments,
                submit_key=uuid.uuid5(NAMESPACE, f"received:{received.pk}"),
                authenticated=bool(received.authenticated),
                answers=mail_answered(mail, found.member),
                **about,
            )
        )


def check_readable(mail: ReadMail) -> None:
    if mail.is_unreadable:
        raise Refused("unreadable")
    if mail.is_encrypted:
        raise Refused("encrypted")
    if len(mail.body.words) > POST_LENGTH:
        raise Refused("too_long")
    if not mail.body.words.strip() and not mail.attachments:
        raise Refused("empty" if mail.body.was_empty else "only_quoted")


def mail_answered(mail: ReadMail, member) -> OutgoingMail | None:
    """The mail of ours that this answers, by its Message-ID; of one that was to hold several and held one, that one."""
    named = f"{mail.first('in-reply-to')} {mail.first('references')}".split()
    found = OutgoingMail.objects.filter(message_id__in=named[:50], member=member).order_by("-pk").first()
    if found is not None and found.kind == BUNDLE:
        pieces = found.bundled.filter(state=MailState.SENT)[:2]
        return pieces[0] if len(pieces) == 1 else found
    return found


def member_of(address: str):
    """The member who has proven this address. (An account that is gone has proven none.)"""
    found = EmailAddress.objects.filter(email__iexact=address, verified=True).select_related("user").first()
    return found.user if found else None


def revoke_if_forwarded(address: ReplyAddress, received: ReceivedMail) -> None:
    """Others write to it again and again: it has gone round. This mail is among those counted."""
    strangers = ReceivedMail.objects.filter(recipient=received.recipient, reason="not_yours")
    if strangers.count() >= STRANGERS:
        live = ReplyAddress.objects.filter(pk=address.pk, revoked_at=None)
        live.update(revoked_at=timezone.now(), revoked_for="forwarded")


def tell_refused(received: ReceivedMail, found: Found, refusal: Refused) -> None:
    """A mail to who wrote, with the reason and their words; to somebody whom we do not know once a day, and not at all
    where nothing proves that they wrote."""
    if found.member is not None:
        queue_refusal(received, member=found.member)
        return
    if not received.authenticated and (refusal.code != "not_yours" or found.address.revoked_at):
        return  # the address may be anybody's; a few are told before a reply address that goes round has ended
    day = timezone.now().date().isoformat()
    queue_refusal(
        received,
        address=found.mail.sender,
        dedupe_key=f"core.inbound_rejected:{hash_of_address(found.mail.sender)}:{day}",
    )


def queue_refusal(received: ReceivedMail, *, dedupe_key: str = "", **receiver) -> None:
    member = receiver.get("member")
    if member is not None and not allow(f"inbound-refusal:{member.pk}", limit=MOST_REFUSALS, seconds=86_400):
        return  # no person writes so many: their mail program answers ours
    outbox.queue(
        "core.inbound_rejected",
        dedupe_key=dedupe_key or f"core.inbound_rejected:{received.pk}",
        refs={"received": received.pk},
        **receiver,
    )


def queue_receipt(received: ReceivedMail, done: Done) -> None:
    outbox.queue(
        "core.inbound_receipt",
        member=received.member,
        dedupe_key=f"core.inbound_receipt:{received.pk}",
        refs={"received": received.pk, "tell": str(done.tell), "url": done.url},
    )
