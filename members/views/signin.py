"""allauth's pages, where ours differ."""

import hashlib

from allauth.account.adapter import get_adapter
from allauth.account.views import EmailView, PasswordResetView
from allauth.core import ratelimit
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import HttpResponseRedirect, JsonResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from fido2.webauthn import UserVerificationRequirement

from kmnet.core import known_browser
from kmnet.core.ratelimit import once

from ..addresses import is_taken


@method_decorator(login_not_required, name="dispatch")
class ResetView(PasswordResetView):
    """Asks for a link to a new password; the tries are counted by address, or by address in a known browser."""

    def form_valid(self, form):
        refused = ratelimit.consume_or_429(
            self.request,
            action="reset_password",
            key=known_browser.counter_for(self.request, form.cleaned_data["email"]),
        )
        if refused:
            return refused
        form.save(self.request)
        return HttpResponseRedirect(self.get_success_url())


class AddressesView(EmailView):
    """Somebody who has not proven the address joined with it: it cannot be two people's main one."""

    def _action_primary(self, request, *args, **kwargs):
        address = self._get_email_address(request)
        if address and not address.verified:  # whoever has it: the same answer for an address of nobody
            messages.error(
                request, _("Prove that it is yours first: the link is in the mail that we sent there.")
            )
            return None
        if address and is_taken(address.email, by_other_than=request.user):
            messages.error(request, _("This address cannot be the main one just now. Please write to us."))
            return None
        return super()._action_primary(request, *args, **kwargs)


@method_decorator([login_not_required, never_cache], name="dispatch")
class PasskeyView(LoginWebAuthnView):
    """Signs in by passkey. The sign-in page's script asks for the challenge, which allauth keeps in the session. The
    cookie of a session begun so would replace that of somebody who has signed in by password before the answer comes,
    and sign them out. Here the page holds the challenge: signed, for one browser, for an hour, to be used once."""

    LASTS = 3600  # seconds: an open page offers passkeys for as long as that

    def get(self, request, *args, **kwargs):
        if not get_adapter().is_ajax(request):
            return super().get(request, *args, **kwargs)
        asked, state = auth.get_server().authenticate_begin(
            user_verification=UserVerificationRequirement.REQUIRED
        )
        return JsonResponse(
            {"request_options": dict(asked), "challenge": signing.dumps(state, salt=self._salt())}
        )

    def post(self, request, *args, **kwargs):
        auth.clear_state()
        if state := self._challenge():
            auth.set_state(state)
        try:
            return super().post(request, *args, **kwargs)
        finally:
            auth.clear_state()

    def _salt(self) -> str:
        return f"members.passkey:{self.request.META.get('CSRF_COOKIE', '')}"

    def _challenge(self) -> dict | None:
        """What the browser was asked to sign; None where that was not here, too long ago, or is used up."""
        told = self.request.POST.get("challenge", "")
        try:
            state = signing.loads(told, salt=self._salt(), max_age=self.LASTS)
        except signing.BadSignature:
            return None
        first = once(f"passkey:{hashlib.sha256(told.encode()).hexdigest()}", seconds=self.LASTS)
        return state if first else None
