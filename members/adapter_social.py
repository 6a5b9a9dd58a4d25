"""Sign-in through ORCID, LinkedIn and Google: what we take from them (little), and what we believe."""

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from .services.social import note_connection

# Google says of an address whether it is proven, and hands out most of them itself. LinkedIn proved it once, perhaps
# years and employers ago; ORCID tells none. What is not believed is proven by our own link.
BELIEVED = {"google"}


class SocialAdapter(DefaultSocialAccountAdapter):
    """Nobody is connected to an account by an address alone; nothing but the identifier is kept."""

    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": _("Set a password first, or you could not come in any more."),
        "connected_other": _("It belongs to another account here."),
    }

    def list_apps(self, request, provider=None, client_id=None):
        """What the environment configures, and nothing else: secrets have no place in the database."""
        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]

    def get_app(self, request, provider, client_id=None):
        """What is not configured is not there."""
        try:
            return super().get_app(request, provider, client_id)
        except SocialApp.DoesNotExist as error:
            raise Http404 from error

    def populate_user(self, request, sociallogin: SocialLogin, data):
        """The name and the address are proposed in the form; pictures, records and the rest are not kept."""
        user = sociallogin.user
        parts = (data.get("first_name"), data.get("last_name"))
        user.name = " ".join(filter(None, parts)) or data.get("name") or ""
        user.email = ""
        sociallogin.account.extra_data = {}
        for address in sociallogin.email_addresses:
            address.verified = bool(address.verified) and sociallogin.account.provider in BELIEVED
        return user

    def get_signup_form_initial_data(self, sociallogin: SocialLogin) -> dict:
        address = next((item.email for item in sociallogin.email_addresses), "")
        return {"name": sociallogin.user.name[:120], "email": address}

    @transaction.atomic
    def save_user(self, request, sociallogin: SocialLogin, form=None):
        """One address: the one that the form names. It counts as proven only where a believed provider says so."""
        wanted = form.cleaned_data["email"].lower()
        sociallogin.email_addresses = [
            address for address in sociallogin.email_addresses if address.email.lower() == wanted
        ]
        member = super().save_user(request, sociallogin, form)
        note_connection(account=sociallogin.account)
        return member
