"""Every write of this app. The event's row is locked first; occupancy is counted, never stored; all is logged."""

from .attending import DoorsClosed, enter, mark_attendance
from .guests import adopt_guest_registrations
from .organising import (
    CapacityTooLow,
    EventOver,
    cancel_event,
    change_capacity,
    create_event,
    log_admin,
    publish_event,
    update_event,
)
from .places import promote_waiting
from .registering import (
    NotYourTurn,
    OfferOver,
    RegistrationClosed,
    TooLate,
    accept_offer,
    cancel_registration,
    claim_place,
    decline_offer,
    forget_unproven,
    prove_guest,
    register_member,
    release_member,
    remove_registration,
    request_guest_place,
)

__all__ = [
    "CapacityTooLow",
    "DoorsClosed",
    "EventOver",
    "NotYourTurn",
    "OfferOver",
    "RegistrationClosed",
    "TooLate",
    "accept_offer",
    "adopt_guest_registrations",
    "cancel_event",
    "cancel_registration",
    "change_capacity",
    "claim_place",
    "create_event",
    "decline_offer",
    "enter",
    "forget_unproven",
    "log_admin",
    "mark_attendance",
    "promote_waiting",
    "prove_guest",
    "publish_event",
    "register_member",
    "release_member",
    "remove_registration",
    "request_guest_place",
    "update_event",
]
