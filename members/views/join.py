"""/join/: becoming a member, and the proof of the address."""

from allauth.account.views import ConfirmEmailView, SignupView
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, transaction
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kmnet.core import tokens
from kmnet.core.mail_pages import mail_page
from kmnet.core.models.community import JoinPolicy

from .. import invited, services
from ..models import Invitation, Status


class JoinView(SignupView):
    """allauth's sign-up in the words of this community. The same answer for a known and an unknown address."""

    template_name = "members/join.html"

    def get_form(self, form_class=None):
        form = super().get_form(form_class)
        email = form.fields["email"]
        email.label, email.help_text = (
            _("E-mail address"),
            _("Work or private, as you like. We send you a link."),
        )
        if password := form.fields.get("password1"):  # those who join by code or passkey choose none
            password.help_text = _("At least 12 characters; four words that do not belong together are good.")
        for field in filter(None, (email, password)):
            field.widget.attrs.pop("placeholder", None)
        return form

    def get_context_data(self, **kwargs):
        policy = services.present_policy()
        return super().get_context_data(**kwargs) | {
            "needs_approval": policy.join_policy == JoinPolicy.APPROVAL,
            "wait_days": policy.join_wait_days,
            "invitation": invited.present(),
        }

    def closed(self):
        return render(self.request, "members/by_invitation.html", status=403)

    def form_valid(self, form):
        response = self.store(form)
        self.request.session.pop(invited.KEY, None)  # also where the address is known: nothing may tell
        return response

    def store(self, form):
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


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request, token):
    """The page behind the link of an invitation; only its button accepts it, for this browser."""
    if request.user.is_authenticated:
        return redirect("members:welcome")
    invitation = services.find_invitation(token)
    if invitation is not None and request.method == "POST":
        invited.accept(request, token)
        response = redirect("members:join")
    else:
        context = {
            "invitation": invitation,
            "inviter": invitation.invited_by if invitation else None,
            "needs_invitation": services.needs_invitation(),
        }
        response = render(request, "members/invited.html", context, status=200 if invitation else 404)
    response["Referrer-Policy"] = (
        "same-origin"  # the address is a key; the button needs to say where it stands
    )
    response["X-Robots-Tag"] = "noindex"
    add_never_cache_headers(response)
    return response


@mail_page
def no_invitations(request, token):
    """Do not write to me again: a page with a button, and the one click of RFC 8058."""
    try:
        invitation = Invitation.objects.filter(pk=tokens.read("no-invitations", token)["i"]).first()
    except (tokens.BadToken, KeyError):
        invitation = None
    if invitation is None or not invitation.is_bound:
        return render(request, "core/mail_link_dead.html", status=404)
    if request.method == "POST":
        services.never_invite(invitation=invitation)
    return render(request, "members/no_invitations.html", {"done": request.method == "POST"})


@method_decorator(login_not_required, name="dispatch")
class ConfirmAddressView(ConfirmEmailView):
    """The page behind the mailed link; only its button proves the address, on whatever device."""

    def logout_other_user(self, confirmation):
        if self.request.method == "POST":  # a GET changes nothing, not even who is signed in
            super().logout_other_user(confirmation)

    def post(self, *args, **kwargs):
        """Who must still be let in goes on to the page that tells how long that takes."""
        response = super().post(*args, **kwargs)
        user = self.request.user
        if response.status_code == 302 and user.is_authenticated and user.status == Status.PENDING:
            return redirect("members:waiting")
        return response


@login_not_required
@require_safe
def proven(request):
    """The address was proven on another device than the one that joined: how to go on from here."""
    if request.user.is_authenticated:
        return redirect("members:welcome")
    return render(request, "members/proven.html")
