"""Cleans what people type into discussions; saves nothing."""

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, MarkdownField, TextField
from kmnet.core.submit_key import SubmitKeyField
from members.models import Member

from .forms_polls import PollFields
from .models import DiscussionSettings, Kind, Readers, Space
from .permissions import can_announce
from .services.masks import unmaskers
from .tags import LONGEST, MOST, canonical_tags, split_tags


class TagsField(LineField):
    """Tags between commas, in the vocabulary's spelling."""

    def __init__(self, **kwargs):
        kwargs.setdefault("widget", forms.TextInput(attrs={"list": "tag-words", "autocomplete": "off"}))
        super().__init__(max_length=400, required=False, **kwargs)

    def clean(self, value):
        words = split_tags(super().clean(value))
        if len(words) > MOST:
            raise ValidationError(
                _("%(most)d tags at most; there are %(count)d."),
                params={"most": MOST, "count": len(words)},
            )
        for word in words:
            if len(word) > LONGEST:
                raise ValidationError(
                    _("“%(tag)s” is too long for a tag: %(most)d characters at most."),
                    params={"tag": word, "most": LONGEST},
                )
        return canonical_tags(words)


class BodyField(MarkdownField):
    def __init__(self, *, rows=8, placeholder="", **kwargs):
        widget = forms.Textarea(attrs={"rows": rows, "placeholder": placeholder})
        super().__init__(widget=widget, **kwargs)


class ComposedForm(forms.Form):
    """A form with a text: a file may come along with it, and it knows the draft that it came from."""

    file = forms.FileField(label=_("Add a picture or a file"), required=False)
    alt = LineField(
        label=_("What does it show?"),
        required=False,
        max_length=300,
        help_text=_("For people who cannot see it."),
    )
    draft_tab = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    draft_revision = forms.IntegerField(
        required=False, min_value=0, max_value=10**8, widget=forms.HiddenInput
    )


KIND_LABELS = {
    Kind.QUESTION: _("A question: I would like an answer"),
    Kind.DISCUSSION: _("A conversation"),
    Kind.POLL: _("A poll: I would like to know what people think"),
    Kind.INTRODUCTION: _("An introduction"),
    Kind.ANNOUNCEMENT: _("An announcement"),
}


