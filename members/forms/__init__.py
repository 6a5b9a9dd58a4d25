"""Forms about members; they clean input and save nothing."""

from .consents import AgreeForm
from .hours import PictureForm
from .invitations import BringInForm, InviteForm, LinkForm
from .join import AnswersForm, JoinForm
from .mail import MailForm
from .settings import AccountForm, ProfileForm
from .welcome import HelpStep, MailStep, WhoStep

__all__ = [
    "AccountForm",
    "AgreeForm",
    "AnswersForm",
    "BringInForm",
    "HelpStep",
    "InviteForm",
    "JoinForm",
    "LinkForm",
    "MailForm",
    "MailStep",
    "PictureForm",
    "ProfileForm",
    "WhoStep",
]
