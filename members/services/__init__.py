"""Every write about members: joining, what they tell about themselves, their standing."""

from .consents import (
    give_consent,
    has_consent,
    must_agree_anew,
    record_agreement,
    withdraw_consent,
)
from .joining import (
    HandleTaken,
    approve_member,
    change_account,
    change_time_zone,
    create_member,
    finish_welcome,
    is_handle_free,
    make_handle,
    note_presence,
    prove_address,
    save_joining_member,
)
from .profiles import change_mails, index_profile, reindex_profiles, tags_named, update_profile
from .standing import (
    end_sessions,
    hide_profile,
    restore_member,
    restore_profile,
    set_roles,
    silence_member,
    suspend_member,
)

__all__ = [
    "HandleTaken",
    "approve_member",
    "change_account",
    "change_mails",
    "change_time_zone",
    "create_member",
    "end_sessions",
    "finish_welcome",
    "give_consent",
    "has_consent",
    "hide_profile",
    "index_profile",
    "is_handle_free",
    "make_handle",
    "must_agree_anew",
    "note_presence",
    "prove_address",
    "record_agreement",
    "reindex_profiles",
    "restore_member",
    "restore_profile",
    "save_joining_member",
    "set_roles",
    "silence_member",
    "suspend_member",
    "tags_named",
    "update_profile",
    "withdraw_consent",
]
