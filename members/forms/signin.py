"""allauth's forms, where ours differ. Not imported by the package: allauth's module imports the package itself."""

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm, RequestLoginCodeForm, ResetPasswordForm, SignupForm
from allauth.core import context, ratelimit
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from allauth.socialaccount.forms import SignupForm as SocialSignupForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext_lazy as _

from kmnet.core import known_browser

from ..addresses import is_taken, owner_of


class SignInForm(LoginForm):
    """Browsers may offer a passkey beside the remembered addresses."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username webauthn"


class CodeForm(RequestLoginCodeForm):
    """Asks for a code; the tries are counted by address, or by address in a known browser."""

    def clean_email(self):
        email = self.cleaned_data["email"]
        if not ratelimit.consume(
            context.request,
            action="request_login_code",
            key=known_browser.counter_for(context.request, email),
        ):
            raise get_adapter().validation_error("too_many_login_attempts")
        self._user = owner_of(email)
        return email


class ResetForm(ResetPasswordForm):
    """A link to a new password goes to whoever owns the address."""

    def clean_email(self):
        owner = owner_of(self.cleaned_data["email"])
        self.users = [owner] if owner else []
        return self.cleaned_data["email"]


class SameForAll:
    """A known address takes the same steps as an unknown one, so that the answer tells nothing, nor does its time."""

    def validate_unique_email(self, value):
        self.account_already_exists = is_taken(value)
        return value

    def try_save(self, request):
        if self.account_already_exists:
            # As slow as making an account (where no password is asked, both are quick).
            make_password(self.cleaned_data.get("password1"))
        return super().try_save(request)


class JoinAccountForm(SameForAll, SignupForm):
    """By address, with a password of one's own."""


class SocialJoinForm(SameForAll, SocialSignupForm):
    """By another's door: the same questions, without a password."""

    field_order = ["name", "email", "answer_1", "answer_2", "agree", "letters", "time_zone", "language"]


class AddKeyForm(AddWebAuthnForm):
    """A passkey opens the account by itself; a security key is the second step after a password or a code."""

    passwordless = forms.BooleanField(
        label=_("Sign in with it alone, without password or code"),
        help_text=_("Then it asks for your fingerprint, your face or its PIN."),
        required=False,
        initial=True,
    )
