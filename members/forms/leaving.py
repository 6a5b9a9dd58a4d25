from django import forms
from django.utils.translation import gettext_lazy as _


class LeaveForm(forms.Form):
    """What becomes of one's words."""

    words = forms.ChoiceField(
        label=_("What about your words?"),
        choices=[
            ("keep", _("My posts stay, unsigned: as by a former member")),
            ("take", _("Take my words away too")),
        ],
        widget=forms.RadioSelect,
        initial="keep",
        help_text=_(
            "Words are your posts, what you added to the library with its files, and your texts about events that only "
            "you organised. Where others have replied to you, a note stays in place of your post."
        ),
        error_messages={"required": _("Please choose one of the two.")},
    )
