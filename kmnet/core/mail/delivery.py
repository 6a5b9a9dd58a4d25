"""Sending what is due. Any number of workers may run it at once; a killed one loses nothing."""

import logging
import random
import time
from collections import Counter
from datetime import datetime, timedelta
from smtplib import (
    SMTPConnectError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from django.conf import settings
from django.core.mail import get_connection
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from kmnet.core import bounces
from kmnet.core.models.mail import BUNDLE, MailState, OutgoingMail

from . import bundles
from .holding import Later
from .kinds import Withhold, all_kinds, get_kind
from .message import build_message

logger = logging.getLogger(__name__)

# Gaps before the next try, in seconds. Both end after about 24 hours; then the mail is given up.
HOUR = 3600
SOON = [10, 30, 60, 120, 300, 600, 1200, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 8 * HOUR]
BULK = [60, 300, 900, 1800, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 8 * HOUR]
BATCH = 200
SLICE = 200  # rows of a kind that are prepared together
PREPARED_FOR = 60  # seconds
PATIENCE = (
    3  # connections refused, hung or broken in a row before a batch leaves the rest for the next wake-up
)


def send_due_mail(*, limit: int = BATCH) -> int:
    """Send what is due; return how many were tried."""
    bundles.gather_strays()
    turn = Turn()
    with Post() as post:
        for tried in range(limit):
            # The row lock is the claim; it goes with a killed worker, and another takes over.
            with transaction.atomic():
                mail = claim_next(turn)
                if mail is None:
                    return tried
                turn.prepare(mail, most=limit - tried)
                deliver(mail, post)
                turn.note(mail)
            if post.troubles >= PATIENCE:
                return tried + 1
    return limit


class Turn:
    """What one sender knows while it works through a batch: how many mails went out in the last minute, and what was
    prepared for the bulk that it sends next."""

    def __init__(self):
        self.counted_at = None
        self.sent: Counter[str] = Counter()  # by receiving domain
        self.prepared: dict[int, object] = {}
        self.prepared_at = 0.0
        self.urgent = [
            kind.key
            for kind in all_kinds()
            if not kind.bulk and kind.list_category is None and kind.key != BUNDLE
        ]

    def full_domains(self, now: datetime) -> list[str] | None:
        """To which domains no bulk may go for now; None: to none at all. Counted anew each second, as others send, too."""
        most, most_each = settings.MAIL_PER_MINUTE, settings.MAIL_PER_MINUTE_PER_DOMAIN
        if not most and not most_each:
            return []
        if self.counted_at is None or abs((now - self.counted_at).total_seconds()) >= 1:
            self.counted_at = now
            # What went out within another mail is none by itself.
            rows = OutgoingMail.objects.filter(
                state=MailState.SENT, sent_at__gt=now - timedelta(minutes=1), lead__isnull=True
            )
            self.sent = Counter(dict(rows.order_by().values_list("domain").annotate(Count("pk"))))
        if most and self.sent.total() >= most:
            return None
        return [domain for domain, count in self.sent.items() if most_each and domain and count >= most_each]

    def note(self, mail: OutgoingMail) -> None:
        if mail.state == MailState.SENT:
            self.sent[mail.domain] += 1

    def prepare(self, mail: OutgoingMail, *, most: int = SLICE) -> None:
        """For a row of a kind that prepares many at once: give it what was prepared, and prepare the next where nothing
        was. Without a lock: who sends which of them is decided later, one by one."""
        try:
            prepare = get_kind(mail.kind).prepare
        except LookupError:
            return
        if prepare is None or not mail.bulk:
            return
        if mail.pk not in self.prepared_now():
            slice_ = self.next_of(mail, min(SLICE, max(most, 1)) - 1)
            self.prepared_at = time.monotonic()
            try:
                with transaction.atomic():  # a query that fails must not spoil the claim
                    self.prepared = dict(prepare([mail, *slice_]))
            except Exception:  # each is then composed by itself, and the bad one alone fails
                logger.exception("%s mails of kind %s could not be prepared", len(slice_) + 1, mail.kind)
                self.prepared = dict.fromkeys([mail.pk, *(row.pk for row in slice_)])
        mail.prepared = self.prepared.pop(mail.pk, None)

    def prepared_now(self) -> dict[int, object]:
        if time.monotonic() - self.prepared_at >= PREPARED_FOR:
            self.prepared = {}
        return self.prepared

    def next_of(self, mail: OutgoingMail, count: int) -> list[OutgoingMail]:
        """Rows of this kind that are due. Somewhere among the first thousand, so that several workers seldom prepare the
        same ones."""
        due = OutgoingMail.objects.due(timezone.now()).filter(bulk=True, kind=mail.kind).exclude(pk=mail.pk)
        due = due.select_related("member")
        if count and (start := random.randrange(5) * SLICE):
            found = list(due[start : start + count])
            if len(found) == count:
                return found
        return list(due[:count])


def claim_next(turn: Turn | None = None) -> OutgoingMail | None:
    """Lock the next row that is due and that no other worker has: what cannot be switched off (codes, places at events)
    before news, and bulk when nothing else is due and the pace allows it.

    The lock lets others refer to the row and read it, so that no page waits for a mail server."""
    turn = turn or Turn()
    now = timezone.now()
    rows = OutgoingMail.objects.due(now).select_related("member")
    rows = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
    waited_for = rows.filter(bulk=False)
    mail = waited_for.filter(kind__in=turn.urgent).first() or waited_for.first()
    if mail is not None:
        return mail
    full = turn.full_domains(now)
    if full is None:
        return None
    bulk = rows.filter(bulk=True)
    if full:
        bulk = bulk.exclude(domain__in=full)
    if turn.prepared_now():
        mail = bulk.filter(pk__in=list(turn.prepared)).first()
    return mail or bulk.first()


def deliver(mail: OutgoingMail, post: "Post") -> None:
    """Compose and send one mail; never raises. Sent, withheld, the next try or the failure is on the row."""
    mail.attempts += 1
    try:
        with transaction.atomic():  # a query that fails in compose must not spoil the row's own transaction
            message = build_message(mail)
    except Withhold as decision:
        return finish(mail, MailState.WITHHELD, str(decision) or "withheld")
    except Later as decision:
        return put_off(mail, decision.until)
    except Exception as error:  # one bad row never stops the others
        logger.exception("mail %s of kind %s could not be composed", mail.pk, mail.kind)
        return try_later(mail, f"could not be composed: {type(error).__name__}: {error}")
    try:
        post.send(message)
    except Exception as error:
        reason = describe(error)
        if is_final(error):
            logger.warning("mail %s of kind %s was refused: %s", mail.pk, mail.kind, reason)
            if isinstance(error, SMTPRecipientsRefused):
                bounces.note_refusal(mail, reason)
            return finish(mail, MailState.FAILED, reason)
        if not isinstance(error, (SMTPException, OSError)):
            logger.exception("mail %s of kind %s could not be sent", mail.pk, mail.kind)
        return try_later(mail, reason)
    if mail.returned_before:
        bounces.note_good_send(mail)
    return finish(mail, MailState.SENT, "")


def finish(mail: OutgoingMail, state: str, reason: str) -> None:
    now = timezone.now()
    mail.state, mail.reason = state, shown(reason)
    mail.sent_at = now if state == MailState.SENT else None
    if mail.secret:
        mail.secret, mail.wiped_at = "", now
    mail.save(update_fields=["state", "reason", "attempts", "sent_at", "secret", "wiped_at"])
    if mail.kind == BUNDLE:
        bundles.settle(mail)


def put_off(mail: OutgoingMail, until: datetime) -> None:
    """The receiver has quiet hours. It was no try."""
    mail.attempts -= 1
    mail.due_at = mail.next_try_at = until
    mail.save(update_fields=["due_at", "next_try_at"])


def try_later(mail: OutgoingMail, reason: str) -> None:
    next_try_at = next_try(mail, timezone.now())
    if next_try_at is None:
        return finish(mail, MailState.FAILED, f"given up after {mail.attempts} tries: {reason}")
    mail.next_try_at, mail.reason = next_try_at, shown(reason)
    return mail.save(update_fields=["attempts", "next_try_at", "reason"])


def next_try(mail: OutgoingMail, now: datetime) -> datetime | None:
    gaps = BULK if mail.bulk else SOON
    if mail.attempts > len(gaps):
        return None
    return now + timedelta(seconds=gaps[mail.attempts - 1])


class Post:
    """One connection to the mail server for a whole batch, opened when first needed, and again after trouble."""

    def __init__(self):
        self.connection = None
        self.troubles = 0  # with the connection, in a row

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def send(self, message) -> None:
        try:
            if self.connection is None:
                self.open()
            message.connection = self.connection
            message.send()
        except BaseException as error:
            # Without a reply there is trouble with the connection, not with this mail.
            self.troubles = 0 if reply_code(error) else self.troubles + 1
            # A refused receiver leaves the server ready for the next mail. After all else, who knows what it expects.
            if not isinstance(error, SMTPRecipientsRefused) or reply_code(error) == 421:
                self.close()
            raise
        self.troubles = 0

    def open(self) -> None:
        connection = get_connection()
        try:
            connection.open()
        except Exception as error:
            raise ServerAway(describe(error)) from error
        self.connection = connection

    def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception:  # it is broken: that is why it is closed
                logger.debug("closing the mail connection failed", exc_info=True)


class ServerAway(SMTPException):
    """No connection, no greeting, no sign-in: says nothing about the mail, so it is always tried again."""


def is_final(error: Exception) -> bool:
    """A 5xx about this mail. Not about us: wrong credentials must not cost everybody their mail."""
    if isinstance(error, ServerAway | SMTPConnectError | SMTPHeloError):
        return False
    if isinstance(error, SMTPNotSupportedError):  # an address that this server cannot write
        return True
    return 500 <= reply_code(error) < 600 and reply_code(error) not in (530, 534, 535, 538)


def reply_code(error: Exception) -> int:
    if isinstance(error, SMTPRecipientsRefused):
        return next((code for code, _text in error.recipients.values()), 0)
    return error.smtp_code if isinstance(error, SMTPResponseException) else 0


def describe(error: Exception) -> str:
    """For the row: what the server said, or what happened."""
    if isinstance(error, SMTPRecipientsRefused):
        said = next(iter(error.recipients.values()), (0, b""))
        return f"the mail server refused the receiver: {said[0]} {text(said[1])}"
    if isinstance(error, SMTPResponseException):
        return f"the mail server said: {error.smtp_code} {text(error.smtp_error)}"
    if isinstance(error, ServerAway):
        return f"the mail server could not be reached: {error}"
    return f"{type(error).__name__}: {error}"


def text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def shown(reason: str) -> str:
    """As Postgres takes it, and an admin can read it."""
    return reason.replace("\x00", "")[:1000]
