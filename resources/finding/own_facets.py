"""The facets that are not of the vocabulary: how long it takes, in which format, which language, how it went."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..models import LANGUAGE_NAMES, NO_TIME, Story
from .formats import LABELS as FORMATS
from .formats import in_format

TIMES = {  # the key in the address: label, and the minutes from … to
    "15": (_("Up to 15 minutes"), 0, 15),
    "60": (_("Up to an hour"), 16, 60),
    "more": (_("Longer"), 61, NO_TIME),
}
STORIES = {
    "told": _("Somebody tells how it went"),
    "did-not-work": _("It did not work for somebody"),
}
OWN_FACETS = {  # label, and the values with their names
    "time": (_("Time it takes"), {key: label for key, (label, _from, _to) in TIMES.items()}),
    "format": (_("Format"), FORMATS),
    "language": (_("Language"), LANGUAGE_NAMES),
    "stories": (_("In practice"), STORIES),
}


def own_rule(key: str, values: list[str]) -> Q:
    """Which resources have one of these values of the facet."""
    if key == "language":
        return Q(language__in=values)
    if key == "format":
        return in_format(values)
    if key == "time":
        rule = Q()
        for value in values:
            _label, least, most = TIMES[value]
            rule |= Q(minutes__gte=least, minutes__lte=most)
        return rule
    stories = Story.objects.shown()
    if "told" not in values:
        stories = stories.filter(did_not_work=True)
    return Q(pk__in=stories.order_by().values("resource"))


def time_of(minutes: int | None) -> str:
    """The key in TIMES; "" where it is not said how long it takes."""
    if minutes is None:
        return ""
    return next((key for key, (_label, _from, to) in TIMES.items() if minutes <= to), "")
