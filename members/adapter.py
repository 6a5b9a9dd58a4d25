"""How django-allauth fits into kmnet."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    """Mails go through the outbox; handles are made, not asked."""
