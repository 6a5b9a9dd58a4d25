"""What comes back, and what follows from it: an address that returns our mail gets none until its owner proves it anew.

As Discourse counts: what is not taken for now 1, what is not taken at all 2, at 4 it is enough; each mail that goes out
well takes 0.1 away, and 30 days without a return all of it. A complaint is enough at once. An address is known by its hash
alone (SuppressedAddress), so that this outlasts the account, an import and a restored backup (`list_returning_addresses`).

Mail about signing in still goes out: it was asked for this moment, and without it nobody could come back in.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from . import activity, rows, tokens
from .fixed import Prepared
from .known_address import hash_of_address
from .models import MailReturn, OutgoingMail, SuppressedAddress
from .notices import COMPLAINT, HARD, SOFT, Notice, kind_of, parse_notices

logger = logging.getLogger(__name__)

WEIGHT = {SOFT: 1.0, HARD: 2.0}
LIMIT = 4.0
GOOD_SEND = 0.1
FORGOTTEN_AFTER = timedelta(days=30)
RETURNS_MAIL = "the address returns mail"  # the reason on the row, and its beginning for a complaint
RETURNED = "core.mail_returned"
PROVE_AGAIN = "core.prove_again"
PROOF_LASTS = timedelta(days=3)


# --- counting --------------------------------------------------------------------------------------------------------
def score_now(row: SuppressedAddress, now: datetime) -> float:
    return 0.0 if now - row.scored_at >= FORGOTTEN_AFTER else max(row.score, 0.0)


@transaction.atomic
def note_return(
    *,
    told_by: str,
    kind: str,
    address: str,
    mail: OutgoingMail | None = None,
    text: str = "",
    at: datetime | None = None,
) -> bool:
    """Count one return; False where it is known already. `told_by` is the notice's own id: the same one twice is one, and
    about one mail at most one bounce and one complaint count. Locks the row of the address; where that is enough its
    mail stops, and the member is told on the site."""
    now = at or timezone.now()
    digest = hash_of_address(address)
    if mail is not None:
        known = MailReturn.objects.filter(mail=mail, address_hash=digest)
        known = known.filter(kind=COMPLAINT) if kind == COMPLAINT else known.exclude(kind=COMPLAINT)
        if known.exists():
            return False
    told = MailReturn(
        told_by=told_by[:300],
        mail_id=mail.pk if mail else None,
        address_hash=digest,
        kind=kind,
        text=text.replace("\x00", "")[:2000],
        at=now,
    )
    if not rows.insert(told, unless="told_by"):
        return False
    SuppressedAddress.objects.bulk_create(
        [SuppressedAddress(address_hash=digest, scored_at=now)], ignore_conflicts=True
    )
    row = SuppressedAddress.objects.select_for_update().get(address_hash=digest)
    row.score, row.scored_at = score_now(row, now) + WEIGHT.get(kind, 0.0), now
    stops = row.suppressed_at is None and (kind == COMPLAINT or row.score >= LIMIT)
    if stops:
        row.suppressed_at, row.reason = now, "complaint" if kind == COMPLAINT else "bounces"
    row.save(update_fields=["score", "scored_at", "suppressed_at", "reason"])
    if stops:
        _tell(address, digest)
    return True


def _tell(address: str, digest: str) -> None:
    """A line under the bell, and the banner on every page, for the member who gets mail there."""
    members = get_user_model().objects
    for member in members.filter(email__iexact=address).exclude(status="erased"):
        members.filter(pk=member.pk).update(mail_returned_to=digest)
        activity.record(RETURNED, actor=None, target=member)


def returns_mail(member) -> bool:
    """Whether the address that the member has now returns our mail; asks nobody."""
    return bool(member.mail_returned_to) and member.mail_returned_to == hash_of_address(member.email)


def note_good_send(mail: OutgoingMail) -> None:
    """It went out. Only for mails of which `refusal` has noted that something came back from the address once."""
    SuppressedAddress.objects.filter(
        address_hash=hash_of_address(address_of(mail)), suppressed_at__isnull=True, score__gt=0
    ).update(score=Greatest(F("score") - GOOD_SEND, 0.0))


# Asked of each mail at the moment of sending. A reason is there where no mail goes.
_KNOWN = Prepared("SELECT reason FROM core_suppressedaddress WHERE address_hash = %s", ("text",))


def refusal(mail: OutgoingMail, category: str | None) -> str:
    """Why no mail of this category goes to the receiver's address; "" where it may. One query, and it notes on `mail`
    whether anything ever came back (`mail.returned_before`)."""
    found = _KNOWN.rows((hash_of_address(address_of(mail)),))
    mail.returned_before = bool(found)
    reason = found[0][0] if found else ""
    if not reason or category == "sign_in":
        return ""
    return f"{RETURNS_MAIL}: a mail was marked as spam" if reason == "complaint" else RETURNS_MAIL


def address_of(mail: OutgoingMail) -> str:
    return mail.member.email if mail.member_id else mail.address


# --- who tells it ----------------------------------------------------------------------------------------------------
def note_refusal(mail: OutgoingMail, said: str) -> None:
    """The mail server refused this receiver while we spoke with it, for good; never raises."""
    kind, told_by = kind_of("", said), f"smtp:{mail.message_id}"
    try:
        note_return(told_by=told_by, kind=kind, address=address_of(mail), mail=mail, text=said)
    except Exception:  # the mail's own row must not suffer
        logger.exception("the refusal of mail %s could not be counted", mail.pk)


def handle_notice(received) -> bool:
    """For kmnet.core.inbound: whether this ReceivedMail is a notice that we have noted. It counts where it came to the
    envelope sender of one of our mails, or holds the Message-ID of one: nobody else can know these."""
    from .mail import verp

    to_us = verp.is_bounce_address(received.recipient)
    notices = parse_notices(bytes(received.raw))
    if not notices:
        return to_us  # a vacation note, a delay: nothing to count, and nothing to answer
    mail_id = verp.mail_id_of(received.recipient)
    for number, notice in enumerate(notices):
        mail = _mail_of(mail_id, notice)
        if mail is None:
            logger.info("a notice names no mail of ours: received mail %s", received.pk)
            continue
        address = _meant(mail, notice.recipient)
        if not address:
            logger.info("a notice is about an address that its member left: received mail %s", received.pk)
            continue
        note_return(
            told_by=f"{received.message_id[:280]}#{number}",
            kind=notice.kind,
            address=address,
            mail=mail,
            text=notice.text,
        )
    return True


def _mail_of(mail_id: int | None, notice: Notice) -> OutgoingMail | None:
    found = OutgoingMail.objects.select_related("member")
    if mail_id is not None:
        return found.filter(pk=mail_id).first()
    if not notice.message_id:
        return None
    return found.filter(message_id=notice.message_id).first()


def _meant(mail: OutgoingMail, named: str, *, vouched: bool = False) -> str:
    """The address that we wrote to; "" where that is nobody's any more. The one that the notice names may lie behind it,
    where mail is forwarded, or be anybody's: who got a mail can write a notice about it. It counts where it is an address
    of the same member, or the provider vouches for it. The member's may be another one by now."""
    current = address_of(mail)
    if not named or named.lower() == current.lower():
        return current
    if mail.member_id and mail.member.emailaddress_set.filter(email__iexact=named).exists():
        return named
    if mail.domain and current.rpartition("@")[2].lower() != mail.domain.lower():
        return named if vouched else ""
    return current


