"""How somebody stands: they have a place, wait, are asked about, or are off the list."""

from django.utils.translation import gettext as _

from kmnet.core.mail import MailContent
from kmnet.core.models import OutgoingMail

from ...models import RISEN, Status, Way
from ..links import cancel_url, join_url
from .sharing import comes_online, context_of, invitation, last_why, load, withdrawal, withhold_if_back


def confirmed(mail: OutgoingMail) -> MailContent:
    registration = load(mail, Status.CONFIRMED)
    online, guest = comes_online(registration), registration.member_id is None
    context = context_of(
        registration,
        cancel_url=cancel_url(registration),
        way_in_is_on_page=online and not guest,  # the page does not know a guest
        join_url=join_url(registration) if online and guest else "",
    )
    return MailContent(context, [invitation(registration)])


def waiting(mail: OutgoingMail) -> MailContent:
    registration = load(mail, Status.WAITING)
    earlier = registration.event.priority_from if registration.priority == RISEN else None
    full = {
        Way.ROOM: _("All places in the room are taken."),
        Way.ONLINE: _("All places online are taken."),
    }
    return MailContent(
        context_of(
            registration,
            position=registration.position(),
            full_words=full.get(registration.way, _("All places are taken.")),
            risen_from=earlier.title if earlier else "",
            cancel_url=cancel_url(registration),
            why=_("You get this because you joined the waiting list."),
        )
    )


def position(mail: OutgoingMail) -> MailContent:
    """They moved up far enough to be told; the number is that of the moment of sending."""
    registration = load(mail, Status.WAITING)
    place, before = registration.position(), mail.refs.get("before")
    return MailContent(
        context_of(
            registration,
            position=place,
            before=before if before and before > place else None,
            waiting_count=registration.event.occupancy(way=registration.way).waiting,
            cancel_url=cancel_url(registration),
            why=_("You get this because you are on the waiting list. We write when you have moved up a lot."),
        )
    )


def requested(mail: OutgoingMail) -> MailContent:
    registration = load(mail, Status.REQUESTED)
    return MailContent(context_of(registration))


def refused(mail: OutgoingMail) -> MailContent:
    """The organisers said no, and perhaps why."""
    registration = load(mail, Status.REMOVED, postponed=True)
    withhold_if_back(registration)
    reason = last_why(registration)
    return MailContent(context_of(registration, reason="" if reason == "not approved" else reason))


def recording(mail: OutgoingMail) -> MailContent:
    """A receipt; whoever had a place has an entry in their calendar, which ends with it."""
    registration = load(mail, Status.RECORDING, postponed=True)
    had_place = registration.confirmed_at is not None
    return MailContent(context_of(registration, had_place=had_place), withdrawal(registration))


def cancelled_by_you(mail: OutgoingMail) -> MailContent:
    registration = load(mail, Status.CANCELLED, Status.DECLINED, postponed=True)
    withhold_if_back(registration)
    why = _("You get this because you gave up your place or your turn.")
    had_place = registration.confirmed_at is not None
    return MailContent(context_of(registration, why=why, had_place=had_place), withdrawal(registration))


def place_passed_on(mail: OutgoingMail) -> MailContent:
    """The giver's receipt. It names nobody: whose address they typed is not theirs to learn."""
    registration = load(mail, Status.CANCELLED, postponed=True)
    withhold_if_back(registration)
    why = _("You get this because you gave your place to somebody.")
    return MailContent(context_of(registration, why=why), withdrawal(registration))


def removed(mail: OutgoingMail) -> MailContent:
    registration = load(mail, Status.REMOVED, postponed=True)
    withhold_if_back(registration)
    reason = last_why(registration)
    return MailContent(
        context_of(registration, reason="" if reason == "removed" else reason), withdrawal(registration)
    )
