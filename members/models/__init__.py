"""Members, one module per noun."""

from .consent import Consent, ConsentText, How, Purpose
from .directory import DirectoryEntry
from .group import Group, GroupMember, Joining, Standing, groups_of, is_in_group
from .introduction import Answer, Introduction, IntroductionState
from .leaving import EXPORT_LASTS, GRACE, DataExport, Erasure, Leaving, SpentHandle
from .member import Member, OldHandle, Status, check_time_zone
from .profile import Availability, DigestRhythm, MeetingWindow, Profile, SeenBy
from .ties import Boundary, Distance, blockers_of, has_blocked, unread_by

__all__ = [
    "Answer",
    "Availability",
    "EXPORT_LASTS",
    "GRACE",
    "Boundary",
    "Consent",
    "ConsentText",
    "DataExport",
    "DigestRhythm",
    "DirectoryEntry",
    "Distance",
    "Erasure",
    "Group",
    "GroupMember",
    "How",
    "Introduction",
    "IntroductionState",
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
