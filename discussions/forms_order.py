"""What moderators say when they put threads in order; saves nothing."""

import re
from datetime import datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField

from .forms import ReasonForm
from .models import Kind, Readers, Space, Thread
from .permissions import can_keep_order

ADDRESS = re.compile(r"(?:^|/)(\d{1,18})(?:-[^/]*)?/?(?:[?#].*)?$")
LONGEST_PIN = timedelta(days=366)
PACES = [
    (0, _("as fast as they like")),
    (60, _("once a minute")),
    (300, _("once in 5 minutes")),
    (1800, _("once in 30 minutes")),
    (7200, _("once in 2 hours")),
    (86400, _("once a day")),
]


class ThreadField(LineField):
    """A thread by its address, or by its number alone; one that `member` may put in order."""

    member = None

    def __init__(self, **kwargs):
        super().__init__(max_length=400, **kwargs)

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        found = ADDRESS.search(text)
        threads = Thread.objects.visible_to(self.member).select_related("space")
        thread = threads.filter(pk=int(found[1])).first() if found else None
        if thread is None or not can_keep_order(self.member, thread):
            raise ValidationError(_("No thread that you may change stands at this address."))
        return thread


class OrderForm(ReasonForm):
    """With the reason that the log keeps."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _("It stays in the log, for the other moderators.")


class SplitForm(OrderForm):
    """Which posts go, and whether to a new thread or to one that exists."""

    numbers = forms.TypedMultipleChoiceField(
        label=_("Which posts?"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    with_replies = forms.BooleanField(label=_("With all replies to them"), required=False, initial=True)
    title = LineField(label=_("Title of the new thread"), required=False, min_length=5, max_length=160)
    kind = forms.ChoiceField(
        label=_("What is it?"),
        choices=[(Kind.DISCUSSION, _("A conversation")), (Kind.QUESTION, _("A question"))],
        initial=Kind.DISCUSSION,
        widget=forms.RadioSelect,
    )
    into = ThreadField(
        label=_("Or: address of an existing thread"),
        required=False,
        help_text=_("The posts then go to its end, and no new thread is made."),
    )
    field_order = ["numbers", "with_replies", "title", "kind", "into", "reason"]

    def __init__(self, *args, member, posts=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["into"].member = member
        self.fields["numbers"].choices = [(post.number, post.author.name) for post in posts]

    def clean(self):
        data = super().clean()
        named = data.get("title") or data.get("into")
        if not named and not {"into", "title"} & set(self.errors):
            self.add_error("title", _("Give the new thread a title, or say which thread they go to."))
        return data


class MergeForm(OrderForm):
    into = ThreadField(
        label=_("Address of the thread that it becomes part of"),
        help_text=_("All posts go there, in their order. Links to this thread lead there from now on."),
    )
    field_order = ["into", "reason"]

    def __init__(self, *args, member, thread, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["into"].member = member


class MoveForm(OrderForm):
    space = forms.ModelChoiceField(Space.objects.none(), label=_("To which space?"), empty_label=None)
    field_order = ["space", "reason"]

    def __init__(self, *args, member, thread, **kwargs):
        super().__init__(*args, **kwargs)
        spaces = (
            Space.objects.visible_to(member).exclude(pk=thread.space_id).filter(group=thread.space.group_id)
        )
        if not thread.space.is_public:
            spaces = spaces.exclude(readable_by=Readers.PUBLIC)
        self.fields["space"].queryset = spaces


class PinForm(OrderForm):
    """Until which day (its end, on the moderator's clock); empty: pinned no longer."""

    until = forms.DateField(
        label=_("Until which day?"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("It stands first in its space until the end of that day. Empty: in its usual place."),
    )
    field_order = ["until", "reason"]

    def __init__(self, *args, member, thread, **kwargs):
        super().__init__(*args, **kwargs)

    def clean_until(self):
        day = self.cleaned_data["until"]
        if day is None:
            return None
        today = timezone.localdate()
        if day < today:
            raise ValidationError(_("That day is over."))
        if day > today + LONGEST_PIN:
            raise ValidationError(_("A year at most: what is pinned for ever is read by nobody."))
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


class SlowForm(OrderForm):
    seconds = forms.TypedChoiceField(
        label=_("How often may one person write here?"), coerce=int, choices=PACES, widget=forms.RadioSelect
    )
    field_order = ["seconds", "reason"]

    def __init__(self, *args, member, thread, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("seconds", thread.slow_seconds)
