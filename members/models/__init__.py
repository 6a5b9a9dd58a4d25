"""Members, one module per noun."""

from .member import Member, OldHandle, Status, check_time_zone
from .profile import DigestRhythm, Profile, SeenBy

__all__ = ["DigestRhythm", "Member", "OldHandle", "Profile", "SeenBy", "Status", "check_time_zone"]
