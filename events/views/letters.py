"""Writing to the people of an event: typed, looked at once more, sent."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from kmnet.core import kept_text
from kmnet.core.text import clean_text, render_markdown

from .. import services
from ..forms import LetterForm
from ..models import Event
from .common import get_own_event
from .desk import seen_by_admin

SHOWN = 20
LONGEST = 10_000


@require_http_methods(["GET", "HEAD", "POST"])
def letter(request, pk, slug):
    """`view=preview`: back to the form. Without `send`, a page shows what goes to how many; its button sends."""
    event = get_own_event(request, pk)
    counts = services.audience_counts(event)
    if request.method != "POST":
        form = LetterForm(counts=counts, initial=kept_text.take(request))
        return _page(request, event, form)
    if request.POST.get("view") in ("preview", "write"):
        form = LetterForm(counts=counts, initial=request.POST.dict())
        return _page(request, event, form, looks=request.POST["view"] == "preview")
    form = LetterForm(request.POST, counts=counts)
    if form.is_valid():
        if request.POST.get("send") != "yes":
            return _review(request, event, form, counts)
        if _send(request, event, form):
            kept_text.forget(request)
            return redirect("events:letter", pk=event.pk, slug=event.slug)
    return _page(request, event, form, status=422)


def _send(request, event: Event, form: LetterForm) -> bool:
    try:
        sent = services.write_to_people(event=event, actor=request.user, **form.cleaned_data)
    except services.NobodyThere:
        form.add_error("audience", _("Nobody is there any more to write to."))
    except services.TooManyLetters:
        form.add_error(
            None, _("These people have had five letters since yesterday. Please leave it at that for today.")
        )
    else:
        words = ngettext("It goes to %(count)d person.", "It goes to %(count)d people.", sent.told_count)
        messages.success(request, words % {"count": sent.told_count})
        return True
    return False


def _review(request, event: Event, form: LetterForm, counts: dict[str, int]):
    audience = form.cleaned_data["audience"]
    context = {
        "event": event,
        "form": form,
        "letter": form.cleaned_data,
        "letter_html": render_markdown(form.cleaned_data["body"]),
        "to": dict(form.fields["audience"].choices)[audience],
        "told_count": counts[audience],
    }
    return render(request, "events/letter_review.html", context)


def _page(request, event: Event, form: LetterForm, *, looks: bool = False, status: int = 200):
    seen_by_admin(request, event)
    context = {
        "event": event,
        "form": form,
        "letters": event.letters.select_related("author")[:SHOWN],
        "nobody": not form.fields["audience"].choices,
        "view": "preview" if looks else "write",
    }
    if looks:
        typed = clean_text(request.POST.get("body", ""))[:LONGEST]
        context["preview_html"] = render_markdown(typed)
    return render(request, "events/letter.html", context, status=status)
