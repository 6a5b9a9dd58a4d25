"""Members, one module per noun."""

from .consent import Consent, ConsentText, How, Purpose
from .group import Group, GroupMember, Joining, Standing, groups_of, is_in_group
from .leaving import EXPORT_LASTS, GRACE, DataExport, Erasure, Leaving, SpentHandle
from .member import Member, OldHandle, Status, check_time_zone
from .profile import Availability, DigestRhythm, MeetingWindow, Profile, SeenBy
from .ties import Boundary, Distance, blockers_of, has_blocked, unread_by

__all__ = [
    "Availability",
    "EXPORT_LASTS",
    "GRACE",
    "Boundary",
    "Consent",
    "ConsentText",
    "DataExport",
    "DigestRhythm",
    "Distance",
    "Erasure",
    "Group",
    "GroupMember",
    "How",
    "Joining",
    "Leaving",
    "MeetingWindow",
    "Member",
    "OldHandle",
    "Profile",
    "Purpose",
    "SeenBy",
    "SpentHandle",
    "Standing",
    "Status",
    "blockers_of",
    "check_time_zone",
    "groups_of",
    "has_blocked",
    "is_in_group",
    "unread_by",
]
