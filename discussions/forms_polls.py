"""Starting a poll, voting, changing its answers."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LocalDateTimeField, TextField, to_instant
from kmnet.core.text import clean_line

from .models import Kind, Poll
from .services.polls import FEWEST, MOST, PollWanted

LONGEST = 200


class OptionsField(TextField):
    """Answers to choose from, one a line; gives a list."""

    def __init__(self, **kwargs):
        kwargs.setdefault("label", _("Answers to choose from"))
        kwargs.setdefault(
            "help_text", _("One a line, two to ten. They cannot change once somebody has voted.")
        )
        super().__init__(max_length=MOST * (LONGEST + 2), widget=forms.Textarea(attrs={"rows": 5}), **kwargs)

    def clean(self, value):
        lines = [clean_line(line) for line in super().clean(value).splitlines()]
        options = [line for line in lines if line]
        if not options and not self.required:
            return []
        if len(options) < FEWEST:
            raise ValidationError(_("A poll needs two answers at least, one a line."))
        if len(options) > MOST:
            raise ValidationError(
                _("Ten answers at most; there are %(count)d."), params={"count": len(options)}
            )
        seen = set()
        for option in options:
            if len(option) > LONGEST:
                raise ValidationError(
                    _("“%(start)s …” is too long for an answer: %(most)d characters at most."),
                    params={"start": option[:40], "most": LONGEST},
                )
            if option.casefold() in seen:
                raise ValidationError(_("“%(option)s” stands there twice."), params={"option": option})
            seen.add(option.casefold())
        return options


class PollFields(forms.Form):
    """What a new thread says of its poll; asked for where its kind is “poll”."""

    poll_options = OptionsField(required=False)
    poll_way = forms.ChoiceField(
        label=_("How do people answer?"),
        choices=[
            (Poll.Way.SINGLE, _("They choose one answer")),
            (Poll.Way.MULTIPLE, _("They choose as many as they like")),
            (Poll.Way.RANKED, _("They put the answers in their order")),
        ],
        widget=forms.RadioSelect,
        initial=Poll.Way.SINGLE,
        required=False,
    )
    poll_closes = LocalDateTimeField(
        label=_("Open until"),
        required=False,
        help_text=_("On your clock. Left empty, it stays open until you close it."),
    )
    poll_results = forms.ChoiceField(
        label=_("Who sees the results, and when?"),
        choices=[
            (Poll.Results.ALWAYS, _("Everybody, from the first vote on")),
            (Poll.Results.CLOSED, _("Everybody, once the poll has closed; until then nobody, not even you")),
        ],
        widget=forms.RadioSelect,
        initial=Poll.Results.ALWAYS,
        required=False,
    )
    poll_names = forms.ChoiceField(
        label=_("Is it seen who chose what?"),
        choices=[
            ("anonymous", _("No: nobody ever sees it, and once it has closed it is not even stored")),
            ("named", _("Yes: members see it once they have voted")),
        ],
        widget=forms.RadioSelect,
        initial="anonymous",
        required=False,
    )

    for _field in (poll_options, poll_way, poll_results, poll_names):
        _field.says_optional = False
    del _field

    def clean(self):
        data = super().clean()
        if data.get("kind") != Kind.POLL:
            for name in ("poll_options", "poll_closes"):  # typed before the kind was changed: no matter
                self._errors.pop(name, None)
            return data
        if "poll_options" in data and not data["poll_options"]:
            self.add_error("poll_options", _("A poll needs two answers at least, one a line."))
        if data.get("poll_closes"):
            self.read_closing(data)
        return data

    def read_closing(self, data) -> None:
        """Of an hour that the clocks show twice, the second: the poll is open a little longer, not shorter."""
        try:
            closes_at = to_instant(data["poll_closes"], self.member.time_zone, later=True)
        except ValidationError as error:
            self.add_error("poll_closes", error)
            return
        if closes_at <= timezone.now():
            self.add_error("poll_closes", _("That is over already. Choose a time that is to come."))
        data["poll_closes_at"] = closes_at

    def poll(self) -> PollWanted | None:
        """For services.start_thread; None for other kinds."""
        data = self.cleaned_data
        if data.get("kind") != Kind.POLL:
            return None
        return PollWanted(
            options=data["poll_options"],
            way=data["poll_way"] or Poll.Way.SINGLE,
            closes_at=data.get("poll_closes_at"),
            results=data["poll_results"] or Poll.Results.ALWAYS,
            is_anonymous=data["poll_names"] != "named",
        )


class VoteForm(forms.Form):
    """A ballot; `cleaned_data["choices"]` are ids of options, in a ranked poll the first choice first."""

    def __init__(self, *args, shown, **kwargs):
        super().__init__(*args, auto_id="poll_%s", **kwargs)
        self.shown = shown
        rows = shown.rows
        labels = {row.option.pk: format_html("<bdi>{}</bdi>", row.option.text) for row in rows}
        chosen = [row.option.pk for row in rows if row.is_mine]
        if shown.poll.way == Poll.Way.RANKED:
            for row in rows:
                self.fields[f"rank_{row.option.pk}"] = rank_field(
                    labels[row.option.pk], len(rows), row.my_rank
                )
        elif shown.poll.way == Poll.Way.MULTIPLE:
            self.fields["choice"] = forms.TypedMultipleChoiceField(
                label=_("Choose as many as you like"),
                choices=list(labels.items()),
                coerce=int,
                initial=chosen,
                widget=forms.CheckboxSelectMultiple,
                error_messages={"required": _("Choose one answer at least.")},
            )
        else:
            self.fields["choice"] = forms.TypedChoiceField(
                label=_("Choose one"),
                choices=list(labels.items()),
                coerce=int,
                initial=chosen[0] if chosen else None,
                widget=forms.RadioSelect,
                error_messages={"required": _("Choose an answer.")},
            )

    def clean(self):
        data = super().clean()
        if self.shown.poll.way == Poll.Way.RANKED:
            data["choices"] = self.read_ranks(data)
        elif "choice" in data:
            chosen = data["choice"]
            data["choices"] = chosen if isinstance(chosen, list) else [chosen]
        return data

    def read_ranks(self, data) -> list[int]:
        """A rank left out is no matter (1, 3 reads as 1, 2); the same rank twice is, at the second."""
        by_rank: dict[int, int] = {}
        for row in self.shown.rows:
            name = f"rank_{row.option.pk}"
            rank = data.get(name)
            if not rank:
                continue
            if rank in by_rank:
                self.add_error(
                    name,
                    gettext("Another answer is your number %(rank)d already. Give each its own number.")
                    % {"rank": rank},
                )
            by_rank.setdefault(rank, row.option.pk)
        if not by_rank and not self.errors:
            self.add_error(f"rank_{self.shown.rows[0].option.pk}", _("Give a number to one answer at least."))
        return [by_rank[rank] for rank in sorted(by_rank)]


def rank_field(label, count: int, mine: int | None) -> forms.TypedChoiceField:
    choices = [("", _("no number"))] + [(str(rank), str(rank)) for rank in range(1, count + 1)]
    field = forms.TypedChoiceField(
        label=label, choices=choices, coerce=int, empty_value=None, required=False, initial=mine
    )
    field.says_optional = False  # “no number” is one of the choices
    return field


class OptionsForm(forms.Form):
    """Other answers, before anybody has voted."""

    options = OptionsField()
