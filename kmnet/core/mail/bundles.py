"""Several pieces of news in one mail. A bundle is a row of the kind BUNDLE; the pieces are rows of their own that have it
as their `lead`, are never claimed by themselves, and are composed anew, each, when it goes out."""

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kmnet.core.models.mail import BUNDLE, MailState, OutgoingMail
from kmnet.core.numbers import in_words

from .holding import Later, Wishes
from .kinds import CATEGORIES, Line, MailContent, MailKind, Withhold, get_kind, register

logger = logging.getLogger(__name__)

MOST = 40  # pieces told in one mail; more of them are counted, and are on the site
TRIES = 12  # of a piece that cannot be composed
NOTHING_LEFT = "nothing of it was left to be told"
CATEGORY_OF_HABITS = "watched"  # quiet hours and minutes are the same for all that can be bundled


@dataclass(frozen=True)
class Opening:
    """A bundle that one member needs: when it would be due if it has to be opened."""

    member: object
    due_at: datetime


def find_or_open(openings: Iterable[Opening]) -> dict[int, int]:
    """The waiting bundle of each of these members, by member; opened where there was none. One that waits already keeps
    its time. Two or three queries, however many they are; call it in the transaction that writes the pieces."""
    wanted = {opening.member.pk: opening for opening in openings}
    found: dict[int, int] = {}
    waiting = OutgoingMail.objects.waiting().filter(kind=BUNDLE)
    for _look in range(5):
        found |= dict(waiting.filter(member__in=wanted.keys() - found.keys()).values_list("member_id", "pk"))
        missing = sorted(wanted.keys() - found.keys())
        if not missing:
            return found
        # Where two open one at once, the unique index lets one in, and the other finds that at its next look.
        OutgoingMail.objects.bulk_create(
            [_bundle(wanted[pk]) for pk in missing], ignore_conflicts=True, batch_size=2000
        )
    raise RuntimeError("bundles that nobody can open or find")


def _bundle(opening: Opening) -> OutgoingMail:
    member = opening.member
    return OutgoingMail(
        kind=BUNDLE,
        member=member,
        dedupe_key=f"{BUNDLE}:{member.pk}:{uuid.uuid4().hex}",
        language=member.language,
        domain=member.email.rpartition("@")[2].lower(),
        due_at=opening.due_at,
        next_try_at=opening.due_at,
    )


@transaction.atomic
def gather_strays() -> int:
    """Pieces whose bundle has gone out without them, since they came while it was on the wire, get the next one; tell how
    many there were."""
    strays = OutgoingMail.objects.waiting().filter(lead__isnull=False).exclude(lead__state=MailState.WAITING)
    return _move(strays.select_for_update(skip_locked=True, no_key=True, of=("self",)))


def _move(pieces) -> int:
    """These waiting pieces get a bundle of their members' that waits, and not the one that they have."""
    rows = list(pieces.select_related("member").order_by("member_id", "pk")[:1000])
    if not rows:
        return 0
    members = {row.member_id: row.member for row in rows}
    wishes = Wishes(members.values(), {CATEGORY_OF_HABITS})
    now = timezone.now()
    openings = []
    for pk, own in groupby(rows, key=lambda row: row.member_id):
        wish = wishes.of(pk, CATEGORY_OF_HABITS)
        due_at = max([now + timedelta(minutes=wish.bundle_minutes), *(row.due_at for row in own)])
        openings.append(Opening(members[pk], wish.not_before(due_at)))
    leads = find_or_open(openings)
    for row in rows:
        row.lead_id = leads[row.member_id]
    return OutgoingMail.objects.bulk_update(rows, ["lead_id"])


# --- when it goes out ------------------------------------------------------------------------------------------------
@dataclass
class Unpacked:
    """What has become of the pieces of a bundle at this moment."""

    told: list[tuple[OutgoingMail, MailKind, MailContent]] = field(default_factory=list)
    left_out: list[tuple[OutgoingMail, str]] = field(default_factory=list)  # with the reason
    broken: list[tuple[OutgoingMail, str]] = field(
        default_factory=list
    )  # could not be composed; with the error


