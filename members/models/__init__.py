"""Members, one module per noun."""

from .consent import Consent, ConsentText, How, Purpose
from .directory import DirectoryEntry
from .group import (
    Group,
    GroupMember,
    Joining,
    Standing,
    groups_of,
    groups_read_by,
    is_convenor,
    is_in_group,
    may_read_group,
)
from .introduction import Answer, Introduction, IntroductionState
from .joining import BringIn, Greeting, Invitation, InvitationUse, JoinRequest, NeverInvite
from .leaving import EXPORT_LASTS, GRACE, DataExport, Dormancy, Erasure, Leaving, SpentHandle
from .member import Member, OldHandle, Status, check_time_zone
from .profile import Availability, DigestRhythm, MeetingWindow, Profile, SeenBy
from .ties import Boundary, Distance, blockers_of, has_blocked, is_kept_apart, unread_by

__all__ = [
    "EXPORT_LASTS",
    "GRACE",
    "Answer",
    "Availability",
    "Boundary",
    "BringIn",
    "Consent",
    "ConsentText",
    "DataExport",
    "DigestRhythm",
    "DirectoryEntry",
    "Distance",
    "Dormancy",
    "Erasure",
    "Greeting",
    "Group",
    "GroupMember",
    "How",
    "Introduction",
    "IntroductionState",
    "Invitation",
    "InvitationUse",
    "JoinRequest",
    "Joining",
    "Leaving",
    "MeetingWindow",
    "Member",
    "NeverInvite",
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
    "groups_read_by",
    "has_blocked",
    "is_convenor",
    "is_in_group",
    "is_kept_apart",
    "may_read_group",
    "unread_by",
]
