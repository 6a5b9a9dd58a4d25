"""Cleans what people type into conversations; saves nothing."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kmnet.core.submit_key import SubmitKeyField
from members.models import Member

from .forms import BodyField, ComposedForm
from .services.conversations import MOST


def reachable_by(member):
    """Whose page the member may open: whom they can name. Who keeps them away is among these; a list would tell."""
    return Member.objects.full().profile_visible_to(member).exclude(pk=member.pk)


class MessageForm(ComposedForm):
    """One message."""

    body = BodyField(label=_("Your message"), rows=5)
    submit_key = SubmitKeyField()


class StartForm(MessageForm):
    """The first message, and to whom."""

    to = forms.ModelMultipleChoiceField(
        Member.objects.none(),
        to_field_name="handle",
        label=_("To whom?"),
        error_messages={
            "required": _("Choose to whom you write: type a name above."),
            "invalid_choice": _("One of these people cannot be found any more. Choose again."),
        },
    )

    def __init__(self, *args, member, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = reachable_by(member)

    def clean_to(self):
        people = list(self.cleaned_data["to"])
        if len(people) >= MOST:
            raise ValidationError(
                _(
                    "A conversation has %(most)d people at most, and you are one of them; you have chosen %(count)d."
                ),
                params={"most": MOST, "count": len(people)},
            )
        return people
