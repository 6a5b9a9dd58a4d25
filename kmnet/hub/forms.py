"""What people type into the hub's pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from kmnet.core import agreement
from kmnet.core.forms import LineField, MarkdownField, TextField
from kmnet.core.models import Flag
from kmnet.core.submit_key import SubmitKeyField
from members.models import JoinRequest

from .moderation import Decision


class ReportForm(forms.Form):
    """A member tells the moderators."""

    reason = forms.ChoiceField(
        label=_("What is the matter?"),
        choices=[choice for choice in Flag.Reason.choices if choice[0] != Flag.Reason.REVIEW],
        widget=forms.RadioSelect,
    )
    rule = forms.ChoiceField(
        label=_("Which part of “How we treat each other” does it break?"),
        required=False,
        help_text=_("If you are not sure, leave it open."),
    )
    note = TextField(
        label=_("In your words"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Only moderators read this. It helps them to see what you see."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["rule"].choices = [
            ("", _("I am not sure")),
            *((rule, rule) for rule in agreement.rules()),
        ]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("reason") == Flag.Reason.OTHER and not cleaned.get("note"):
            self.add_error("note", _("Please say what it is, so that a moderator can find it."))
        return cleaned


class AskAgainForm(forms.Form):
    """The author of something hidden asks for another look."""

    note = TextField(
        label=_("What did you change, or why should it be shown?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Only moderators read this. Another one than before decides, where there is one."),
    )


class DecisionForm(forms.Form):
    """A moderator decides."""

    decision = forms.ChoiceField(label=_("What happens to it?"), widget=forms.RadioSelect)
    reason = TextField(
        label=_("Why"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_(
            "It is kept in the log. When something is hidden or shown again, its author reads it too."
        ),
        error_messages={"required": _("Please say why; the author and the log need a reason.")},
    )
    seen_state = forms.CharField(widget=forms.HiddenInput)
    seen_flags = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, case, **kwargs):
        super().__init__(*args, **kwargs)
        # All decisions are accepted here: one that is no longer possible is answered by what happened meanwhile.
        self.fields["decision"].choices = (
            Decision.choices if self.is_bound else [(choice.value, choice.label) for choice in case.choices]
        )
        self.initial["seen_state"] = case.target.state
        self.initial["seen_flags"] = " ".join(str(flag.pk) for flag in case.flags)

    def clean_seen_flags(self) -> set[int]:
        """What is no number names no report of ours."""
        parts = self.cleaned_data["seen_flags"].split()[:500]
        return {int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 19}

    def offer_only(self, case) -> None:
        """After an error, show what is possible now."""
        self.fields["decision"].choices = [(choice.value, choice.label) for choice in case.choices]


class JoinDecisionForm(forms.Form):
    """Let somebody in, or not; the two buttons say which."""

    decision = forms.ChoiceField(choices=[("approve", _("Let in")), ("decline", _("Decline"))])
    reason = TextField(
        label=_("Why, if you decline"),
        help_text=_("They read it, and it is kept in the log."),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args, asked: JoinRequest, **kwargs):
        super().__init__(*args, auto_id=f"id_{asked.pk}_%s", **kwargs)
        self.asked = asked

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("decision") == "decline" and not cleaned.get("reason"):
            self.add_error("reason", _("Please say why; they will read it."))
        return cleaned


class IntroductionForm(forms.Form):
    """A first post, begun from the profile."""

    title = LineField(label=_("In one sentence"), max_length=160, min_length=5)
    body = MarkdownField(label=_("In your words"), widget=forms.Textarea(attrs={"rows": 10}))
    submit_key = SubmitKeyField()
