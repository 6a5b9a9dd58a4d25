"""/join/code/ and /join/passkey/: becoming a member without a password. The mailed code proves the address."""

from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.models import Login
from allauth.account.signals import user_signed_up
from allauth.account.stages import LoginByCodeStage, LoginStageController
from django.db import IntegrityError, transaction
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from .join import JoinView


class JoinByCodeView(JoinView):
    """The same questions without a password; then the code, typed in this browser."""

    template_name = "members/join_by_code.html"
    way = "code"

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "by_passkey": True}  # allauth's word for: no password

    def get_form(self, form_class=None):
        form = super().get_form(form_class)
        form.fields["email"].help_text = _("Work or private, as you like. We send you a code.")
        return form

    def store(self, form):
        try:
            with transaction.atomic():  # the account and the mail with its code are written together
                return self.send_code(form)
        except IntegrityError as error:
            if "one_member_per_address" not in str(error):
                raise
            form.account_already_exists = True
            return self.send_code(form)

    def send_code(self, form):
        """A known address gets a mail that says so, and sees this same next page, where no code is right."""
        member = None if form.account_already_exists else form.save(self.request)
        if member is not None:
            user_signed_up.send(sender=type(member), request=self.request, user=member)
        login = Login(
            user=member,
            email=form.cleaned_data["email"],
            signup=True,
            redirect_url=self.get_next_url() or self.next_place(),
        )
        steps = LoginStageController(self.request, login)
        steps.set_current(LoginByCodeStage.key)
        LoginCodeVerificationProcess.initiate(
            request=self.request,
            user=member,
            email=login.email,
            stage=LoginByCodeStage(steps, self.request, login),
        )
        return redirect("account_confirm_login_code")

    def next_place(self) -> str:
        return reverse("members:welcome")


class JoinByPasskeyView(JoinByCodeView):
    """As with the code; the passkey is made right after it. Whoever has none yet comes in by code meanwhile."""

    template_name = "members/join_by_passkey.html"
    way = "passkey"

    def next_place(self) -> str:
        return reverse("mfa_add_webauthn")
