"""One kind sentence to the owner of a profile: the single most useful thing to add next. Never a score."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from .visibility import Shown

# In the order of how much each helps others to find, and to write to, this person.
WANTED = (
    (("can_help", "can_help_text"), "can_help", _("Add what you can help with, so that people find you.")),
    (
        ("headline", "job_title", "roles"),
        "headline",
        _("Say in one line what you do, so that people know whom they read."),
    ),
    (
        ("looking_for", "looking_for_text"),
        "looking_for",
        _("Say what you look for help with; somebody here has been there."),
    ),
    (
        ("team_size",),
        "team_size",
        _("Say whether you do this work alone, so that others who do can find you."),
    ),
    (
        ("languages_work",),
        "languages",
        _("Add the languages you can work in, so that people know how to write to you."),
    ),
    (("country",), "place", _("Add your country, so that people near you find you.")),
    (
        ("about",),
        "about",
        _("Tell a little in your own words; it is easier to write to somebody one can picture."),
    ),
    (("interests",), "interests", _("Add what interests you, so that we can show you what fits.")),
)


@dataclass(frozen=True)
class NextThing:
    """A sentence, and the part of the settings page that it is about."""

    words: str
    part: str


def next_thing(shown: Shown) -> NextThing | None:
    """What to add next; None where the profile tells enough. `shown`: the profile as its owner sees it."""
    for attributes, part, words in WANTED:
        if not any(getattr(shown, attribute) for attribute in attributes):
            return NextThing(words, part)
    return None
