"""Every write of this app. The event's row is locked first; occupancy is counted, never stored; all is logged."""

from .answering import change_answers
from .attending import DoorsClosed, NoRoomYet, enter, mark_attendance
from .calendar_feeds import end_calendar_feed, renew_calendar_feed
from .calling import call_everyone, tell_positions
from .deciding import approve_registration, offer_more_places, promote_up_to, refuse_registration
from .duplicating import duplicate_event
from .fairness import left_out, set_priority_from
from .giving_up import (
    cancel_registration,
    lock_places_in_group,
    release_from_group,
    release_member,
    remove_registration,
    take_recording_only,
)
from .guests import adopt_guest_registrations, forget_unproven, prove_guest, request_guest_place
from .hosting import LastOrganiser, NotInGroup, add_organiser, remove_organiser
from .inviting import invite_people, register_invited, withdraw_invitation
from .leaving import forget_access_needs, forget_guests, forget_person, lock_organised, old_guests
from .letters import NobodyThere, TooManyLetters, audience_counts, audiences_of, people_of, write_to_people
from .offers import accept_offer, claim_place, decline_offer
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
from .postponing import postpone_event
from .reconfirming import ask_reconfirmations, confirm_coming, soften_silent
from .refusals import (
    AnswersMissing,
    NotOverYet,
    NotYourTurn,
    OfferOver,
    OrderFixed,
    RegistrationClosed,
    TooLate,
    TooManyInvited,
    TransferRefused,
    WayUnknown,
)
from .registering import Arrival, arrive, check_way, register_member
from .series import (
    DateTaken,
    DateTooFull,
    TooManyDates,
    add_date,
    cancel_following,
    make_series,
    publish_following,
    update_following,
)
from .transferring import check_transfer, transfer_place
from .ways import change_way, come_after_all

__all__ = [
    "AnswersMissing",
    "Arrival",
    "AudienceTooNarrow",
    "CapacityTooLow",
    "DateTaken",
    "DateTooFull",
    "DoorsClosed",
    "EventOver",
    "LastOrganiser",
    "ListsTaken",
    "NoRoomYet",
    "NobodyThere",
    "NotInGroup",
    "NotOverYet",
    "NotYourTurn",
    "OfferOver",
    "OrderFixed",
    "RegistrationClosed",
    "TooLate",
    "TooManyDates",
    "TooManyInvited",
    "TooManyLetters",
    "TransferRefused",
    "WayUnknown",
    "accept_offer",
    "add_date",
    "add_organiser",
    "adopt_guest_registrations",
    "approve_registration",
    "arrive",
    "ask_reconfirmations",
    "audience_counts",
    "audiences_of",
    "call_everyone",
    "cancel_event",
    "cancel_following",
    "cancel_registration",
    "change_answers",
    "change_capacity",
    "change_way",
    "check_picture",
    "check_transfer",
    "check_way",
    "claim_place",
    "come_after_all",
    "confirm_coming",
    "create_event",
    "decline_offer",
    "duplicate_event",
    "end_calendar_feed",
    "enter",
    "forget_access_needs",
    "forget_guests",
    "forget_person",
    "forget_unproven",
    "invite_people",
    "left_out",
    "lock_organised",
    "lock_places_in_group",
    "log_admin",
    "make_series",
    "mark_attendance",
    "offer_more_places",
    "old_guests",
    "people_of",
    "postpone_event",
    "promote_up_to",
    "promote_waiting",
    "prove_guest",
    "publish_event",
    "publish_following",
    "refuse_registration",
    "register_invited",
    "register_member",
    "release_from_group",
    "release_member",
    "remove_organiser",
    "remove_picture",
    "remove_registration",
    "renew_calendar_feed",
    "request_guest_place",
    "set_picture",
    "set_priority_from",
    "soften_silent",
    "take_recording_only",
    "tell_positions",
    "transfer_place",
    "update_event",
    "update_following",
    "withdraw_invitation",
    "write_to_people",
]
