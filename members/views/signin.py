"""allauth's pages, where ours differ."""

from allauth.account.views import PasswordResetView
from allauth.core import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseRedirect
from django.utils.decorators import method_decorator

from kmnet.core import known_browser


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
