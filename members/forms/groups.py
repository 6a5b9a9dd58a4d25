"""Cleans what people type about groups; saves nothing."""

from django import forms
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, MarkdownField, TextField
from kmnet.core.submit_key import SubmitKeyField

from ..models import Group, Joining
from ..models.group import GroupMember

SEEN = [
    ("listed", _("Listed: every member finds it, and sees who is in it")),
    ("private", _("Private: only those in it, and those invited, know of it; people come in by invitation")),
]


class GroupForm(forms.Form):
    """A new group, or what an old one says of itself."""

    name = LineField(label=_("Name"), max_length=80, min_length=3)
    purpose = TextField(
        label=_("What is it for?"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Two sentences. People decide by them whether they belong here."),
    )
    ways = MarkdownField(
        label=_("How it works"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("How often you meet, what you ask of each other. A list is enough."),
    )
    seen = forms.ChoiceField(
        label=_("Who knows of it?"), choices=SEEN, widget=forms.RadioSelect, initial="listed"
    )
    joining = forms.ChoiceField(
        label=_("How does one join?"), choices=Joining.choices, widget=forms.RadioSelect, initial=Joining.OPEN
    )
    submit_key = SubmitKeyField()

    def __init__(self, *args, group: Group | None = None, initial=None, **kwargs):
        stored = {}
        if group is not None:
            stored = {name: getattr(group, name) for name in ("name", "purpose", "ways", "joining")}
            stored["seen"] = "listed" if group.is_listed else "private"
        super().__init__(*args, initial=stored | (initial or {}), **kwargs)
        if group is not None:
            del self.fields["submit_key"]

    def service_fields(self) -> dict:
        data = dict(self.cleaned_data)
        return data | {"is_listed": data.pop("seen") == "listed"}


class RemoveForm(forms.Form):
    """A moderator says why; a convenor need not."""

    reason = TextField(
        label=_("Why?"),
        max_length=500,
        help_text=_("It stays in the log."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args, needs_reason: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not needs_reason:
            del self.fields["reason"]


# --- a group as the audience of something ------------------------------------------------------------------------------
def audience_choices(member, present: Group | None = None) -> list[tuple[str, str]]:
    """“Members of …”, for each open group that this member is in, and the one that the thing is for already."""
    mine = GroupMember.objects.in_it().filter(member=member.pk).values("group")
    groups = list(Group.objects.filter(pk__in=mine).order_by("name", "pk"))
    if present is not None and present not in groups:
        groups.append(present)
    return [(f"group-{group.pk}", _("The members of “%(name)s”") % {"name": group.name}) for group in groups]


def audience_group(value) -> Group | None:
    """The group that an option of audience_choices stands for; the field has checked that it was offered."""
    kind, _dash, number = str(value).partition("-")
    return Group.objects.get(pk=int(number)) if kind == "group" else None