def unpack(lead: OutgoingMail, refuse_unwanted) -> Unpacked:
    """Compose each piece whose time has come. Raises Later where the receiver has quiet hours. The pieces are locked, so
    that nobody takes them back while they are on the wire."""
    pieces = lead.bundled.select_related("member").order_by("pk")
    if lead.state == MailState.WAITING:
        pieces = pieces.filter(state=MailState.WAITING)
        if not lead.is_preview:
            pieces = pieces.filter(due_at__lte=timezone.now())
            pieces = pieces.select_for_update(skip_locked=True, no_key=True, of=("self",))
    else:  # looked at afterwards
        pieces = pieces.filter(state=MailState.SENT)
    found = Unpacked()
    for piece in pieces:
        piece.member, piece.is_preview = lead.member, lead.is_preview
        try:
            with transaction.atomic():  # a query that fails must not spoil the others
                kind = get_kind(piece.kind)
                refuse_unwanted(piece, kind)
                content = kind.compose(piece)
                if content.line is None:
                    raise LookupError(f"mail kind {kind.key} gives no line")
        except Withhold as decision:
            found.left_out.append((piece, str(decision) or "withheld"))
        except Later:
            raise
        except Exception as error:
            logger.exception("mail %s of kind %s could not be composed for its bundle", piece.pk, piece.kind)
            found.broken.append((piece, f"could not be composed: {type(error).__name__}: {error}"))
        else:
            found.told.append((piece, kind, content))
    return found


def letter(lead: OutgoingMail, refuse_unwanted) -> tuple[OutgoingMail, MailKind, MailContent]:
    """What the mail says: all pieces together, or the only one as if it came by itself. Raises Withhold where none is
    left. What has become of each piece stands in `lead.unpacked`, for settle()."""
    lead.unpacked = found = unpack(lead, refuse_unwanted)
    if not found.told:
        reasons = {reason for _piece, reason in found.left_out}
        raise Withhold(f"{NOTHING_LEFT}: {reasons.pop()}" if len(reasons) == 1 else NOTHING_LEFT)
    if len(found.told) == 1:
        return found.told[0]
    return lead, get_kind(BUNDLE), together(found.told)


@dataclass
class About:
    """What is told of one thing, such as a thread."""

    lines: list[Line]

    @property
    def headline(self) -> str:
        return self.lines[0].headline

    @property
    def url(self) -> str:
        return self.lines[0].url


def together(told: list[tuple[OutgoingMail, MailKind, MailContent]]) -> MailContent:
    """In the order in which it happened, what is about one thing under one headline."""
    things: dict[str, list[Line]] = {}
    for piece, _kind, content in told[:MOST]:
        things.setdefault(content.line.about or f"mail:{piece.pk}", []).append(content.line)
    categories = [kind.category for _piece, kind, _content in told]
    most = max(set(categories), key=categories.count)
    answered = {content.reply_to for _piece, _kind, content in told}
    return MailContent(
        context={
            "things": [About(lines) for lines in things.values()],
            "count": len(told),
            "count_in_words": capfirst(in_words(len(told))),
            "more": max(0, len(told) - MOST),
            "categories": [CATEGORIES[key] for key in dict.fromkeys(categories)],
            "why": _("You get these together, so that we write to you less often."),
        },
        category=most,
        reply_to=answered.pop() if len(answered) == 1 else None,  # all are about one discussion
    )


def _never_by_itself(mail) -> MailContent:
    raise Withhold("a bundle is made of its pieces")


register(MailKind(BUNDLE, gettext_lazy("Several pieces of news"), "core/email/bundle", _never_by_itself))


def settle(lead: OutgoingMail) -> None:
    """Call it in the transaction that makes the bundle final: its pieces are what it is. What was left out says why, and
    what came too late for it, or could not be composed, waits in the next one."""
    found = getattr(lead, "unpacked", None)
    waiting = OutgoingMail.objects.waiting().filter(lead=lead)
    if found is None:  # nobody looked into it: its member gets no mail at all
        waiting.update(state=lead.state, reason=lead.reason)
        return
    told = [piece.pk for piece, *_rest in found.told]
    outcome = {"state": lead.state, "reason": lead.reason, "sent_at": lead.sent_at}
    if told and lead.state in (MailState.SENT, MailState.FAILED):
        waiting.filter(pk__in=told).update(attempts=F("attempts") + 1, **outcome)
    by_reason: dict[str, list[int]] = {}
    for piece, reason in found.left_out:
        by_reason.setdefault(reason, []).append(piece.pk)
    for reason, ids in by_reason.items():
        waiting.filter(pk__in=ids).update(state=MailState.WITHHELD, reason=reason)
    for piece, error in found.broken:
        waiting.filter(pk=piece.pk).update(attempts=F("attempts") + 1, reason=error)
    waiting.filter(attempts__gte=TRIES).update(state=MailState.FAILED)
    _move(waiting.select_for_update(skip_locked=True, no_key=True, of=("self",)))


def settle_cancelled(lead_ids: list[int], reason: str) -> None:
    """These bundles were taken back: so is what is in them."""
    OutgoingMail.objects.waiting().filter(lead__in=lead_ids).update(state=MailState.WITHHELD, reason=reason)