def note_event(event, esp_name: str) -> bool:
    """What a provider of mail tells by its webhook (a tracking event of anymail, whose secret was checked)."""
    kinds = {"bounced": HARD, "rejected": HARD, "complained": COMPLAINT}
    if event.event_type not in kinds or not event.recipient:
        return False
    kind, said = kinds[event.event_type], " ".join(filter(None, (event.mta_response, event.description)))
    if kind == HARD:
        if event.reject_reason in ("spam", "blocked", "unsubscribed"):
            kind = COMPLAINT if event.reject_reason == "spam" else SOFT
        elif event.reject_reason not in ("invalid",) or said:
            kind = kind_of("", said) if said else (SOFT if event.reject_reason == "timed_out" else HARD)
    mail = None
    if event.message_id:
        wanted = {str(event.message_id), f"<{str(event.message_id).strip('<>')}>"}
        mail = OutgoingMail.objects.select_related("member").filter(message_id__in=wanted).first()
    when = event.timestamp.isoformat() if event.timestamp else ""
    told_by = (
        event.event_id or f"{event.message_id}:{event.event_type}:{hash_of_address(event.recipient)}:{when}"
    )
    return note_return(
        told_by=f"{esp_name}:{told_by}",
        kind=kind,
        address=_meant(mail, event.recipient, vouched=True) if mail else event.recipient,
        mail=mail,
        text=said,
    )


