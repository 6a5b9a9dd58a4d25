"""Choosing what mail to get, through a link in any mail: without signing in, and at once."""

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import mail_settings, presence, tokens
from .mail import CATEGORIES
from .mail.choices import How, choices_of, choose
from .mail.links import ALL
from .mail_pages import mail_page
from .models import MailChoice

BEFORE = "mail-choices-before"
GUEST_CATEGORIES = ("event_reminders",)  # whatever else guests get was asked for, or is fixed


class Person:
    """Whom a token speaks for: a member, or a guest's address."""

    def __init__(self, data: dict):
        self.member_id, self.address = data.get("m"), data.get("a", "")
        members = get_user_model().objects.exclude(status="erased")
        if self.member_id is not None and not members.filter(pk=self.member_id).exists():
            raise Http404

    @property
    def key(self) -> dict:
        return {"member_id": self.member_id, "address": self.address}

    def settings_path(self) -> str:
        data = {"m": self.member_id} if self.member_id is not None else {"a": self.address}
        return reverse(
            "mail:settings", args=[tokens.make("mail-settings", lifetime=tokens.TWO_YEARS, **data)]
        )


def dead_link(request):
    return render(request, "core/mail_link_dead.html", status=404)


@mail_page
def unsubscribe(request, token):
    """GET shows a button, since scanners open links. POST acts: from the button, or as one click (RFC 8058)."""
    try:
        data = tokens.read("unsubscribe", token)
    except tokens.BadToken:
        return dead_link(request)
    person, category = Person(data), data["c"]
    keys = keys_of(category)
    if not keys:  # a category that is no more: nobody gets it
        return dead_link(request)
    was = {key: how for key, how in choices_of(**person.key).items() if key in keys}
    if request.method == "POST":
        wanted = before(request, person, keys) if asks_again(request) else dict.fromkeys(keys, How.NEVER)
        for key in keys:
            choose(key, wanted[key], **person.key)
        presence.note_post(request, person.member_id)
    now = choices_of(**person.key)
    context = {
        "category": "" if category == ALL else CATEGORIES[category].label,
        "is_on": any(now[key] != How.NEVER for key in keys),
        "is_done": request.method == "POST",
        "before": tokens.make(BEFORE, lifetime=tokens.TWO_YEARS, was=was, **person.key),
        "settings_path": person.settings_path() + ("" if category == ALL else f"#{category}"),
    }
    return render(request, "core/unsubscribe.html", context)


def asks_again(request) -> bool:
    """Whether the button of our own page was pressed that undoes it. Of a mail program that acts for its owner the body
    says nothing, in whatever form it comes: it stops."""
    try:
        return bool(request.POST.get("again"))
    except (BadRequest, MultiPartParserError, SuspiciousOperation):
        return False


def keys_of(category: str) -> list[str]:
    """What the link is about, of that which can be switched off."""
    known = [key for key, known in CATEGORIES.items() if not known.fixed]
    return known if category == ALL else [category] if category in known else []


def before(request, person: Person, keys: list[str]) -> dict[str, str]:
    """How it was when the page that stopped it was made, and as usual where that is not known."""
    usual = How.USUAL if person.member_id is not None else How.AT_ONCE
    try:
        said = tokens.read(BEFORE, request.POST.get("before", ""))
    except tokens.BadToken:
        said = {}
    if {name: said.get(name) for name in person.key} != person.key:
        said = {}
    was = said.get("was", {})
    stopped = all(was.get(key, How.NEVER) == How.NEVER for key in keys)
    return {key: usual if stopped else was.get(key, usual) for key in keys}


class GuestForm(forms.Form):
    """Which of the few categories there are for guests to get."""

    on = forms.MultipleChoiceField(
        label=gettext_lazy("Send me"), widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, *args, keys: list[str], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["on"].choices = [(key, CATEGORIES[key].label) for key in keys]


@mail_page
def settings(request, token):
    """For members their whole page (the app of members makes it), for guests a short list."""
    try:
        person = Person(tokens.read("mail-settings", token))
    except tokens.BadToken:
        return dead_link(request)
    if person.member_id is not None:
        return mail_settings.page_by_link(request, person.member_id) or dead_link(request)
    chosen = choices_of(**person.key)
    made = set(MailChoice.objects.of(**person.key).values_list("category", flat=True))
    keys = [key for key in chosen if key in GUEST_CATEGORIES or key in made]
    on = [key for key in keys if chosen[key] != How.NEVER]
    form = GuestForm(request.POST if request.method == "POST" else None, keys=keys, initial={"on": on})
    is_saved = form.is_bound and form.is_valid()
    if is_saved:
        for key in keys:
            choose(key, How.AT_ONCE if key in form.cleaned_data["on"] else How.NEVER, **person.key)
    context = {
        "form": form,
        "is_saved": is_saved,
        "always": _(
            "What you asked for yourself always comes: your place at an event, offers, and changes of an event."
        ),
    }
    return render(request, "core/mail_settings.html", context, status=422 if form.errors else 200)
