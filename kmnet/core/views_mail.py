"""Choosing what mail to get, through a link in any mail: without signing in, and at once."""

from django import forms
from django.contrib.auth import get_user_model
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from . import tokens
from .mail import CATEGORIES
from .mail.choices import How, choices_of, choose
from .mail_pages import mail_page

CHOOSABLE = [key for key, category in CATEGORIES.items() if not category.fixed]


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
    if category not in CHOOSABLE:  # a category that is no more: nobody gets it
        return dead_link(request)
    if request.method == "POST":
        how = How.AT_ONCE if request.POST.get("again") else How.NEVER
        choose(category, how, **person.key)
    context = {
        "category": CATEGORIES[category].label,
        "is_on": choices_of(**person.key)[category] != How.NEVER,
        "is_done": request.method == "POST",
        "settings_path": person.settings_path(),
    }
    return render(request, "core/unsubscribe.html", context)


class MailChoicesForm(forms.Form):
    """Which categories to get."""

    on = forms.MultipleChoiceField(
        label=_("Send me"),
        choices=[(key, CATEGORIES[key].label) for key in CHOOSABLE],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )


@mail_page
def settings(request, token):
    try:
        person = Person(tokens.read("mail-settings", token))
    except tokens.BadToken:
        return dead_link(request)
    is_saved = False
    if request.method == "POST":
        form = MailChoicesForm(request.POST)
        if form.is_valid():
            for category in CHOOSABLE:
                how = How.AT_ONCE if category in form.cleaned_data["on"] else How.NEVER
                choose(category, how, **person.key)
            is_saved = True
    else:
        chosen = choices_of(**person.key)
        form = MailChoicesForm(initial={"on": [key for key, how in chosen.items() if how != How.NEVER]})
    return render(
        request,
        "core/mail_settings.html",
        {"form": form, "is_saved": is_saved},
        status=422 if form.errors else 200,
    )
