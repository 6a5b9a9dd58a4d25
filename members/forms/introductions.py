"""Proposing an introduction: whom somebody should meet, and why."""

from django import forms
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, TextField
from kmnet.core.search import SearchText

from ..models import Member
from ..models.member import name_like

OFFERED = 8


class IntroductionForm(forms.Form):
    """One form with two buttons: "find" shows whom the name fits and keeps what was written, the other proposes."""

    q = LineField(
        label=_("Whom should they meet?"),
        help_text=_("A name, or a part of it."),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    other = forms.ChoiceField(
        label=_("Choose one"),
        widget=forms.RadioSelect,
        choices=(),
        error_messages={"required": _("Choose whom they should meet.")},
    )
    reason = TextField(
        label=_("Why these two?"),
        help_text=_("Both read it. A sentence or two is enough."),
        max_length=1000,
        error_messages={"required": _("Please say why these two should meet.")},
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args, proposer, one, **kwargs):
        super().__init__(*args, **kwargs)
        said = self.data if self.is_bound else self.initial
        name, chosen = str(said.get("q") or ""), str(said.get("other") or "")
        self.found = found_for(proposer, one, name, chosen)
        self.fields["other"].choices = [(member.handle, member.name) for member in self.found]

    def chosen_member(self) -> Member:
        return next(member for member in self.found if member.handle == self.cleaned_data["other"])


def found_for(proposer, one, name: str, chosen: str) -> list[Member]:
    """Listed members whose name fits, anybody by their whole handle, and whoever is chosen already."""
    full = Member.objects.full().exclude(pk__in=[proposer.pk, one.pk])
    people = []
    if chosen:
        people += full.filter(handle__iexact=chosen[:80].replace("\x00", ""))[:1]
    text = SearchText(name)
    if text.text:
        listed = Member.objects.listed_for(proposer).exclude(pk__in=[proposer.pk, one.pk])
        people += full.filter(handle__iexact=text.text)[:1]
        people += listed.filter(name_like(text)).order_by("-last_seen_on", "name_key", "pk")[:OFFERED]
    return list(dict.fromkeys(people))
