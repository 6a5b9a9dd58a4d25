"""allauth's pages, where ours differ."""

from allauth.account.views import EmailView, PasswordResetView
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from kmnet.core import known_browser

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
