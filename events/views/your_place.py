"""One page for all that can be done with a place, or a turn: members have it on the site, everybody behind the link in
their mails. Opening it changes nothing; each of its buttons is a POST."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kmnet.core import kept_text
from members.models import Member

from .. import services, times
from ..forms import DetailsForm, TransferForm
from ..forms.registering import ways_of
from ..models import Event, Registration, Status
from ..services import places

TURNS = (Status.CONFIRMED, Status.WAITING, Status.OFFERED, Status.SOFT)  # they come, or would like to
REFUSED = {
    "off": gettext_lazy("The organisers do not allow that at this event."),
    "place": gettext_lazy("You hold no place that you could give away."),
    "silenced": gettext_lazy("You cannot write to others just now. You can give your place up."),
    "late": gettext_lazy(
        "It is too near the start for that. Give your place up instead, and somebody else gets it."
    ),
    "waiting": gettext_lazy(
        "Somebody waits for a place by now. Give your place up instead, and it goes to them."
    ),
    "often": gettext_lazy(
        "You have given several places away today. Give this one up, or try again tomorrow."
    ),
    "self": gettext_lazy("This is you. Name somebody else."),
    "person": gettext_lazy("They cannot take this place. Name somebody else."),
}
AFTER_ALL = {
    Status.CONFIRMED: gettext_lazy("Done. You have a place."),
    Status.WAITING: gettext_lazy("Done. You are on the waiting list."),
    Status.REQUESTED: gettext_lazy("Done. The organisers have your request."),
}
DEEDS = {}


def deed(name: str):
    """Registers what the button with this value does: it gets the page, acts, and returns what to say."""

    def register(function):
        DEEDS[name] = function
        return function

    return register


class PlacePage:
    """What the page shows, and what became of the press of a button."""

    def __init__(self, request, registration: Registration, *, actor: Member | None = None):
        self.request, self.actor = request, actor
        self.done = self.trouble = ""
        self.read(registration)

    def read(self, registration: Registration) -> None:
        self.registration, self.event = registration, registration.event
        if self.actor is not None and registration.member_id == self.actor.pk:
            registration.member = self.actor
        kept = kept_text.take(self.request) if self.actor is not None else {}
        self.details = DetailsForm(event=self.event, registration=registration, initial=kept)
        self.gift = TransferForm(by_handle=self.actor is not None, initial=kept)

    @property
    def is_open(self) -> bool:
        """Is there anything left to change?"""
        event = self.event
        return self.registration.is_live and not event.is_over() and event.cancelled_at is None

    def press(self) -> None:
        """Do what the pressed button says, and read what is then the case."""
        act = DEEDS.get(self.request.POST.get("deed", ""))
        if act is None or not self.is_open:
            return
        try:
            self.done = act(self)
        except services.AnswersMissing as error:
            self.details.add_missing(error.errors)
        except services.TransferRefused as error:
            self.gift.add_error(None, REFUSED.get(error.why, REFUSED["person"]))
        except services.NotYourTurn:
            self.trouble = _("No place is free there now. You keep what you have.")
        except services.TooLate:
            self.trouble = _("It is too late for that now.")
        except (services.RegistrationClosed, PermissionDenied):
            self.trouble = _("That is not possible just now.")
        if self.done:
            self.read(Registration.objects.select_related("event", "member").get(pk=self.registration.pk))

    @property
    def has_errors(self) -> bool:
        return bool(self.details.errors or self.gift.errors)

    def may_give(self, occupancy) -> bool:
        try:
            services.check_transfer(self.event, self.registration, timezone.now(), occupancy.waiting)
        except services.TransferRefused:
            return False
        return True

    def other_way(self) -> tuple[str, str] | None:
        """(way, its words) that they could change to."""
        if len(self.event.ways) < 2 or self.registration.status not in TURNS:
            return None
        return next((way for way in ways_of(self.event) if way[0] != self.registration.way), None)

    def context(self) -> dict:
        event, mine = self.event, self.registration
        occupancies = event.occupancies()
        occupancy = occupancies.get(mine.way) or event.occupancy()
        other = self.other_way() if self.is_open else None
        return {
            "event": event,
            "registration": mine,
            "when": times.when(event),
            "when_there": times.when(event, event.zone),
            "is_open": self.is_open,
            "called_off": event.cancelled_at is not None,
            "is_over": event.is_over(),
            "position": mine.position() if mine.status == Status.WAITING else None,
            "until": times.until(mine.offer_expires_at) if mine.has_open_offer() else "",
            "details": self.details,
            "gift": self.gift if self.may_give(occupancy) or self.gift.errors else None,
            "other_way": other,
            "other_is_full": bool(other)
            and not places.is_free_for_newcomers(occupancies[other[0]])
            and mine.status != Status.WAITING,
            "may_come_after_all": mine.status == Status.RECORDING and event.takes_registrations(),
            "may_record": event.offers_recording and mine.status != Status.RECORDING,
            "waiting_count": occupancy.waiting,
            "done": self.done,
            "trouble": self.trouble,
            "via_mail": self.actor is None,
        }

    def response(self, template: str = "events/your_place.html", **more):
        status = 422 if self.has_errors else 409 if self.trouble else 200
        return render(self.request, template, self.context() | more, status=status)


@deed("details")
def change_details(page: PlacePage) -> str:
    page.details = DetailsForm(page.request.POST, event=page.event, registration=page.registration)
    if not page.details.is_valid():
        return ""
    services.change_answers(registration=page.registration, actor=page.actor, **page.details.service_fields())
    return _("Saved. The organisers see it.")


@deed("way")
def change_way(page: PlacePage) -> str:
    way = page.request.POST.get("way", "")
    if way not in page.event.ways:
        return ""
    changed = services.change_way(registration=page.registration, way=way, actor=page.actor)
    if changed.status == Status.WAITING:
        return _("Done. You are on the waiting list for this way of coming now.")
    return _("Done. We have noted how you come.")


@deed("recording")
def take_recording(page: PlacePage) -> str:
    services.take_recording_only(registration=page.registration, actor=page.actor)
    return _("Done. You hold no place; the recording will be on the event page.")


@deed("after-all")
def come_after_all(page: PlacePage) -> str:
    changed = services.come_after_all(registration=page.registration, actor=page.actor)
    return AFTER_ALL.get(changed.status, _("Done."))


@deed("give")
def give_place(page: PlacePage) -> str:
    page.gift = TransferForm(page.request.POST, by_handle=page.actor is not None)
    if not page.gift.is_valid():
        return ""
    data, member = page.gift.cleaned_data, None
    if page.gift.handle:
        member = find_by_handle(page.actor, page.gift.handle)
        if member is None:
            words = _("No member has this handle. It is the last part of the address of their profile page.")
            page.gift.add_error("to", words)
            return ""
    services.transfer_place(
        registration=page.registration,
        actor=page.actor,
        to_member=member,
        to_name="" if member else data["to_name"],
        to_address="" if member else data["to"],
    )
    return _("Done. We have written to them, and taken your place off your list.")


def find_by_handle(viewer: Member, handle: str) -> Member | None:
    """A member whose page the giver may open; nobody else exists for them."""
    wanted = handle.replace("\x00", "").strip().lstrip("@")[:80]
    return Member.objects.full().profile_visible_to(viewer).filter(handle__iexact=wanted).first()


def event_of(event: Event) -> dict:
    """What every small page says about the event."""
    return {"event": event, "when": times.when(event), "when_there": times.when(event, event.zone)}
