"""/settings/consents/: what somebody agreed to, and taking it back; the agreement once more when it has changed."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kmnet.core.models import CommunitySettings
from kmnet.core.text import render_markdown

from .. import services
from ..forms import AgreeForm
from ..middleware import AGREE_LATER
from ..models import Consent, ConsentText, How, Purpose
from ..models.consent import OPTIONAL
from ..services.consents import letters_words


@require_safe
def consents(request):
    """All of them, also those taken back."""
    given = list(
        Consent.objects.filter(member=request.user).select_related("text").order_by("-given_at", "-pk")
    )
    standing = {consent.purpose for consent in given if consent.withdrawn_at is None}
    context = {
        "section": "consents",
        "consents": given,
        "letters": Purpose.NEWS in standing,
        "letters_words": letters_words(),
        "agreed_before": request.user.agreed_at if Purpose.AGREEMENT not in standing else None,
        "must_agree_anew": services.must_agree_anew(request.user),
    }
    return render(request, "members/settings_consents.html", context)


@require_POST
def change(request, purpose):
    """Yes or no to an optional purpose: one button, either way."""
    if purpose not in OPTIONAL:
        raise Http404
    if request.POST.get("wanted") == "yes":
        services.give_consent(member=request.user, purpose=purpose)
        messages.success(request, _("Thank you. You can take it back at any time."))
    else:
        services.withdraw_consent(member=request.user, purpose=purpose)
        messages.success(request, _("Taken back. We do not write about it any more."))
    return redirect("members:consents")


@require_safe
def text(request, pk):
    """The very words that were agreed to then."""
    found = get_object_or_404(ConsentText, pk=min(pk, 2**63 - 1), consents__member=request.user)
    is_html = found.text.lstrip().startswith("<")
    context = {
        "section": "consents",
        "text": found,
        # Our own templates' words are HTML already; an admin's and a label's are Markdown.
        "html": found.text if is_html and found.purpose != Purpose.NEWS else render_markdown(found.text),
    }
    return render(request, "members/settings_consent_text.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def agree(request):
    """The agreement has a new version: read, and agree or put it off. Nothing is closed meanwhile."""
    if not services.must_agree_anew(request.user):
        return redirect("members:consents")
    form = AgreeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and "later" in request.POST:
        request.session[AGREE_LATER] = True
        return redirect("/")
    if request.method == "POST" and form.is_valid():
        services.record_agreement(member=request.user, how=How.NEW_VERSION)
        messages.success(request, _("Thank you."))
        return redirect("/")
    community = CommunitySettings.load()
    context = {
        "form": form,
        "version": community.agreement_version,
        "agreement_html": render_markdown(community.agreement) if community.agreement else "",
    }
    return render(request, "members/agree_anew.html", context, status=422 if form.is_bound else 200)
