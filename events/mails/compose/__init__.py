"""The words of each mail, made at the moment of sending from the registration as it then is.

Whoever may no longer get it, or whom it would mislead by now, does not: Withhold says why, and the row keeps it.
"""

from django.utils.translation import gettext_lazy as _

from kmnet.core.mail import MailKind

from . import asking, coming_in, happening, standing

REMINDERS = "event_reminders"  # the category that people can switch off
PLACES, CHANGES, ACCOUNT = "offers", "event_changes", "sign_in"  # and those that they cannot


def _kind(key: str, label, compose, category: str | None = None) -> MailKind:
    name = key.partition(".")[2]
    return MailKind(key=key, label=label, template=f"events/email/{name}", compose=compose, category=category)


KINDS = (
    _kind("events.confirmed", _("Event: you have a place"), standing.confirmed, PLACES),
    _kind("events.waiting", _("Event: you are on the waiting list"), standing.waiting, PLACES),
    _kind("events.position", _("Event: you moved up on the waiting list"), standing.position, REMINDERS),
    _kind("events.requested", _("Event: the organisers are asked"), standing.requested, PLACES),
    _kind("events.refused", _("Event: the organisers said no"), standing.refused, PLACES),
    _kind("events.recording", _("Event: the recording only"), standing.recording, PLACES),
    _kind("events.cancelled_by_you", _("Event: you gave up your place"), standing.cancelled_by_you, PLACES),
    _kind(
        "events.place_passed_on",
        _("Event: you gave your place to somebody"),
        standing.place_passed_on,
        PLACES,
    ),
    _kind("events.removed", _("Event: taken off by the organisers"), standing.removed, PLACES),
    _kind("events.offer", _("Event: a place is yours until a time"), asking.offer, PLACES),
    _kind("events.place_given", _("Event: somebody gives you a place"), asking.place_given, PLACES),
    _kind("events.offer_passed", _("Event: an offer has passed"), asking.offer_passed, PLACES),
    _kind("events.reconfirm", _("Event: are you still coming?"), asking.reconfirm, PLACES),
    _kind("events.soft", _("Event: we did not hear from you"), asking.soft, PLACES),
    _kind("events.all_hands", _("Event: a place is free near the start"), asking.all_hands, PLACES),
    _kind("events.event_cancelled", _("Event: cancelled"), happening.event_cancelled, CHANGES),
    _kind("events.postponed", _("Event: postponed"), happening.postponed, CHANGES),
    _kind("events.event_changed", _("Event: changed"), happening.event_changed, CHANGES),
    _kind("events.reminder_24h", _("Event: reminder a day before"), happening.reminder_24h, REMINDERS),
    _kind("events.reminder_1h", _("Event: reminder an hour before"), happening.reminder_1h, REMINDERS),
    _kind("events.letter", _("Event: a letter from its organisers"), happening.letter, CHANGES),
    _kind("events.prove", _("Event: a guest proves their address"), coming_in.prove, ACCOUNT),
    _kind("events.known", _("Event: already registered"), coming_in.known, PLACES),
    _kind("events.organiser_added", _("Event: you organise it too"), coming_in.organiser_added, CHANGES),
    _kind("events.invited", _("Event: an invitation"), coming_in.invited),
)
