"""Why a service says no. Each is expected, and each has its words on a page."""

from ..models import Registration


class RegistrationClosed(Exception):
    """Nobody can register now: not open yet, closed, started, postponed or cancelled."""


class OfferOver(Exception):
    """The offer has been answered before, or its time is up. `registration` tells which."""

    def __init__(self, registration: Registration):
        super().__init__(registration.status)
        self.registration = registration


class WayUnknown(Exception):
    """A hybrid event needs to know: in the room or online. All others have one list."""


class AnswersMissing(Exception):
    """What was answered does not fit the questions; nothing was written. `errors`: {question id: sentence}."""

    def __init__(self, errors: dict[int, str]):
        super().__init__(errors)
        self.errors = errors


class TooLate(Exception):
    """The event is over, or so near that this is not done any more."""


class NotYourTurn(Exception):
    """No place is free for this person, or the last hours have not begun. What they had, they still have."""


class TransferRefused(Exception):
    """The place stays where it is. `why`: "off" (the organisers do not allow it), "place" (the giver holds none),
    "late" (three hours before the start), "waiting" (somebody waits for a place), "self", "often" (as many as one gives
    away in a day), or "person" (who may not come, as far as the giver may know)."""

    def __init__(self, why: str):
        super().__init__(why)
        self.why = why


class TooManyInvited(Exception):
    """So many addresses are not written to in a day, for one event or by one organiser."""


class OrderFixed(Exception):
    """Registration has opened: who comes before whom is settled, and nobody changes it."""


class NotOverYet(Exception):
    """Whom the earlier event leaves out is known when it is over."""
