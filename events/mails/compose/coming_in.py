"""For people without an account: the proof of an address, and invitations by name."""

from django.utils.translation import gettext as _

from kmnet.core.mail import MailContent, Withhold
from kmnet.core.models import OutgoingMail
from members.models import Member

from ...models import Event, EventInvitation, Registration, Status
from ..links import cancel_url, invited_url, offer_url, prove_url
from .sharing import check_event, context_of, event_context, load


def prove(mail: OutgoingMail) -> MailContent:
    registration = load(mail, Status.UNPROVEN)
    owner = Member.objects.filter(email__iexact=registration.guest_address).first()
    if owner is not None and not owner.is_active:
        raise Withhold("the address belongs to a member who may not sign in")
    if not registration.event.takes_registrations():
        raise Withhold("registration is closed")
    why = _("You get this because somebody, we hope you, typed this address to register.")
    return MailContent(context_of(registration, prove_url=prove_url(registration), why=why))


def known(mail: OutgoingMail) -> MailContent:
    registration = load(mail, *Status.live(), postponed=True)
    position = registration.position() if registration.status == Status.WAITING else None
    why = _("You get this because somebody, we hope you, typed this address to register.")
    open_offer = registration.has_open_offer()
    return MailContent(
        context_of(
            registration,
            position=position,
            offer_url=offer_url(registration) if open_offer else "",
            cancel_url=cancel_url(registration),
            why=why,
        )
    )


def organiser_added(mail: OutgoingMail) -> MailContent:
    """They organise it from now on, and can step down."""
    event, member = Event.objects.filter(pk=mail.refs.get("event")).first(), mail.member
    if event is None:
        raise Withhold("the event is gone")
    check_event(event, postponed=True)
    if not member.is_active or not event.organisers.filter(pk=member.pk).exists():
        raise Withhold("the receiver does not organise it any more")
    by = Member.objects.filter(pk=mail.refs.get("by")).first()
    context = event_context(event, name=member.name)
    context["by"] = by.name if by else ""
    context["desk_url"] = f"{context['event_url']}organise/"
    context["leave_url"] = f"{context['desk_url']}organisers/"
    context["why"] = _("You get this because another organiser named you.")
    return MailContent(context)


def invited(mail: OutgoingMail) -> MailContent:
    """Asked by name. A member goes to the event page; a guest's link is also the proof of their address."""
    asked = EventInvitation.objects.select_related("event", "member", "invited_by")
    invitation = asked.filter(pk=mail.refs.get("invitation")).first()
    if invitation is None:
        raise Withhold("the invitation was withdrawn")
    event, member = invitation.event, invitation.member
    check_event(event)
    if event.published_at is None:
        raise Withhold("the event is a draft")
    if event.has_started():
        raise Withhold("the event has begun")
    if member is not None and not member.is_active:
        raise Withhold("the member may not sign in any more")
    theirs = Registration.objects.live().filter(event=event)
    theirs = theirs.for_member(member) if member else theirs.for_address(invitation.guest_address)
    if theirs.exists():
        raise Withhold("the person has registered")
    context = event_context(event, name=member.name if member else "")
    context["inviter"] = invitation.invited_by.name if invitation.invited_by else ""
    context["answer_url"] = context["event_url"] if member else invited_url(invitation)
    context["why"] = _("You get this because the organisers of this event asked you by name.")
    return MailContent(context)
