"""What this app registers with core."""

from . import account_mails  # noqa: F401  the mails that allauth asks for
