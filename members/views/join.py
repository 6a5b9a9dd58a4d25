"""/join/: becoming a member, and the proof of the address."""

from allauth.account.views import ConfirmEmailView, SignupView
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, transaction
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe


class JoinView(SignupView):
    """allauth's sign-up in the words of this community. The same answer for a known and an unknown address."""

    template_name = "members/join.html"

    def get_form(self, form_class=None):
        form = super().get_form(form_class)
        email, password = form.fields["email"], form.fields["password1"]
        email.label, email.help_text = (
            _("E-mail address"),
            _("Work or private, as you like. We send you a link."),
        )
        password.help_text = _("At least 12 characters; four words that do not belong together are good.")
        for field in (email, password):
            field.widget.attrs.pop("placeholder", None)
        return form

    def form_valid(self, form):
        try:
            with (
                transaction.atomic()
            ):  # the account and the mail that proves its address are written together
                return super().form_valid(form)
        except IntegrityError as error:
            # The same address twice at the same moment: the second is told what any known address is told.
            if "one_member_per_address" not in str(error):
                raise
            form.account_already_exists = True
            return super().form_valid(form)


@method_decorator(login_not_required, name="dispatch")
class ConfirmAddressView(ConfirmEmailView):
    """The page behind the mailed link; only its button proves the address, on whatever device."""

    def logout_other_user(self, confirmation):
        if self.request.method == "POST":  # a GET changes nothing, not even who is signed in
            super().logout_other_user(confirmation)


@login_not_required
@require_safe
def proven(request):
    """The address was proven on another device than the one that joined: how to go on from here."""
    if request.user.is_authenticated:
        return redirect("members:welcome")
    return render(request, "members/proven.html")
