"""What waits for an answer: an offer, a gift, whether they still come, the last call."""

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from kmnet.core import inbound
from kmnet.core.mail import MailContent, Withhold
from kmnet.core.models import OutgoingMail

from ... import times
from ...models import Registration, Status
from ...reminders import silent_until
from ...services.places import BECAME_FREE
from ..links import cancel_url, claim_url, join_url, offer_url, reconfirm_url
from .sharing import (
    comes_online,
    context_of,
    held_until,
    last_why,
    load,
    waiting_words,
    withdrawal,
    withhold_if_back,
)


def _open_offer(mail: OutgoingMail) -> Registration:
    registration = load(mail, Status.OFFERED)
    if not registration.has_open_offer():
        raise Withhold("the offer has ended")
    return registration


def _offer_context(registration: Registration, **more) -> dict:
    ends = registration.offer_expires_at
    return context_of(
        registration,
        until=times.until(ends),
        held_until=held_until(ends),
        offer_url=offer_url(registration),
        cancel_url=cancel_url(registration),
        **more,
    )


def offer(mail: OutgoingMail) -> MailContent:
    registration = _open_offer(mail)
    day = date_format(timezone.localtime(registration.joined_at), "j F")
    why = _("You get this because you joined the waiting list on %(day)s.") % {"day": day}
    more = last_why(registration) not in ("", BECAME_FREE)  # nobody has left
    return _answered_by_mail(mail, registration, _offer_context(registration, why=why, more_places=more))


def place_given(mail: OutgoingMail) -> MailContent:
    """To whom a place was given by name: they take it, or it goes on."""
    registration = _open_offer(mail)
    giver = registration.given_by.name if registration.given_by else ""
    why = _("You get this because %(name)s named you.") % {"name": giver or _("somebody")}
    context = _offer_context(registration, giver=giver or _("Somebody"), why=why)
    return _answered_by_mail(mail, registration, context)


def _answered_by_mail(mail: OutgoingMail, registration: Registration, context: dict) -> MailContent:
    """A member may take or pass on the place by a reply, too; not from a copy that somebody else looks at."""
    member = None if mail.is_preview else registration.member
    reply_to = inbound.reply_address(member=member, purpose="events.offer", target=registration)
    if reply_to:
        context["reply_line"] = _("“Yes” takes the place, “no” gives it to the next person.")
    return MailContent(context, reply_to=reply_to or None)


def offer_passed(mail: OutgoingMail) -> MailContent:
    registration = load(mail, Status.EXPIRED)
    withhold_if_back(registration)
    why = _("You get this because a place was held for you.")
    context = context_of(registration, why=why, is_open=registration.event.takes_registrations())
    return MailContent(context, withdrawal(registration))  # of who had a place once, and was silent


def reconfirm(mail: OutgoingMail) -> MailContent:
    """Are you still coming? Asked once per start; who has answered meanwhile is left alone."""
    registration = load(mail, Status.CONFIRMED)
    event = registration.event
    if mail.refs["starts_at"] != event.starts_at.isoformat():
        raise Withhold("the event has been moved")
    if (
        registration.said_yes_at
        and registration.asked_at
        and registration.said_yes_at >= registration.asked_at
    ):
        raise Withhold("the person has answered")
    if event.has_started():
        raise Withhold("the event has begun")
    return MailContent(
        context_of(
            registration,
            waiting_words=waiting_words(registration),
            answer_by=held_until(silent_until(event.starts_at, registration.asked_at or mail.created_at)),
            reconfirm_url=reconfirm_url(registration),
            why=_("You get this because you have a place. We ask once, three days before."),
        )
    )


def soft(mail: OutgoingMail) -> MailContent:
    """They did not answer: the place is offered on, and the way back stays open."""
    registration = load(mail, Status.SOFT)
    return MailContent(
        context_of(
            registration,
            waiting_words=waiting_words(registration),
            reconfirm_url=reconfirm_url(registration),
            join_url=join_url(registration) if comes_online(registration) else "",
            cancel_url=cancel_url(registration),
            why=_("You get this because you had a place and did not say whether you come."),
        )
    )


def all_hands(mail: OutgoingMail) -> MailContent:
    """The last hours: to everyone who still waits at once, and the first who presses has the place."""
    registration = load(mail, Status.WAITING, Status.EXPIRED)
    event = registration.event
    if event.has_started():
        raise Withhold("the event has begun")
    withhold_if_taken(registration)
    return MailContent(
        context_of(
            registration,
            starts=times.until(event.starts_at),
            claim_url=claim_url(registration),
            cancel_url=cancel_url(registration) if registration.status == Status.WAITING else "",
            why=_("You get this because you wanted a place and did not get one."),
        )
    )


def withhold_if_taken(registration: Registration) -> None:
    if registration.status == Status.EXPIRED:
        withhold_if_back(registration)
    event = registration.event
    if registration.way not in event.ways or event.occupancy(way=registration.way).is_full:
        raise Withhold("no place is free any more")
