"""Form fields that clean what breaks things, and that look like the design."""

import zoneinfo
from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from .text import clean_line, clean_text

FIRST_YEAR, LAST_YEAR = 1970, 2199
POST_LENGTH = 50_000  # characters; about 8,000 words


class LineField(forms.CharField):
    """One line of text: control and invisible characters gone, white space single."""

    def __init__(self, *, max_length=200, **kwargs):
        super().__init__(max_length=max_length, **kwargs)

    def to_python(self, value):
        value = super().to_python(value)
        return clean_line(value) if value else value


class TextField(forms.CharField):
    """Several lines of text: control characters gone, newlines of one kind."""

    widget = forms.Textarea

    def __init__(self, *, max_length=POST_LENGTH, **kwargs):
        super().__init__(**kwargs)  # no maxlength on the widget: browsers would cut a paste without a word
        self.validators.append(MaxLengthValidator(max_length))

    def to_python(self, value):
        value = super().to_python(value)
        return clean_text(value).strip() if value else value


class MarkdownField(TextField):
    """Text with Markdown; its widget is the composer where the template uses it."""


class TimeZoneField(forms.ChoiceField):
    """An IANA time zone; common spelling “Area/Place”."""

    def __init__(self, **kwargs):
        names = sorted(
            name
            for name in zoneinfo.available_timezones()
            if name == "UTC"
            or ("/" in name and not name.startswith(("Etc/", "posix/", "right/", "SystemV/", "US/")))
        )
        kwargs.setdefault("label", _("Time zone"))
        super().__init__(choices=[(name, name.replace("_", " ")) for name in names], **kwargs)


class AmbiguousTime(ValidationError):
    """The clock shows this time twice; `earlier` or `later` must be said."""


def to_instant(local: datetime, zone_name: str, *, later: bool | None = None) -> datetime:
    """The UTC instant of a wall-clock time in a zone.

    Raises ValidationError for a time that the clocks skip (spring forward), AmbiguousTime for one that they show twice
    (autumn) unless `later` says which is meant.
    """
    zone = zoneinfo.ZoneInfo(zone_name)
    naive = local.replace(tzinfo=None)
    first, second = naive.replace(tzinfo=zone, fold=0), naive.replace(tzinfo=zone, fold=1)
    back = first.astimezone(zoneinfo.ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None)
    if back != naive:
        raise ValidationError(
            _("The clocks go forward then: %(time)s does not exist in %(zone)s. Choose another time."),
            code="gap",
            params={"time": naive.strftime("%H:%M"), "zone": zone_name},
        )
    if first.utcoffset() != second.utcoffset():
        if later is None:
            raise AmbiguousTime(
                _(
                    "The clocks go back then: %(time)s comes twice in %(zone)s. Say which one, or choose another time."
                ),
                code="fold",
                params={"time": naive.strftime("%H:%M"), "zone": zone_name},
            )
        first = second if later else first
    return first.astimezone(zoneinfo.ZoneInfo("UTC"))


class LocalDateTimeField(forms.DateTimeField):
    """A wall-clock time, without its zone: the form's `clean` joins it with the zone by `to_instant`."""

    def __init__(self, **kwargs):
        kwargs.setdefault(
            "widget", forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        )
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **kwargs)

    def prepare_value(self, value):
        return value

    def to_python(self, value):
        if value in self.empty_values:
            return None
        if isinstance(value, datetime):
            return value.replace(tzinfo=None)
        # Not DateTimeField's own: it reads on the reader's clock, and refuses the hours that are skipped there.
        local = forms.fields.BaseTemporalField.to_python(self, value)
        if (
            not FIRST_YEAR <= local.year <= LAST_YEAR
        ):  # at the ends of the calendar no sum of times can be made
            raise ValidationError(
                _("Choose a year from %(first)d to %(last)d."),
                code="year",
                params={"first": FIRST_YEAR, "last": LAST_YEAR},
            )
        return local
