"""allauth's forms, where ours differ. Not imported by the package: allauth's module imports the package itself."""

from allauth.account.forms import SignupForm
from allauth.socialaccount.forms import SignupForm as SocialSignupForm
from django.contrib.auth.hashers import make_password

from ..addresses import is_taken


class SameForAll:
    """A known address takes the same steps as an unknown one, so that the answer tells nothing, nor does its time."""

    def validate_unique_email(self, value):
        self.account_already_exists = is_taken(value)
        return value

    def try_save(self, request):
        if self.account_already_exists:
            make_password(self.cleaned_data.get("password1"))  # as slow as making an account
        return super().try_save(request)


class JoinAccountForm(SameForAll, SignupForm):
    """By address, with a password of one's own."""


class SocialJoinForm(SameForAll, SocialSignupForm):
    """By another's door: the same questions, without a password."""

    field_order = ["name", "email", "agree", "time_zone", "language"]