def on_tracking(sender, event, esp_name, **_signal) -> None:
    note_event(event, esp_name)


# --- it works again --------------------------------------------------------------------------------------------------
def ask_for_proof(*, member) -> bool:
    """Send the mail whose button proves that the member's address takes mail; at most one an hour. False where nothing
    came back from it."""
    from . import mail

    digest = hash_of_address(member.email)
    if not SuppressedAddress.objects.filter(address_hash=digest, suppressed_at__isnull=False).exists():
        _forget(digest)
        return False
    hour = timezone.now().strftime("%Y%m%d%H")
    mail.queue(PROVE_AGAIN, member=member, dedupe_key=f"{PROVE_AGAIN}:{member.pk}:{digest[:12]}:{hour}")
    return True


def proof_token(member) -> str:
    return tokens.make("works-again", lifetime=PROOF_LASTS, m=member.pk, h=hash_of_address(member.email))


@transaction.atomic
def works_again(*, address_hash: str) -> bool:
    """Somebody read a mail there and pressed its button: mail goes to it again. False where it did already. Locks the
    row of the address."""
    row = SuppressedAddress.objects.select_for_update().filter(address_hash=address_hash).first()
    _forget(address_hash)
    if row is None or row.suppressed_at is None:
        return False
    row.score, row.suppressed_at, row.reason = 0.0, None, ""
    row.save(update_fields=["score", "suppressed_at", "reason"])
    return True


def _forget(address_hash: str) -> None:
    get_user_model().objects.filter(mail_returned_to=address_hash).update(mail_returned_to="")


# --- a copy apart from the backups -----------------------------------------------------------------------------------
def list_suppressed() -> list[str]:
    """One line an address, by its hash: since when, and why."""
    found = SuppressedAddress.objects.filter(suppressed_at__isnull=False).order_by("suppressed_at", "pk")
    return [f"{row.address_hash} {row.suppressed_at.isoformat()} {row.reason}" for row in found]


def replay_suppressed(lines: Iterable[str]) -> int:
    """After a backup was restored: no mail to these either; how many that is new for. Raises ValueError at a line that is
    none of ours; safe to repeat."""
    wanted = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            digest, since, reason = line.split()
            moment = datetime.fromisoformat(since)
        except ValueError as error:
            raise ValueError(f"line {number} is no line of list_returning_addresses") from error
        if len(digest) != 64 or reason not in ("bounces", "complaint") or moment.tzinfo is None:
            raise ValueError(f"line {number} is no line of list_returning_addresses")
        wanted[digest] = (moment, reason)
    changed = 0
    with transaction.atomic():
        for digest, (moment, reason) in sorted(wanted.items()):
            row, _new = SuppressedAddress.objects.select_for_update().get_or_create(
                address_hash=digest, defaults={"scored_at": moment}
            )
            if row.suppressed_at is None:
                row.suppressed_at, row.reason = moment, reason
                row.save(update_fields=["suppressed_at", "reason"])
                changed += 1
        _mark_members(wanted)
    return changed


def _mark_members(digests) -> None:
    members = get_user_model().objects
    for pk, address in members.exclude(status="erased").values_list("pk", "email").iterator():
        if (digest := hash_of_address(address)) in digests:
            members.filter(Q(pk=pk)).update(mail_returned_to=digest)


activity.register(
    activity.ActivityType(
        verb=RETURNED,
        template="core/activity/_mail_returned.html",
        audience=lambda deed: [deed.target.pk],
        official=True,
    )
)
