"""How django-allauth fits into kmnet."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.core.exceptions import ValidationError
from django.shortcuts import render, resolve_url
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from kmnet.core import known_browser, ratelimit
from kmnet.core.models import CommunitySettings
from kmnet.core.text import has_double

from . import account_mails, invited, services
from .addresses import is_taken
from .models import How, Purpose
from .models.member import DEMO_DOMAIN

TOLD_TO_ANY_ADDRESS = (
    "account/email/account_already_exists",
    "account/email/email_confirmation",
    "account/email/unknown_account",
)


class AccountAdapter(DefaultAccountAdapter):
    """Handles are made, not asked; mails go through the outbox; a proven address leads to the first steps."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": _(
            "Too many tries. Please wait a few minutes, or have a code mailed to you."
        ),
    }

    def is_safe_url(self, url):
        """allauth lets the error of an address that is none ("https://[::1") through."""
        try:
            return super().is_safe_url(url)
        except ValueError:
            return False

    def clean_email(self, email):
        email = super().clean_email(email)
        if has_double(email):
            raise ValidationError(_("There is a letter in this address that is easily taken for another."))
        if not settings.KMNET_DEMO and email.lower().endswith("@" + DEMO_DOMAIN):
            raise ValidationError(_("This address belongs to the demonstration."), code="demo")
        return email

    def is_open_for_signup(self, request):
        """By invitation: only for whoever has accepted one that still works."""
        return services.is_door_open(invitation_token=invited.token_of(request))

    def save_user(self, request, user, form, commit=True):
        """What the join page asked, stored by the one service that makes members."""
        data = form.cleaned_data
        user.email, user.name = data["email"], data["name"]
        user.time_zone = data.get("time_zone") or CommunitySettings.load().time_zone
        user.language = data.get("language") or translation.get_language() or settings.LANGUAGE_CODE
        user.set_password(data.get("password1"))
        if commit:
            self.let_in(request, user, form)
        return user

    def let_in(self, request, user, form):
        """Through the one gate of all ways in. The link of an invitation by mail has proven its address."""
        token = invited.token_of(request)
        by_mail = invited.is_proof(services.find_invitation(token), user.email)
        try:
            services.save_joining_member(user, answers=form.answers(), invitation_token=token)
        except services.NotInvited as refusal:  # it was used up by somebody else a moment ago
            page = render(request, "members/by_invitation.html", {"over": True}, status=403)
            raise ImmediateHttpResponse(page) from refusal
        if form.cleaned_data.get("letters"):
            services.give_consent(member=user, purpose=Purpose.NEWS, how=How.JOINING)
        if by_mail:
            self.stash_verified_email(request, user.email)
        request.session.pop(invited.KEY, None)

    def pre_login(self, request, user, **kwargs):
        """Demo accounts have known passwords: elsewhere than in the demo they do not sign in, whatever the way."""
        if user.is_demo and not settings.KMNET_DEMO:
            clear_login(request)
            return self.respond_user_inactive(request, user)
        return super().pre_login(request, user, **kwargs)

    def post_login(self, request, user, **kwargs):
        response = super().post_login(request, user, **kwargs)
        known_browser.remember(response, user)
        return response

    def get_client_ip(self, request):
        return ratelimit.client_ip(request)

    def _get_login_attempts_cache_key(self, request, **credentials):
        return known_browser.counter_for(request, credentials.get("email", ""))

    def get_email_verification_redirect_url(self, email_address):
        """On the device that joined they are signed in by now; on another one, a page says how to go on."""
        if self.request.user.is_authenticated:
            return resolve_url("members:welcome" if not self.request.user.onboarded_at else "/")
        return resolve_url("members:proven")

    def send_mail(self, template_prefix, email, context):
        # What a stranger can have sent to any address: a few times tell it, more would be a nuisance.
        if template_prefix in TOLD_TO_ANY_ADDRESS and not ratelimit.allow(
            f"told:{template_prefix}:{known_browser.plain(email)}", limit=5, seconds=3600
        ):
            return
        account_mails.queue_account_mail(template_prefix, email, context)

    def send_confirmation_mail(self, request, emailconfirmation, signup):
        """Whoever names somebody else's address sees what they would see of any; its owner is told, without a link."""
        address = emailconfirmation.email_address
        if is_taken(address.email, by_other_than=address.user):
            self.send_account_already_exists_mail(address.email)
        else:
            super().send_confirmation_mail(request, emailconfirmation, signup)

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        """allauth does not tell send_mail whose account it is about."""
        super().send_notification_mail(template_prefix, user, {**(context or {}), "user": user}, email)
