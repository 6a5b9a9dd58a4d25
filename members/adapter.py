"""How django-allauth fits into kmnet."""

from allauth.account.adapter import DefaultAccountAdapter

from . import account_mails


class AccountAdapter(DefaultAccountAdapter):
    """Mails go through the outbox; handles are made, not asked."""

    def send_mail(self, template_prefix, email, context):
        account_mails.queue_account_mail(template_prefix, email, context)

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        """allauth does not tell send_mail whose account it is about."""
        super().send_notification_mail(template_prefix, user, {**(context or {}), "user": user}, email)
