"""Forms about members; they clean input and save nothing."""

from .join import JoinForm
from .settings import AccountForm, MailForm, ProfileForm
from .welcome import HelpStep, MailStep, WhoStep

__all__ = ["AccountForm", "HelpStep", "JoinForm", "MailForm", "MailStep", "ProfileForm", "WhoStep"]