class ThreadForm(PollFields, ComposedForm):
    """A new thread. With `space` given it is not asked for; a question comes with prompts."""

    kind = forms.ChoiceField(label=_("What is it?"), widget=forms.RadioSelect)
    space = forms.ModelChoiceField(Space.objects.none(), label=_("Where?"), empty_label=None)
    title = LineField(
        label=_("Your question in one sentence"),
        max_length=160,
        min_length=5,
        help_text=_("People decide by this line whether they can help."),
        widget=forms.TextInput(
            attrs={
                "hx-get": reverse_lazy("discussions:similar"),
                "hx-trigger": "input changed delay:700ms",
                "hx-target": "#similar",
                "autocomplete": "off",
            }
        ),
    )
    body = BodyField(
        label=_("What is the situation?"),
        placeholder=_(
            "Who is it for? What surrounds it? Please leave out anything that could identify a patient."
        ),
    )
    tried = TextField(
        label=_("What have you tried?"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    hope = TextField(
        label=_("What do you hope for?"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A template, a story, a second opinion, someone to talk to …"),
    )
    tags = TagsField(label=_("Tags"), help_text=_("Up to five words, with commas between them."))
    masked = forms.BooleanField(label=_("Ask without my name"), required=False)
    about = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)  # kmnet.core.about
    submit_key = SubmitKeyField()

    def __init__(self, *args, member, space=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.member = member
        kinds = [Kind.QUESTION, Kind.DISCUSSION, Kind.POLL]
        lookers = unmaskers()
        if lookers:
            self.fields["masked"].help_text = _(
                "Others see the name of a bird or a tree, here and when you reply below. %(one)s and %(other)s, and "
                "nobody else, can find out who asked; each time they do it is logged with the reason."
            ) % {"one": lookers[0].name, "other": lookers[1].name}
        elif self.initial.get("masked") or self.data.get("masked"):  # it was offered when they began to write
            self.fields["masked"].help_text = _("Take the tick away to post it with your name.")
        else:
            del self.fields["masked"]
        self.nobody_looks = not lookers
        first = space.first_kind if space else Kind.QUESTION
        if first == Kind.INTRODUCTION:
            kinds.insert(0, Kind.INTRODUCTION)
        if can_announce(member):
            kinds.append(Kind.ANNOUNCEMENT)
        self.fields["kind"].choices = [(kind, KIND_LABELS[kind]) for kind in kinds]
        self.fields["kind"].initial = first
        if first != Kind.QUESTION:
            del self.fields["tried"], self.fields["hope"]
            self.fields["title"].label = _("In one sentence")
            self.fields["body"].label = _("In your words")
        if space:
            del self.fields["space"]
            self.space = space
        else:
            self.fields["space"].queryset = Space.objects.open_to(member)

    def clean(self):
        data = super().clean()
        if data.get("masked") and self.nobody_looks:
            self.add_error("masked", _("Nobody can ask without their name at the moment."))
        return data

    def source(self) -> str:
        """What is posted: the situation, and under headings of their own what was tried and hoped for."""
        data = self.cleaned_data
        parts = [data.get("body") or ""]
        if data.get("tried"):
            parts.append(f"**{gettext('What I have tried')}**\n\n{data['tried']}")
        if data.get("hope"):
            parts.append(f"**{gettext('What I hope for')}**\n\n{data['hope']}")
        return "\n\n".join(part for part in parts if part)


class ReplyForm(ComposedForm):
    """A reply, to the thread or to one post (`to`, its number)."""

    body = BodyField(label=_("Your reply"), placeholder=_("What worked for you, even a little?"))
    to = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)
    seen = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    submit_key = SubmitKeyField()


class EditForm(ComposedForm):
    """New words for a post; the first post also has the thread's title and tags."""

    title = LineField(label=_("Title"), max_length=160, min_length=5)
    body = BodyField(label=_("Your text"), rows=12)
    tags = TagsField(label=_("Tags"), help_text=_("Up to five words, with commas between them."))
    begun_from = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)

    def __init__(self, *args, leads: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not leads:
            del self.fields["title"], self.fields["tags"]


class UnmaskersField(forms.ModelMultipleChoiceField):
    """None, or two: one alone would be tempted, and could be away."""

    def clean(self, value):
        chosen = super().clean(value)
        if len(chosen) not in (0, 2):
            raise ValidationError(_("Name two, or nobody: then nobody can ask without their name."))
        return chosen


class DiscussionSettingsForm(forms.ModelForm):
    """What admins decide about discussions."""

    unmaskers = UnmaskersField(
        Member.objects.none(),
        required=False,
        label=_("Two moderators who may see who asked without their name"),
        help_text=_("Every look is logged with its reason, and the form says who they are."),
    )

    class Meta:
        model = DiscussionSettings
        fields = [field.name for field in DiscussionSettings._meta.get_fields() if field.name != "id"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        moderate = Q(is_moderator=True) | Q(is_superuser=True)
        self.fields["unmaskers"].queryset = Member.objects.filter(moderate, is_active=True)


class ReasonForm(forms.Form):
    """Why a moderator does it; the author reads it, and it stays in the log."""

    reason = TextField(
        label=_("Why?"),
        max_length=2000,
        help_text=_("The author reads this. It stays in the log."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class UnmaskForm(forms.Form):
    """Why one of the two looks who asked."""

    reason = TextField(
        label=_("Why do you need to know?"),
        max_length=2000,
        help_text=_("It stays in the log, which the admins read."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class SpaceForm(forms.ModelForm):
    """A space in the admin; one for a group names it."""

    class Meta:
        model = Space
        fields = [
            "name",
            "slug",
            "purpose",
            "icon",
            "readable_by",
            "group",
            "may_start",
            "first_kind",
            "default_level",
            "position",
        ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        choices = [choice for choice in Readers.choices if choice[0] != Readers.PEOPLE]
        self.fields["readable_by"].choices = choices

    def clean(self):
        data = super().clean()
        if data.get("readable_by") == Readers.GROUP and not data.get("group"):
            self.add_error("group", _("Say which group."))
        if data.get("readable_by") != Readers.GROUP:
            data["group"] = None
        return data
