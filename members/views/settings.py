"""/settings/: what a member can change."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kmnet.core import kept_text

from .. import services
from ..forms import AccountForm
from ..models import Member
from ..services.handles import HandleRefused

reads_and_writes = require_http_methods(["GET", "HEAD", "POST"])


def fresh_member(request) -> Member:
    """The stored member: a form that is refused must not change the name in the head of the page."""
    return Member.objects.select_related("profile").get(pk=request.user.pk)


def posted(request):
    """For a form: None before it was sent, also where what was sent is empty."""
    return request.POST if request.method == "POST" else None


def page(request, template, form, section, **context):
    context = {"form": form, "section": section, **context}
    return render(request, template, context, status=422 if form.is_bound else 200)


@reads_and_writes
def account(request):
    member = fresh_member(request)
    form = AccountForm(posted(request), member=member, initial=kept_text.take(request))
    if request.method == "POST" and form.is_valid():
        try:
            services.change_account(member=member, **form.cleaned_data)
        except HandleRefused as error:  # taken between the question and the deed
            form.add_error("handle", error)
        else:
            kept_text.forget(request)
            messages.success(request, _("Saved."))
            return redirect("members:settings")
    return page(request, "members/settings_account.html", form, "account")
