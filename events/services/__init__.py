"""Every write of this app. The event's row is locked first; occupancy is counted, never stored; all is logged."""

from .attending import DoorsClosed, enter, mark_attendance
from .calendar_feeds import end_calendar_feed, renew_calendar_feed
from .duplicating import duplicate_event
from .guests import adopt_guest_registrations
from .hosting import LastOrganiser, NotInGroup, add_organiser, remove_organiser
from .leaving import forget_guests, forget_person, lock_organised, old_guests
from .organising import (
    AudienceTooNarrow,
    CapacityTooLow,
    EventOver,
    ListsTaken,
    cancel_event,
    change_capacity,
    create_event,
    log_admin,
    publish_event,
    update_event,
)
from .pictures import check_picture, remove_picture, set_picture
from .places import promote_waiting
from .registering import (
    NotYourTurn,
    OfferOver,
    RegistrationClosed,
    TooLate,
    WayUnknown,
    accept_offer,
    cancel_registration,
    claim_place,
    decline_offer,
    forget_unproven,
    prove_guest,
    register_member,
    release_from_group,
    release_member,
    remove_registration,
    request_guest_place,
)

__all__ = [
    "AudienceTooNarrow",
    "CapacityTooLow",
    "DoorsClosed",
    "EventOver",
    "LastOrganiser",
    "ListsTaken",
    "NotInGroup",
    "NotYourTurn",
    "OfferOver",
    "RegistrationClosed",
    "TooLate",
    "WayUnknown",
    "accept_offer",
    "add_organiser",
    "adopt_guest_registrations",
    "cancel_event",
    "cancel_registration",
    "change_capacity",
    "check_picture",
    "claim_place",
    "create_event",
    "decline_offer",
    "duplicate_event",
    "end_calendar_feed",
    "enter",
    "forget_guests",
    "forget_person",
    "forget_unproven",
    "lock_organised",
    "old_guests",
    "log_admin",
    "mark_attendance",
    "promote_waiting",
    "prove_guest",
    "publish_event",
    "register_member",
    "release_from_group",
    "release_member",
    "remove_organiser",
    "remove_picture",
    "remove_registration",
    "renew_calendar_feed",
    "request_guest_place",
    "set_picture",
    "update_event",
]
